package gateways

import (
	"os/exec"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// The examples of an API in another language, behind `jotgate serve --upstream`.
func TestExamplesBehindTheGate(t *testing.T) {
	for name, command := range map[string][]string{
		"Python": {"/usr/bin/python3", "../../examples/python-api/api.py", "0"},
		"Node":   {"node", "../../examples/node-api/api.mjs", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := peer.Serve(t, exec.Command(command[0], command[1:]...))
			upstream := api.WaitFor(t, listening)[1]
			gate := serve.Start(t, serve.Options{SecretKey: secret, Args: []string{"--upstream", upstream, "--protect", "/api/"}})
			staff := token(t, func(c map[string]any) {
				c["role"] = map[string]any{"id": "staff", "display_name": "Staff", "role_type": "staff"}
			})
			for _, c := range []struct {
				path, token string
				status      int
				message     string
			}{
				{"/", "", 200, "welcome"},
				{"/api/hello", "Bearer " + token(t, nil), 200, "hello, alice"},
				{"/api/hello", "Token " + token(t, nil), 200, "hello, alice"},
				{"/api/hello", "", 401, ""},
				{"/api/reports", "Bearer " + token(t, nil), 403, ""},
				{"/api/reports", "Bearer " + staff, 200, "reports"},
				{"/elsewhere", "", 404, ""},
				{"/.well-known/jwks.json", "", 200, ""},
			} {
				got := client.Get(t, gate.URL+c.path, c.token)
				if got.Status != c.status || got.Text("message") != c.message {
					t.Errorf("%s: %d %v, want %d %q", c.path, got.Status, got.Body, c.status, c.message)
				}
			}
		})
	}
}

// With --upstream-only every path is the API's.
func TestUpstreamOnly(t *testing.T) {
	behind := newAPI(t)
	address := freeport.Address(t)
	folder := t.TempDir()
	command := serve.Command(t, folder, []string{"JOTGATE_SECRET_KEY=" + secret}, "serve", "--addr", address,
		"--upstream", "http://"+behind.address, "--upstream-only", "--drop-token")
	process := peer.Serve(t, command)
	process.WaitFor(t, listening)
	if got := client.Get(t, "http://"+address+"/livez", ""); got.Status != 401 {
		t.Errorf("without a token: %d", got.Status)
	}
	status, _, _ := send(t, address, "GET /auth/users/me/ HTTP/1.1\nAuthorization: Bearer "+token(t, nil), "")
	all := behind.take()
	if status != 200 || len(all) != 1 || all[0].target != "/auth/users/me/" || all[0].header.Get("Authorization") != "" {
		t.Errorf("with a token: %d, the API saw %v", status, all)
	}
}

// Flags that mean nothing without --upstream are wrong usage, and so is an
// address that is none.
func TestUpstreamFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--protect", "/api/"},
		{"--upstream-only"},
		{"--upstream", "127.0.0.1:3000"},
		{"--upstream", "http://127.0.0.1:3000", "--protect", "api/"},
	} {
		command := serve.Command(t, t.TempDir(), []string{"JOTGATE_SECRET_KEY=" + secret}, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
		if out, err := command.CombinedOutput(); err == nil || command.ProcessState.ExitCode() != 2 {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
