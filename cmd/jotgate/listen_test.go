package main

// Unix sockets in both directions, a path before the endpoints, and the socket that
// systemd passes.

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
)

// socketClient returns a client whose requests all go to the socket.
func socketClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}, DisableKeepAlives: true}}
}

// ask sends a request and returns status and body.
func ask(t *testing.T, client *http.Client, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// becomesReady returns when the server responds that it is ready. On a slow machine the database does
// not always respond within the two seconds that the server waits.
func becomesReady(t *testing.T, client *http.Client, base string) {
	t.Helper()
	wait.Until(t, base+" is ready", func() bool {
		status, _ := ask(t, client, "GET", base+"/readyz", "")
		return status == http.StatusOK
	})
}

// startOn runs serve with these arguments until it prints where it listens.
func startOn(t *testing.T, place string, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &server{stop: stop, status: make(chan int, 1)}
	args = append([]string{"serve", "--database", "sqlite:" + filepath.Join(t.TempDir(), "a.db"), "--log-level", "warn"}, args...)
	go func() {
		s.status <- run(ctx, args, append([]string{"SECRET_KEY=" + goodSecret}, program.Limits...), strings.NewReader(""), &s.stdout, &s.stderr)
	}()
	wait.Until(t, "serve listens", func() bool {
		if len(s.status) > 0 {
			t.Fatalf("serve did not start: %s%s", s.stdout.String(), s.stderr.String())
		}
		return strings.Contains(s.stdout.String(), "listening on "+place)
	})
	t.Cleanup(stop)
	return s
}

const aliceJSON = `{"username":"alice","password":"correct-horse-1"}`

// On a Unix socket all works as on an address. A trusted proxy there reports the
// clients, who do not share one rate limit.
func TestServeOnASocket(t *testing.T) {
	path := filepath.Join(tempdir.ForSockets(t), "jotgate.sock")
	s := startOn(t, "unix:"+path+",", "--addr", "unix:"+path, "--trusted-proxies", "unix", "--rate", "login=2/min")
	if !strings.Contains(s.stdout.String(), "curl --unix-socket "+path+" -d username=alice -d password=correct-horse-1 http://localhost/api/token/") {
		t.Errorf("the hint is %s", s.stdout.String())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Fatalf("%v %v", info, err)
	}
	client := socketClient(path)
	if status, text := ask(t, client, "POST", "http://localhost/auth/users/", aliceJSON); status != 201 {
		t.Fatal(status, text)
	}
	var tokens struct{ Access string }
	for _, address := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"} {
		status, text := ask(t, client, "POST", "http://localhost/api/token/", aliceJSON, "X-Forwarded-For", address)
		if err := json.Unmarshal([]byte(text), &tokens); status != 200 || err != nil {
			t.Fatal(address, status, text)
		}
	}
	_, sessions := ask(t, client, "GET", "http://localhost/auth/sessions/", "", "Authorization", "Bearer "+tokens.Access)
	if !strings.Contains(sessions, `"address":"203.0.113.4"`) || strings.Contains(sessions, "invalid") {
		t.Errorf("sessions: %s", sessions)
	}
	if status := s.end(t); status != 0 {
		t.Errorf("%d: %s", status, s.stderr.String())
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// A peer without an address is written as no address, not as an invalid one.
func TestSocketWithoutATrustedProxy(t *testing.T) {
	path := filepath.Join(tempdir.ForSockets(t), "j")
	s := startOn(t, "unix:"+path+",", "--addr", "unix:"+path, "--socket-mode", "600", "--prefix", "/accounts", "--log-level", "info")
	client := socketClient(path)
	ask(t, client, "POST", "http://localhost/accounts/auth/users/", aliceJSON, "X-Forwarded-For", "203.0.113.1")
	if status, text := ask(t, client, "POST", "http://localhost/accounts/api/token/", aliceJSON, "X-Forwarded-For", "203.0.113.1"); status != 200 || strings.Contains(text, "invalid") {
		t.Fatal(status, text)
	}
	if status := s.end(t); status != 0 {
		t.Error(status)
	}
	log := s.stderr.String()
	if strings.Contains(log, "invalid IP") || !strings.Contains(log, `address=""`) || !strings.Contains(log, "a forwarded client address is ignored") {
		t.Errorf("the log: %s", log)
	}
}

// A socket that no process listens on is replaced; one in use, and any other file, is
// left alone.
func TestStaleSockets(t *testing.T) {
	folder := tempdir.ForSockets(t)
	stale := filepath.Join(folder, "stale.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	s := startOn(t, "unix:"+stale+",", "--addr", "unix:"+stale)
	if status, _ := ask(t, socketClient(stale), "GET", "http://localhost/livez", ""); status != 200 {
		t.Errorf("/livez: %d", status)
	}
	file := filepath.Join(folder, "file.sock")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		stale: "in use by another program", file: "not a socket", filepath.Join(folder, "none/j.sock"): "no such file",
		"": "followed by the path", strings.Repeat("x", 120): "at most 103 bytes",
	} {
		status, _, stderr := try(t, []string{"SECRET_KEY=" + goodSecret}, "", "serve", "--addr", "unix:"+path, "--database", "sqlite:"+filepath.Join(folder, "b.db"))
		if status == 0 || !strings.Contains(stderr, says) {
			t.Errorf("%s: %d %s", path, status, stderr)
		}
	}
	for _, mode := range []string{"0999", "rw", "1777", "0060"} {
		if status, _, stderr := try(t, nil, "", "serve", "--addr", "unix:"+folder+"/m", "--socket-mode", mode); status != 2 || !strings.Contains(stderr, "--socket-mode") {
			t.Errorf("%s: %d %s", mode, status, stderr)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the file: %q %v", text, err)
	}
	becomesReady(t, socketClient(stale), "http://localhost") // also after the other starts
	if status := s.end(t); status != 0 {
		t.Error(status)
	}
}

// An API on a socket, behind jotgate on a socket: who the client is reaches it.
func TestSocketsOnBothSides(t *testing.T) {
	folder := tempdir.ForSockets(t)
	listener, err := net.Listen("unix", filepath.Join(folder, "api.sock"))
	if err != nil {
		t.Fatal(err)
	}
	api := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Join([]string{
			r.URL.Path, r.Header.Get("X-Auth-User"), r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host"),
		}, " "))
	})}}
	api.Start()
	defer api.Close()
	path := filepath.Join(folder, "j.sock")
	s := startOn(t, "unix:"+path+",", "--addr", "unix:"+path, "--trusted-proxies", "unix", "--upstream", "unix:"+filepath.Join(folder, "api.sock"), "--prefix", "/accounts")
	client := socketClient(path)
	ask(t, client, "POST", "http://localhost/accounts/auth/users/", aliceJSON)
	_, text := ask(t, client, "POST", "http://localhost/accounts/api/token/", aliceJSON)
	var tokens struct{ Access string }
	if err := json.Unmarshal([]byte(text), &tokens); err != nil {
		t.Fatal(text)
	}
	forwarded := []string{"X-Forwarded-For", "203.0.113.1", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "example.com", "Authorization", "Bearer " + tokens.Access}
	for _, at := range []string{"/notes", "/api/token/", "/accounts/notes"} { // none of them is jotgate's own
		if status, text := ask(t, client, "GET", "http://localhost"+at, "", forwarded...); status != 200 || text != at+" alice 203.0.113.1 https example.com" {
			t.Errorf("%s: %d %s", at, status, text)
		}
	}
	if status := s.end(t); status != 0 {
		t.Error(status)
	}
}

