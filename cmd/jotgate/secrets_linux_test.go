package main

import (
	"bytes"
	"database/sql"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// The secret of a key, a webhook or a client is on the standard output of the command that
// creates it, and a token in the response that issues it, and nowhere else: not in the
// arguments or the environment of a process, in the database or a file beside it, or in
// what the server and the other commands print.
func TestSecretIsNowhere(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		testSecrets(t, folder, "sqlite:"+filepath.Join(folder, "jotgate.db"), func() string { return "" })
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Database(t)
		testSecrets(t, t.TempDir(), dsn, func() string {
			raw, err := sql.Open("pgx", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			return pgtest.Content(t, raw)
		})
	})
}

// testSecrets searches in the files of the folder, and in the content of the database.
func testSecrets(t *testing.T, folder, database string, content func() string) {
	program := filepath.Join(programs(t), "jotgate")
	var printed strings.Builder // other than new keys
	command := func(args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append(args, "--database", database)...)
		c.Env = append(os.Environ(), "JOTGATE_USER_PASSWORD=private-staple-7", "SECRET_KEY="+goodSecret)
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
	serve.Env = append(os.Environ(), "SECRET_KEY="+goodSecret)
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
	client := strings.Fields(command("client", "create", "billing", "--scope", "account"))
	clientID, clientSecret := strings.TrimPrefix(client[0], "client_id="), strings.TrimPrefix(client[1], "client_secret=")
	replaced := strings.TrimPrefix(strings.Fields(command("client", "rotate", "billing"))[1], "client_secret=")
	post := func(path string, status int, form url.Values) (text string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", base+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != status {
			t.Fatalf("%s: %s %s %v", path, response.Status, body, err)
		}
		return string(body)
	}
	issued := post("/api/token/", 200, url.Values{"username": {"alice"}, "password": {"private-staple-7"}})
	post("/api/token/", 401, url.Values{"username": {"alice"}, "password": {"wrong-staple-8"}})
	for _, secret := range []string{clientSecret, replaced} {
		issued += post("/o/token/", 200, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}})
	}
	tokens := regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`).FindAllString(issued, -1)
	if len(tokens) != 4 {
		t.Fatalf("%d tokens were issued", len(tokens))
	}
	printed.WriteString(command("client", "list") + command("session", "list", "alice") + command("event", "list"))
	secrets := append([]string{first[15:50], second[15:50], hook[6:49], renewed[6:49], clientSecret, replaced, "private-staple-7", "wrong-staple-8"}, tokens...)
	places := map[string][]byte{"the log": []byte(log.String()), "the output of commands": []byte(printed.String()), "jotgate.db": []byte(content())}
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
		for _, secret := range secrets {
			if secret == "private-staple-7" && filepath.Base(place) == "environ" {
				continue // of the command that creates the user
			}
			if bytes.Contains(text, []byte(secret)) {
				i := bytes.Index(text, []byte(secret))
				t.Errorf("%s has the secret %s: %.300q", place, secret, text[max(0, i-150):])
			}
		}
		for _, known := range []string{first[4:14], second[4:14], id, clientID, database} {
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
