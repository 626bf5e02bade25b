package main

// `serve` from start to end, in a new folder.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
)

// server is a running serve.
type server struct {
	base           string
	stdout, stderr capture.Output
	stop           context.CancelFunc
	status         chan int
}

// cheapHasher is the hasher of servers whose test names no other.
const cheapHasher = "JOTGATE_HASHER=pbkdf2_sha256:1000"

// startServer runs serve on a free port, with a SQLite database in folder
// unless that is empty.
func startServer(t *testing.T, folder string, env []string, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &server{stop: stop, status: make(chan int, 1)}
	if folder != "" {
		args = append([]string{"--database", "sqlite:" + filepath.Join(folder, "jotgate.db")}, args...)
	}
	args = append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)
	env = slices.Concat(program.Limits, []string{cheapHasher}, env)
	go func() { s.status <- run(ctx, args, env, strings.NewReader(""), &s.stdout, &s.stderr) }()
	listening := regexp.MustCompile(`listening on (https?://\S+),`)
	wait.Until(t, "serve listens", func() bool {
		if len(s.status) > 0 {
			t.Fatalf("serve did not start: %s%s", s.stdout.String(), s.stderr.String())
		}
		found := listening.FindStringSubmatch(s.stdout.String())
		if found != nil {
			s.base = found[1]
		}
		return found != nil
	})
	t.Cleanup(func() {
		stop()
		emails := slices.Contains(args, "--print-emails") || slices.Contains(args, "--demo") // which are printed there as well
		if found := leak.Find(s.stderr.String(), "correct-horse"); found != "" && !emails {
			t.Errorf("the log has %s: %s", found, s.stderr.String())
		}
	})
	return s
}

// end stops the server as SIGTERM does and returns its status.
func (s *server) end(t *testing.T) int {
	t.Helper()
	s.stop()
	return wait.For(t, "serve ends", s.status)
}

