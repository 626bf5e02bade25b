package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// The secret of a key, or of a webhook, is on the standard output of the command that creates it, and
// nowhere else: not in the arguments or the environment of a process, in a file beside
// the database, or in what the server and the other commands print.
func TestSecretIsNowhere(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(programs(t), "jotgate")
	database := "sqlite:" + filepath.Join(folder, "jotgate.db")
	var printed strings.Builder // other than new keys
	command := func(args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append(args, "--database", database)...)
		c.Env = append(os.Environ(), "JOTGATE_USER_PASSWORD=correct-horse-1")
		c.Stderr = &printed
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, printed.String())
		}
		return strings.TrimSpace(string(out))
	}
	command("user", "create", "alice", "--email", "alice@example.com")
	var log screen
	serve := exec.CommandContext(t.Context(), program, "serve", "--database", database, "--addr", "127.0.0.1:0", "--log-level", "debug", "--access-log")
	serve.Stdout, serve.Stderr = &log, &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	}()
	var base string
	wait.Until(t, "serve listens", func() bool {
		found := regexp.MustCompile(`listening on (https?://[^\s,]+)`).FindStringSubmatch(log.String())
		if found != nil {
			base = found[1]
		}
		return found != nil
	})
	first := command("apikey", "create", "alice", "--scope", "account")
	second := command("apikey", "rotate", "alice", first[4:14])
	printed.WriteString(command("apikey", "list", "alice"))
	for _, key := range []string{first, second, second[:63] + "!", second[:20]} {
		for _, path := range []string{"/auth/users/me/", "/auth/check", "/auth/api-keys/token/"} {
			r, err := http.NewRequestWithContext(t.Context(), map[bool]string{true: "POST", false: "GET"}[strings.HasSuffix(path, "token/")], base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Api-Key", key)
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if want := map[bool]int{true: 200, false: 401}[key == first || key == second]; response.StatusCode != want {
				t.Fatalf("%s: %s, want %d", path, response.Status, want)
			}
		}
	}
	printed.WriteString(command("apikey", "revoke", "alice", second[4:14]))
	hook := command("webhook", "add", "https://app.example.com/hooks")
	list := command("webhook", "list")
	id := regexp.MustCompile(`wh_\w+`).FindString(list)
	renewed := command("webhook", "rotate", id)
	printed.WriteString(list + command("webhook", "deliveries", id) + command("event", "list"))
	places := map[string][]byte{"the log": []byte(log.String()), "the output of commands": []byte(printed.String())}
	read := func(pattern string) {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil { // a process may have ended, or be another user's
				places[name] = text
			}
		}
	}
	read("/proc/*/cmdline")
	read("/proc/*/environ")
	if err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			read(name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for place, text := range places {
		for _, secret := range []string{first[15:50], second[15:50], hook[6:49], renewed[6:49]} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s has a secret", place)
			}
		}
		for _, known := range []string{first[4:14], second[4:14], id, database} {
			name := strings.TrimSuffix(filepath.Base(place), "-wal")
			found[name] = found[name] || bytes.Contains(text, []byte(known))
		}
	}
	for _, place := range []string{"jotgate.db", "cmdline", "the output of commands"} {
		if !found[place] {
			t.Errorf("the search finds nothing in %s", place)
		}
	}
}
