package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
)

// reloading is a serve in a process of its own, with a config file.
type reloading struct {
	*exec.Cmd
	config         string
	stdout, stderr capture.Output
	base           string
}

// startReloading starts serve with this config file on a free port. The secret is in the
// environment, unless the file names another one.
func startReloading(t *testing.T, config string) *reloading {
	t.Helper()
	folder := t.TempDir()
	s := &reloading{config: filepath.Join(folder, "jotgate.yaml")}
	s.write(t, config)
	s.Cmd = exec.CommandContext(t.Context(), filepath.Join(programs(t), "jotgate"), "serve", "--config", s.config, "--addr", "127.0.0.1:0")
	s.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // if the test is killed, so is the server
	s.Dir, s.Env, s.Stdout, s.Stderr = folder, append([]string{"SECRET_KEY=" + goodSecret}, program.Limits...), &s.stdout, &s.stderr
	if strings.Contains(config, "secret-key-file:") {
		s.Env = program.Limits
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	listening := regexp.MustCompile(`(?s)listening on (http://\S+),.*/auth/users/me/`)
	wait.Until(t, "serve listens", func() bool {
		if found := listening.FindStringSubmatch(s.stdout.String()); found != nil {
			s.base = found[1]
		}
		return s.base != ""
	})
	return s
}

func (s *reloading) write(t *testing.T, config string) {
	t.Helper()
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reload sends SIGHUP and reports whether the settings were reloaded.
func (s *reloading) reload(t *testing.T) bool {
	t.Helper()
	count := func(line string) int { return strings.Count(s.stderr.String(), line) }
	done, failed := count(reloaded), count(notReloaded)
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the settings are reloaded or not", func() bool { return count(reloaded) > done || count(notReloaded) > failed })
	return count(reloaded) > done
}

// files counts the open files of the process.
func (s *reloading) files(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

const (
	reloaded    = "the settings were reloaded"
	notReloaded = "the settings were not reloaded"
)

// SIGHUP reads the settings again; tokens and connections stay.
func TestReload(t *testing.T) {
	s := startReloading(t, "site-name: First\n")
	client := &http.Client{}
	get := func(path string) string {
		t.Helper()
		status, text := ask(t, client, "GET", s.base+path, "")
		if status != 200 {
			t.Fatal(path, status, text)
		}
		return text
	}
	if !strings.Contains(get("/account/login"), "First") {
		t.Fatal("the first name of the site is not shown")
	}
	access := signedIn(t, client, s.base)

	s.write(t, "site-name: Second\nlog-level: debug\ntrusted-proxies: [127.0.0.1]\nmetrics-addr: 127.0.0.1:0\nclaims: [username, groups]\n"+
		"providers:\n  acme:\n    name: Acme Works\n    auth_url: https://acme.example/a\n    token_url: https://acme.example/t\n    userinfo_url: https://acme.example/u\n    client_id: j\n")
	// A request that is in progress is finished by what began it.
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.base+"/api/token/", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	var response *http.Response
	var pending sync.WaitGroup
	pending.Go(func() { response, err = client.Do(r) })
	if _, err := io.WriteString(send, aliceJSON[:20]); err != nil {
		t.Fatal(err)
	}
	if !s.reload(t) {
		t.Fatal(s.stderr.String())
	}
	if page := get("/account/login"); !strings.Contains(page, "Second") || !strings.Contains(page, "Acme Works") {
		t.Errorf("the page has no new name, or no provider: %s", page)
	}
	_, _ = io.WriteString(send, aliceJSON[20:])
	send.Close()
	pending.Wait()
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	response.Body.Close()

	status, text := ask(t, client, "GET", s.base+"/auth/users/me/", "", "Authorization", "Bearer "+access)
	if status != 200 {
		t.Errorf("the token of before: %d %s", status, text)
	}
	ask(t, client, "POST", s.base+"/api/token/", aliceJSON, "X-Forwarded-For", "203.0.113.9")
	if _, sessions := ask(t, client, "GET", s.base+"/auth/sessions/", "", "Authorization", "Bearer "+access); !strings.Contains(sessions, "203.0.113.9") {
		t.Errorf("the proxy is not trusted: %s", sessions)
	}
	log := s.stderr.String()
	if !strings.Contains(log, "changed=\"[claims log-level providers site-name trusted-proxies]\"") {
		t.Errorf("the log: %s", log)
	}
	if strings.Count(log, "a setting changes with the next restart\" setting=metrics-addr") != 1 {
		t.Errorf("the log: %s", log)
	}
}

// Settings that cannot be used change nothing.
func TestReloadOfWrongSettings(t *testing.T) {
	s := startReloading(t, "site-name: First\n")
	client := &http.Client{}
	for _, wrong := range []string{
		"site-nam: Second\n", "site-name: [\n", "log-level: loud\n", "access-token-lifetime: -1s\n", "trusted-proxies: [nowhere]\n",
		"theme: no-such-folder\n", "locale: no-such-folder\n", "mail-templates: no-such-folder\n", "mail-server: smtp://127.0.0.1:1\n", "signing-key: no-such-file\n", "providers:\n  acme:\n    client_id: j\n",
	} {
		s.write(t, wrong)
		if s.reload(t) {
			t.Errorf("%q: reloaded", wrong)
		}
		if status, page := ask(t, client, "GET", s.base+"/account/login", ""); status != 200 || !strings.Contains(page, "First") {
			t.Fatalf("%q: %d %s", wrong, status, page)
		}
	}
	s.write(t, "site-name: Third\n")
	if !s.reload(t) {
		t.Fatal(s.stderr.String())
	}
	if _, page := ask(t, client, "GET", s.base+"/account/login", ""); !strings.Contains(page, "Third") {
		t.Errorf("%s", page)
	}
}

// Reloading while requests arrive fails none of them, and leaves nothing open.
func TestReloadUnderLoad(t *testing.T) {
	s := startReloading(t, "site-name: First\nlog-level: debug\n")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	access := signedIn(t, client, s.base)
	var stop atomic.Bool
	var done atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				r, _ := http.NewRequest("GET", s.base+"/auth/users/me/", http.NoBody)
				r.Header.Set("Authorization", "Bearer "+access)
				res, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Error(res.Status)
					return
				}
				done.Add(1)
			}
		})
	}
	for range 10 {
		if !s.reload(t) {
			t.Fatal(s.stderr.String())
		}
		served := done.Load()
		wait.Until(t, "a request is served", func() bool { return done.Load() > served || t.Failed() })
	}
	stop.Store(true)
	clients.Wait()
	client.CloseIdleConnections()
	// A connection of SQLite that is closed leaves its descriptors to the next one while another is open. So there are as
	// many as were once open at the same time, and without requests a reload adds none.
	ended := func(n int) {
		t.Helper()
		wait.Until(t, "the former settings are no longer used", func() bool { return strings.Count(s.stderr.String(), formerEnded) == n })
	}
	ended(10)
	before := s.files(t)
	for i := range 10 {
		if !s.reload(t) {
			t.Fatal(s.stderr.String())
		}
		ended(11 + i)
	}
	if after := s.files(t); after >= before+10 {
		t.Errorf("%d open files, and %d after ten reloads", before, after)
	}
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.stderr.String())
	}
}

// signedIn signs alice up and returns an access token of hers.
func signedIn(t *testing.T, client *http.Client, base string) string {
	t.Helper()
	if status, text := ask(t, client, "POST", base+"/auth/users/", aliceJSON); status != 201 {
		t.Fatal(status, text)
	}
	status, text := ask(t, client, "POST", base+"/api/token/", aliceJSON)
	var tokens struct{ Access string }
	if err := json.Unmarshal([]byte(text), &tokens); status != 200 || err != nil {
		t.Fatal(status, text)
	}
	return tokens.Access
}
