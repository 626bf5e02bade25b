package main

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// The secret of a key, a webhook or a client is on the standard output of the command that
// creates it, and a token in the response that issues it, and nowhere else: not in the
// arguments or the environment of a process, in the database or a file beside it, or in
// what the server and the other commands print.
func TestSecretIsNowhere(t *testing.T) { onBothDatabases(t, testSecrets) }

// onBothDatabases runs the test on SQLite, in the folder, and on PostgreSQL, whose content
// is a function.
func onBothDatabases(t *testing.T, test func(t *testing.T, folder, database string, content func() string)) {
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		test(t, folder, "sqlite:"+filepath.Join(folder, "jotgate.db"), func() string { return "" })
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Database(t)
		test(t, t.TempDir(), dsn, func() string {
			raw, err := sql.Open("pgx", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			return pgtest.Content(t, raw)
		})
	})
}

// testSecrets searches for the secrets of programs.
func testSecrets(t *testing.T, folder, database string, content func() string) {
	s := newSearched(t, folder, database, content)
	s.serve("--base-url", "https://auth.example.com", "--allowed-hosts", "127.0.0.1")
	first := s.command("apikey", "create", "alice", "--scope", "account")
	second := s.command("apikey", "rotate", "alice", first[4:14])
	s.printed.WriteString(s.command("apikey", "list", "alice"))
	for _, key := range []string{first, second, second[:63] + "!", second[:20]} {
		for _, path := range []string{"/auth/users/me/", "/auth/check", "/auth/api-keys/token/"} {
			method := map[bool]string{true: "POST", false: "GET"}[strings.HasSuffix(path, "token/")]
			s.send(method, path, map[bool]int{true: 200, false: 401}[key == first || key == second], "", "X-Api-Key", key)
		}
	}
	s.printed.WriteString(s.command("apikey", "revoke", "alice", second[4:14]))
	hook := s.command("webhook", "add", "https://app.example.com/hooks")
	list := s.command("webhook", "list")
	id := regexp.MustCompile(`wh_\w+`).FindString(list)
	renewed := s.command("webhook", "rotate", id)
	s.printed.WriteString(list + s.command("webhook", "deliveries", id) + s.command("event", "list"))
	client := strings.Fields(s.command("client", "create", "billing", "--scope", "account"))
	clientID, clientSecret := strings.TrimPrefix(client[0], "client_id="), strings.TrimPrefix(client[1], "client_secret=")
	replaced := strings.TrimPrefix(strings.Fields(s.command("client", "rotate", "billing"))[1], "client_secret=")
	issued := s.post("/api/token/", 200, url.Values{"username": {"alice"}, "password": {"private-staple-7"}})
	s.post("/api/token/", 401, url.Values{"username": {"alice"}, "password": {"wrong-staple-8"}})
	for _, secret := range []string{clientSecret, replaced} {
		issued += s.post("/o/token/", 200, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}})
	}
	tokens := regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`).FindAllString(issued, -1)
	if len(tokens) != 4 {
		t.Fatalf("%d tokens were issued", len(tokens))
	}
	s.hide(append(tokens, first[15:50], second[15:50], hook[6:49], renewed[6:49], clientSecret, replaced, "private-staple-7", "wrong-staple-8")...)
	s.hide(s.assertions(folder)...)
	s.printed.WriteString(s.command("client", "list") + s.command("session", "list", "alice") + s.command("event", "list"))
	s.search(nil, first[4:14], second[4:14], id, clientID, "/o/token", database)
	if !strings.Contains(s.printed.String(), clientID) {
		t.Error("the commands do not print the client")
	}
}

// assertions sends an assertion of a client that is accepted, and one that is rejected,
// and returns both with the token.
func (s *searched) assertions(folder string) []string {
	s.t.Helper()
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"keys": []any{public}})
	file := filepath.Join(folder, "public.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	id := strings.TrimPrefix(strings.Fields(s.command("client", "create", "reports", "--scope", "account", "--keys", file))[0], "client_id=")
	assertion, err := jwt.Sign(key, map[string]any{"iss": id, "sub": id, "aud": "https://auth.example.com", "exp": time.Now().Unix() + 60, "jti": "a-jti-of-the-test"})
	if err != nil {
		s.t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}
	token := regexp.MustCompile(`eyJ[\w.-]+`).FindString(s.post("/o/token/", 200, form))
	s.post("/o/token/", 401, form) // it was used
	changed := tamper.At(assertion, -5)
	form.Set("client_assertion", changed)
	s.post("/o/token/", 401, form)
	return []string{assertion, changed, token, strings.Split(assertion, ".")[2]}
}

// searched is a running serve, and everything in which a secret must not be.
type searched struct {
	t        *testing.T
	program  string
	folder   string
	database string
	content  func() string // of the database, if it is not in the folder
	base     string
	log      capture.Output
	printed  strings.Builder // what commands print, other than new keys
	secrets  []string
}

// newSearched creates the database, with the user alice.
func newSearched(t *testing.T, folder, database string, content func() string) *searched {
	t.Helper()
	s := &searched{t: t, program: filepath.Join(programs(t), "jotgate"), folder: folder, database: database, content: content}
	s.command("user", "create", "alice", "--email", "alice@example.com", "--hasher", "pbkdf2_sha256:1000")
	return s
}

// serve starts serve with these flags.
func (s *searched) serve(flags ...string) {
	s.t.Helper()
	serve := exec.CommandContext(s.t.Context(), s.program, append([]string{"serve", "--database", s.database, "--addr", "127.0.0.1:0", "--log-level", "debug", "--access-log"}, flags...)...)
	serve.Env = program.Environment("SECRET_KEY="+goodSecret, cheapHasher)
	serve.Stdout, serve.Stderr = &s.log, &s.log
	if err := serve.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	})
	wait.Until(s.t, "serve listens", func() bool {
		found := regexp.MustCompile(`listening on (https?://[^\s,]+)`).FindStringSubmatch(s.log.String())
		if found != nil {
			s.base = found[1]
		}
		return found != nil
	})
}

