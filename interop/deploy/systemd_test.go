package deploy

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// binary returns the path of the built jotgate.
func binary(t *testing.T) string {
	t.Helper()
	return serve.Command(t, t.TempDir(), nil).Path
}

// systemd accepts the units and finds the service well confined.
func TestUnits(t *testing.T) {
	folder := t.TempDir()
	service, socket := filepath.Join(folder, "jotgate.service"), filepath.Join(folder, "jotgate.socket")
	write(t, service, example(t, "systemd/jotgate.service", "/usr/local/bin/jotgate serve", binary(t)+" serve"))
	write(t, socket, example(t, "systemd/jotgate.socket"))
	for _, args := range [][]string{
		{"verify", "--man=no", "--recursive-errors=no", service, socket},
		{"security", "--offline=true", "--threshold=15", service}, // exposure 1.5 of 10
	} {
		if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %v: %v\n%s", args, err, out)
		}
	}
}

// execStart returns the ExecStart line, with this machine's folders in it.
func execStart(t *testing.T, folder string) []string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^ExecStart=(.+)$`).FindStringSubmatch(example(t, "systemd/jotgate.service"))
	if found == nil {
		t.Fatal("no ExecStart")
	}
	line := strings.NewReplacer("/usr/local/bin/jotgate", binary(t), "/etc/jotgate", folder, "%d", folder).Replace(found[1])
	return strings.Fields(line)
}

// systemd passes the socket of the unit, starts the service by its ExecStart line at
// the first connection, and is told when it is ready.
func TestUnitStarts(t *testing.T) {
	folder, address := t.TempDir(), freeport.Address(t)
	write(t, filepath.Join(folder, "secret"), secret)
	write(t, filepath.Join(folder, "jotgate.yaml"), example(t, "systemd/jotgate.yaml", "/var/lib/jotgate", folder))
	notify := filepath.Join(tempdir.ForSockets(t), "notify")
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = states.Close() }()
	listen := example(t, "systemd/jotgate.socket", "127.0.0.1:8000", address)
	if !strings.Contains(listen, "\nListenStream="+address+"\n") {
		t.Fatal("the socket unit has no ListenStream")
	}
	args := []string{"-l", address, "-E", "NOTIFY_SOCKET=" + notify}
	for _, variable := range program.Limits {
		args = append(args, "-E", variable)
	}
	command := exec.Command("systemd-socket-activate", append(args, execStart(t, folder)...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	activate := peer.Serve(t, command)
	activate.WaitFor(t, regexp.MustCompile(`Listening on `))
	client := browser(t, address)
	const host = "http://accounts.example.com"
	wait.Until(t, "it is ready", func() bool { status, _ := ask(t, client, "GET", host+"/readyz", ""); return status == 200 })
	access := login(t, client, host, "X-Forwarded-For", "203.0.113.7")
	_ = states.SetReadDeadline(wait.Deadline())
	state := make([]byte, 100)
	if n, err := states.Read(state); err != nil || string(state[:n]) != "READY=1" {
		t.Errorf("systemd is told %q, %v", state[:n], err)
	}
	_, sessions := ask(t, client, "GET", host+"/auth/sessions/", "", "Authorization", "Bearer "+access)
	if !strings.Contains(sessions, `"address":"203.0.113.7"`) {
		t.Errorf("sessions: %s", sessions)
	}
	if status, text := ask(t, client, "GET", host+"/.well-known/jwks.json", ""); status != 200 || !strings.Contains(text, `"ES256"`) {
		t.Errorf("keys: %d %s", status, text)
	}
	wait.Until(t, "it is ready for a probe by address", func() bool {
		status, _ := ask(t, http.DefaultClient, "GET", "http://"+address+"/readyz", "")
		return status == 200
	})
	activate.WaitFor(t, regexp.MustCompile(`"msg":"ready"`))
}