// curl returns what the tests' curl prints.
func (s *server) curl(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	for i := range args {
		args[i] = strings.Replace(args[i], "BASE", s.base, 1)
	}
	if err := fetch(args, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// served is curl, again as long as the server asks to try again later, as it does on a
// machine on which an operation takes longer than serve allows.
func (s *server) served(t *testing.T, args ...string) (got string) {
	t.Helper()
	wait.Until(t, "the server is not too busy", func() bool {
		got = s.curl(t, args...)
		return !strings.Contains(got, jotgate.ErrUnavailable.Detail)
	})
	return got
}

// login signs alice up, unless she is there, and returns her tokens.
func (s *server) login(t *testing.T) (tokens struct{ Access, Refresh string }) {
	t.Helper()
	s.served(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/auth/users/")
	answer := s.served(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/api/token/")
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil || tokens.Access == "" {
		t.Fatalf("login: %s", answer)
	}
	return tokens
}

func TestServeInAnEmptyFolder(t *testing.T) {
	folder := t.TempDir()
	s := startServer(t, folder, nil)
	tokens := s.login(t)
	if got := s.curl(t, "-H", "Authorization: Token "+tokens.Access, "BASE/auth/users/me/"); !strings.Contains(got, `"username":"alice"`) {
		t.Errorf("me: %s", got)
	}
	if status := s.end(t); status != statusDone {
		t.Errorf("status %d: %s", status, s.stderr.String())
	}
	secret, err := os.ReadFile(filepath.Join(folder, "jotgate.secret"))
	if err != nil || len(strings.TrimSpace(string(secret))) != secretLength {
		t.Errorf("the secret is %d characters: %v", len(secret), err)
	}
	for _, name := range []string{"jotgate.secret", "jotgate.db"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if strings.Contains(s.stdout.String()+s.stderr.String(), strings.TrimSpace(string(secret))) {
		t.Error("the secret was printed")
	}

	// The next start finds both: the token stays valid.
	again := startServer(t, folder, nil)
	if got := again.curl(t, "-H", "Authorization: Bearer "+tokens.Access, "BASE/auth/users/me/"); !strings.Contains(got, `"username":"alice"`) {
		t.Errorf("me after a restart: %s", got)
	}
	again.end(t)
}

// The commands that serve prints work unchanged.
func TestWelcomeIsTrue(t *testing.T) {
	s := startServer(t, t.TempDir(), nil)
	lines := commandsIn(s.stdout.String())
	if len(lines) != 3 {
		t.Fatalf("%d commands in %s", len(lines), s.stdout.String())
	}
	if got := s.curl(t, append([]string{"-i"}, lines[0]...)...); !strings.Contains(got, "201 Created") {
		t.Error(got)
	}
	var tokens struct{ Access string }
	if err := json.Unmarshal([]byte(s.curl(t, lines[1]...)), &tokens); err != nil || tokens.Access == "" {
		t.Error("no token", err)
	}
	lines[2][1] = strings.Replace(lines[2][1], "$TOKEN", tokens.Access, 1)
	if got := s.curl(t, lines[2]...); !strings.Contains(got, `"username":"alice"`) {
		t.Error(got)
	}
}

// The three commands of the demo log in, reach a protected address and are
// refused, again and again.
func TestDemo(t *testing.T) {
	folder := t.TempDir()
	for range 2 {
		s := startServer(t, folder, nil, "--demo")
		wait.Until(t, "the demo is shown", func() bool { return strings.Contains(s.stdout.String(), "Stop with") })
		lines := commandsIn(s.stdout.String())
		if len(lines) != 3 {
			t.Fatalf("%d commands in %s", len(lines), s.stdout.String())
		}
		if strings.Contains(s.stderr.String(), "msg=login") {
			t.Errorf("the demo's own login is logged: %s", s.stderr.String())
		}
		for i, want := range []string{`"access":"ey`, `{"email":"demo@example.com","id":1,"username":"demo"}`, "401 Unauthorized"} {
			if got := s.curl(t, lines[i]...); !strings.Contains(got, want) {
				t.Errorf("%v: %s", lines[i], got)
			}
			if !strings.Contains(s.stdout.String(), want) {
				t.Errorf("%q was not shown: %s", want, s.stdout.String())
			}
		}
		if strings.Contains(s.stderr.String(), "password=") {
			t.Error("the password is in the log")
		}
		if strings.Count(s.stderr.String(), "msg=login") != 1 {
			t.Errorf("the login after the demo is not logged: %s", s.stderr.String())
		}
		s.end(t)
	}
}

// An existing user named demo keeps the password.
func TestDemoLeavesOthersAlone(t *testing.T) {
	folder := t.TempDir()
	database := "sqlite:" + filepath.Join(folder, "jotgate.db")
	env := []string{"JOTGATE_USER_PASSWORD=correct-horse-1"}
	if status, _, stderr := try(t, env, "", "user", "create", "demo", "--database", database); status != 0 {
		t.Fatal(stderr)
	}
	status, _, stderr := try(t, nil, "", "serve", "--demo", "--addr", "127.0.0.1:0", "--database", database)
	if status != statusRefused || !strings.Contains(stderr, "was not created by --demo") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// commandsIn finds the curl lines in a text, split as a shell does.
func commandsIn(text string) (commands [][]string) {
	word := regexp.MustCompile(`"[^"]*"|\S+`)
	for line := range strings.Lines(text) {
		if words := word.FindAllString(line, -1); len(words) > 0 && words[0] == "curl" {
			for i := range words {
				words[i] = strings.Trim(words[i], `"`)
			}
			commands = append(commands, words[1:])
		}
	}
	return commands
}

// An error at the start of serve is one sentence and a status.
func TestServeRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	text := write(t, "text.db", strings.Repeat("this is no database\n", 100))
	good := "SECRET_KEY=" + goodSecret
	for _, row := range []struct {
		name   string
		args   []string
		env    []string
		status int
		stderr string
	}{
		{"port in use", []string{"--addr", taken.Addr().String()}, []string{good}, 1, "in use by another program"},
		{"no such address", []string{"--addr", "192.0.2.1:1"}, []string{good}, 1, "cannot listen"},
		{"no such folder", []string{"--database", "sqlite:" + folder + "/none/a.db"}, []string{good}, 1, "none/a.db"},
		{"not a database", []string{"--database", "sqlite:" + text}, []string{good}, 1, text},
		{"another database", []string{"--database", "mysql://localhost/a"}, []string{good}, 2, "sqlite:FILE or postgres://"},
		{"another database without a secret", []string{"--database", "mysql://localhost/a"}, nil, 2, "sqlite:FILE or postgres://"},
		{"a folder without a secret", []string{"--database", "sqlite:" + folder}, nil, 1, folder},
		{"empty file of the secret", []string{"--secret-key-file", write(t, "empty", "")}, nil, 2, "is empty"},
		{"PostgreSQL not there", []string{"--database", "postgres://u:hidden@127.0.0.1:1/a", "--startup-timeout", "0s"}, []string{good}, 1, "127.0.0.1:1/a"},
		{"PostgreSQL without a secret", []string{"--database", "postgres://u@127.0.0.1:1/a"}, nil, 2, "there is no secret"},
		{"short secret", nil, []string{"SECRET_KEY=short"}, 2, "at least 32 bytes"},
		{"Django's insecure secret", nil, []string{"SECRET_KEY=django-insecure-0123456789abcdef0123456789abcdef"}, 2, "django-insecure-"},
		{"placeholder", nil, []string{"SECRET_KEY=your-secret-key-0123456789abcdef0123456789"}, 2, `"your-secret"`},
		{"hasher", []string{"--hasher", "md5000"}, []string{good}, 2, "--hasher"},
		{"time zone", []string{"--time-zone", "Mars/Olympus"}, []string{good}, 2, "--time-zone"},
		{"rate", []string{"--rate", "login=often"}, []string{good}, 2, "login"},
		{"proxies", []string{"--trusted-proxies", "0.0.0.0/0"}, []string{good}, 2, "--trusted-proxies"},
		{"lifetimes", []string{"--access-token-lifetime", "2h", "--refresh-token-lifetime", "1h"}, []string{good}, 2, "--refresh-token-lifetime"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{"serve", "--addr", "127.0.0.1:0", "--database", "sqlite:" + filepath.Join(t.TempDir(), "a.db")}, row.args...)
			status, stdout, stderr := try(t, row.env, "", args...)
			if status != row.status || !strings.Contains(stderr, row.stderr) || stdout != "" {
				t.Errorf("status %d, %q, %q; want %d, …%s…", status, stdout, stderr, row.status, row.stderr)
			}
			if strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "hidden") {
				t.Errorf("not one sentence: %q", stderr)
			}
		})
	}
	if secrets, _ := filepath.Glob(filepath.Join(filepath.Dir(folder), "*.secret*")); len(secrets) != 0 {
		t.Errorf("a refused start left %v", secrets)
	}
}

// readUntil reads up to and with the end.
func readUntil(t *testing.T, from io.Reader, end string) (text string) {
	t.Helper()
	for b := make([]byte, 1); !strings.HasSuffix(text, end); text += string(b) {
		if _, err := from.Read(b); err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
	}
	return text
}

// A request that has begun is finished after SIGTERM.
func TestDrain(t *testing.T) {
	s := startServer(t, t.TempDir(), []string{"SECRET_KEY=" + goodSecret})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "username=nobody&password=x"
	fmt.Fprintf(conn, "POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	if line := readUntil(t, conn, "\r\n\r\n"); line != "HTTP/1.1 100 Continue\r\n\r\n" { // the handler has begun
		t.Fatalf("%q", line)
	}
	fmt.Fprint(conn, body[:5])
	s.stop()
	wait.Until(t, "the signal is noticed", func() bool { return strings.Contains(s.stderr.String(), "finishing") })
	fmt.Fprint(conn, body[5:])
	answer := make([]byte, 12)
	if _, err := conn.Read(answer); err != nil || string(answer) != "HTTP/1.1 401" {
		t.Errorf("%q %v", answer, err)
	}
	if status := s.end(t); status != statusDone {
		t.Errorf("status %d: %s", status, s.stderr.String())
	}
	if _, err := http.Get(s.base); err == nil {
		t.Error("it answers after its end")
	}
}