// Links in e-mails, what serve prints, and the endpoints follow the prefix.
func TestServeUnderAPath(t *testing.T) {
	s := startServer(t, t.TempDir(), []string{"SECRET_KEY=" + goodSecret}, "--prefix", "/accounts", "--print-emails", "--send-activation-email", "--refresh-cookie")
	if !strings.HasSuffix(s.base, "/accounts") {
		t.Fatalf("it listens on %s", s.base)
	}
	s.curl(t, "-d", "username=alice", "-d", "email=alice@example.com", "-d", "password=correct-horse-1", "BASE/auth/users/")
	wait.Until(t, "the e-mail", func() bool {
		return strings.Contains(s.stderr.String(), strings.Replace(s.base, "127.0.0.1", "localhost", 1)+"/account/activate?uid=")
	})
	root := strings.TrimSuffix(s.base, "/accounts")
	becomesReady(t, http.DefaultClient, root)
	becomesReady(t, http.DefaultClient, s.base)
	for path, want := range map[string]int{"/livez": 200, "/accounts/api/docs/": 200, "/api/docs/": 404, "/accounts/account/login": 200, "/account/login": 404, "/accounts": 404, "/": 404} {
		if status, text := ask(t, http.DefaultClient, "GET", root+path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status := s.end(t); status != 0 {
		t.Error(status)
	}
	status, _, stderr := try(t, []string{"SECRET_KEY=" + goodSecret}, "", "serve", "--prefix", "accounts")
	if status != 2 || !strings.Contains(stderr, "--prefix") {
		t.Errorf("%d %s", status, stderr)
	}
}

// build compiles jotgate for tests that need a process.
func build(t *testing.T) string {
	t.Helper()
	path, err := program.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The socket that systemd passes is used, and is open to the next process after the
// first has ended. systemd is told when requests are served.
func TestSocketOfSystemd(t *testing.T) {
	path := build(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	passed, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	folder := tempdir.ForSockets(t)
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer states.Close()
	_ = states.SetReadDeadline(wait.Deadline())
	state := func() string {
		message := make([]byte, 100)
		n, err := states.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		return string(message[:n])
	}
	for range 2 {
		command := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, path, "serve", "--addr", "127.0.0.1:1", "--database", "sqlite:"+folder+"/a.db")
		command.Env = program.Environment("SECRET_KEY="+goodSecret, "NOTIFY_SOCKET="+filepath.Join(folder, "notify"))
		command.ExtraFiles = []*os.File{passed}
		var output capture.Output
		command.Stdout, command.Stderr = &output, &output
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != "READY=1" {
			t.Fatalf("%s: %s", got, output.String())
		}
		becomesReady(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, base)
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != "STOPPING=1" {
			t.Errorf("%s", got)
		}
		if err := command.Wait(); err != nil || !strings.Contains(output.String(), "listening on "+base+",") {
			t.Fatalf("%v: %s", err, output.String())
		}
		conn, err := net.Dial("tcp", listener.Addr().String()) // waits in the queue for the next start
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	two := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@"`, path, "serve", "--database", "sqlite:"+folder+"/a.db")
	two.Env, two.ExtraFiles = program.Environment("SECRET_KEY="+goodSecret), []*os.File{passed, passed}
	if out, err := two.CombinedOutput(); err == nil || !strings.Contains(string(out), "passes 2 sockets") {
		t.Errorf("%v %s", err, out)
	}
}
