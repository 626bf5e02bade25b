package main

// The program as somebody would have it: in a module of its own, outside of
// this repository, with nothing but what is exported.

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
)

func TestOutsideTheRepository(t *testing.T) {
	base := start(t)
	client := &http.Client{Timeout: wait.Limit}
	post := func(path string) string {
		form := url.Values{"username": {"alice"}, "password": {"correct-horse-1"}}
		return answer(t, func() (*http.Response, error) { return client.PostForm(base+path, form) })
	}
	post("/auth/users/")
	var tokens struct{ Access string }
	if text := post("/api/token/"); json.Unmarshal([]byte(text), &tokens) != nil || tokens.Access == "" {
		t.Fatalf("login: %s", text)
	}
	for name, row := range map[string]struct{ header, want string }{
		"a good token":      {"Bearer " + tokens.Access, "hello alice\n"},
		"no token":          {"", `{"detail":"Authentication credentials were not provided."}`},
		"a token cut short": {"Bearer " + tokens.Access[:len(tokens.Access)-1], `"code":"token_not_valid"`},
	} {
		r, _ := http.NewRequest(http.MethodGet, base+"/api/hello", nil)
		if row.header != "" {
			r.Header.Set("Authorization", row.header)
		}
		if got := answer(t, func() (*http.Response, error) { return client.Do(r) }); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// answer sends a request and reads the body of the response. It repeats a request that took longer
// than the limits of the program.
func answer(t *testing.T, send func() (*http.Response, error)) (text string) {
	t.Helper()
	wait.Until(t, "the program answers in its limits", func() bool {
		response, err := send()
		if err != nil {
			t.Log(err)
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		text = string(body)
		return err == nil && response.StatusCode != http.StatusServiceUnavailable
	})
	return text
}

// start builds the program in a module of its own and runs it on a free port.
func start(t *testing.T) string {
	t.Helper()
	folder := module(t)
	address := freeport.Address(t)
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(program), `"127.0.0.1:8000"`) {
		t.Fatal("the program does not listen where it said")
	}
	put(t, folder, "main.go", strings.Replace(string(program), "127.0.0.1:8000", address, 1))
	build := exec.Command("go", "build", "-mod=mod", "-o", "quickstart", ".")
	build.Dir, build.Env = folder, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	run := exec.Command(filepath.Join(folder, "quickstart"))
	run.Dir, run.Env = folder, []string{"SECRET_KEY=0123456789abcdef0123456789abcdef"}
	run.Stdout, run.Stderr = t.Output(), t.Output()
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	wait.Until(t, "the program listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return "http://" + address
}

// module makes a folder with a go.mod that takes jotgate from this checkout.
func module(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	root, err := filepath.Abs(filepath.FromSlash("../.."))
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(own), "\n") // all but the line with its name
	put(t, folder, "go.mod", "module example.com/quickstart\n"+rest+
		"\nrequire github.com/jotgate/jotgate v0.0.0\nreplace github.com/jotgate/jotgate => "+strconv.Quote(root)+"\n")
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, folder, "go.sum", string(sums))
	return folder
}

func put(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