// command runs a command on the database and returns what it prints.
func (s *searched) command(args ...string) string {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), s.program, append(args, "--database", s.database)...)
	c.Env = program.Environment("JOTGATE_USER_PASSWORD=private-staple-7", "SECRET_KEY="+goodSecret)
	c.Stderr = &s.printed
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, s.printed.String())
	}
	return strings.TrimSpace(string(out))
}

// send sends a request, whose response must have this status, and returns the response
// and its body.
func (s *searched) send(method, path string, status int, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		s.t.Fatalf("%s: %s %s %v, want %d", path, response.Status, text, err, status)
	}
	return response, string(text)
}

// post sends a form.
func (s *searched) post(path string, status int, form url.Values, headers ...string) string {
	s.t.Helper()
	_, text := s.send("POST", path, status, form.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
	return text
}

// hide adds secrets to those that are searched for.
func (s *searched) hide(secrets ...string) {
	s.t.Helper()
	for _, secret := range secrets {
		if len(secret) < 8 {
			s.t.Errorf("%q is too short to search for", secret)
		}
		s.secrets = append(s.secrets, secret)
	}
}

// search looks for the secrets everywhere, as they are and as hexadecimal digits, in which
// the content of a database has binary columns. The texts that are known to be in the log,
// the database and the arguments of processes show that it looks there.
func (s *searched) search(inDatabase []string, known ...string) {
	s.t.Helper()
	places := map[string][]byte{"the log": []byte(s.log.String()), "the output of commands": []byte(s.printed.String()), "jotgate.db": []byte(s.content())}
	read := func(pattern string) {
		names, err := filepath.Glob(pattern)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil { // a process may have ended, or be another user's
				places[name] = text
			}
		}
	}
	read("/proc/*/cmdline")
	read("/proc/*/environ")
	if err := filepath.WalkDir(s.folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			read(name)
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	found := map[string]bool{}
	for place, text := range places {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(place), "-wal"), "-shm")
		for _, secret := range s.secrets {
			if secret == "private-staple-7" && name == "environ" {
				continue // of the command that creates the user
			}
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret))} {
				if i := bytes.Index(text, []byte(form)); i >= 0 && !(name == "jotgate.db" && slices.Contains(inDatabase, secret)) {
					s.t.Errorf("%s has the secret %s: %.300q", place, secret, text[max(0, i-150):])
				}
			}
		}
		for _, mark := range known {
			found[name] = found[name] || bytes.Contains(text, []byte(mark))
		}
		for _, secret := range inDatabase {
			found[secret] = found[secret] || bytes.Contains(text, []byte(secret))
		}
	}
	for _, place := range append([]string{"jotgate.db", "cmdline", "the log"}, inDatabase...) {
		if !found[place] {
			s.t.Errorf("the search finds nothing in %s", place)
		}
	}
	s.t.Logf("%d secrets in %d places", len(s.secrets), len(places))
}
