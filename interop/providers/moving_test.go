package providers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/allauth"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/interop/serve"
	"github.com/jotgate/jotgate/jotgatetest"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// move is a site of allauth that moves to jotgate by the commands of docs/moving.md.
type move struct {
	*pair
	folder, address string
	env             []string
	section         string // of the page
	codes           []any  // carol's recovery codes
	key             string // of carol's app
}

// The commands of docs/moving.md move the users of a real allauth: passwords, verified addresses, connected accounts,
// authenticator apps and recovery codes work at jotgate, and requests of dj-rest-auth's clients get what the page says.
// The long form does so on both databases.
func TestMovingFromAllauth(t *testing.T) {
	for name, database := range map[string]func(folder string) string{
		"sqlite":     func(folder string) string { return "sqlite:" + filepath.Join(folder, "site.db") },
		"postgresql": func(string) string { return pgtest.Database(t) },
	} {
		if name == "sqlite" && !rounds.Long() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := newMove(t, database)
			m.populate()
			m.follow()
			m.exported()
			m.logins()
			m.table()
		})
	}
}

func newMove(t *testing.T, database func(string) string) *move {
	t.Helper()
	const secret = "a secret that Django and jotgate share, and no one else"
	page, err := os.ReadFile("../../docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## From allauth and dj-rest-auth\n")
	section, _, _ = strings.Cut(section, "\n## ")
	m := &move{pair: &pair{site: &site{T: t}}, folder: t.TempDir(), address: freeport.Address(t), section: section}
	m.url = "http://" + strings.Replace(m.address, "127.0.0.1", "localhost", 1)
	m.issuer, m.issuerURL = linking.Issuer(t, m.url)
	address := database(m.folder)
	m.django = allauth.StartWith(t, address, secret, m.issuerURL, allauth.Client{ID: "jotgate", Secret: linking.Secret})
	m.django.Manage(t, "migrate", "--verbosity=0")
	m.env = []string{
		"DATABASE_URL=" + address, "SECRET_KEY=" + secret, "JOTGATE_ADDR=" + m.address, "JOTGATE_SEND_ACTIVATION_EMAIL=true", "JOTGATE_USER_FIELDS=first_name,last_name",
		"JOTGATE_ACCESS_TOKEN_LIFETIME=24h", "JOTGATE_STEP_UP_LIFETIME=24h", "JOTGATE_TOTP_GRACE=30s",
		"PATH=" + filepath.Dir(serve.Command(t, m.folder, nil).Path) + ":" + os.Getenv("PATH"),
	}
	return m
}

// populate has users at allauth: vera by a provider, alice and bob with passwords, carol with an authenticator app.
func (m *move) populate() {
	m.Helper()
	m.isThere("vera", m.there("", "verified"))
	for name, verified := range map[string]bool{"alice": true, "bob": false, "carol": true} {
		m.django.Ask(m, "create_user", map[string]any{"username": name, "password": jotgatetest.Password}, nil)
		m.django.Ask(m, "address", map[string]any{"username": name, "verified": verified}, nil)
	}
	m.connectThere("alice", "none")
	m.django.Request(m, 200, "carol", "POST", "auth/login", map[string]string{"username": "carol", "password": jotgatetest.Password})
	_, meta := m.django.Request(m, 404, "carol", "GET", "account/authenticators/totp", nil)
	m.key, _ = meta["secret"].(string)
	allauth.Presented(m, m.key, func(code string) bool {
		data, _ := m.django.Request(m, 0, "carol", "POST", "account/authenticators/totp", map[string]string{"code": code})
		return data["type"] == "totp"
	})
	data, _ := m.django.Request(m, 200, "carol", "GET", "account/authenticators/recovery-codes", nil)
	m.codes, _ = data["unused_codes"].([]any)
	if len(m.codes) != 10 {
		m.Fatalf("recovery codes of allauth: %v", data)
	}
}

// blocks returns the page's blocks of a language, in order.
func (m *move) blocks(language string) (list []string) {
	for _, found := range regexp.MustCompile("(?s)\n   ```"+language+"\n(.*?)\n   ```").FindAllStringSubmatch(m.section, -1) {
		list = append(list, strings.ReplaceAll(found[1], "\n   ", "\n")[3:])
	}
	return list
}

// sh runs lines of the page in the folder. jotgate doctor waits for a provider for five seconds, and is started again.
func (m *move) sh(lines string) string {
	m.Helper()
	var out []byte
	var err error
	wait.Until(m, "the provider is reached", func() bool {
		cmd := exec.Command("sh", "-euc", lines)
		cmd.Dir, cmd.Env = m.folder, append(serve.Command(m, m.folder, nil).Env, m.env...)
		out, err = cmd.CombinedOutput()
		return !strings.Contains(string(out), "nobody can sign in with it") // the advice of doctor
	})
	if err != nil {
		m.Fatalf("%s\n%s%v", lines, out, err)
	}
	return string(out)
}

func (m *move) write(name, text string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, name), []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
}

// follow carries out the steps of the page, and starts jotgate.
func (m *move) follow() {
	m.Helper()
	_, code, _ := strings.Cut(m.sh("jotgate doctor --help"), `python manage.py shell -c "`)
	code, _, found := strings.Cut(code, `" > settings.json`)
	var dump string
	m.django.Ask(m, "shell", map[string]any{"code": code}, &dump)
	m.write("settings.json", dump)
	commands, providers := m.blocks("sh"), m.blocks("yaml")
	if !found || len(commands) != 2 || len(providers) != 1 || len(m.blocks("sql")) != 1 {
		m.Fatalf("docs/moving.md has other steps: %q, %q", commands, providers)
	}
	said := m.sh(commands[0])
	for _, want := range []string{"note  SOCIALACCOUNT_PROVIDERS: openid_connect\n", "second factors: 1 of 4 users: 1 with an authenticator app", "run jotgate migrate"} {
		if !strings.Contains(said, want) {
			m.Errorf("doctor --django does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "only on Django's side") {
		m.Errorf("allauth's second factors are shared:\n%s", said)
	}
	m.django.Ask(m, "sql", map[string]any{"text": m.blocks("sql")[0]}, nil)
	config, err := os.ReadFile(filepath.Join(m.folder, "jotgate.yaml"))
	if err != nil {
		m.Fatal(err)
	}
	filled := strings.NewReplacer("https://id.acme.example", m.issuerURL, "acme-client", "jotgate", "acme:", "certified:").Replace(providers[0])
	m.write("jotgate.yaml", string(config)+filled+"\n")
	m.write("acme-secret", linking.Secret)
	check, start, _ := strings.Cut(commands[1], "\n")
	if said := m.sh(check); !strings.Contains(said, "enter "+m.url+"/account/provider/certified/callback there as the redirect URI") {
		m.Errorf("doctor names no redirect URI:\n%s", said)
	}
	m.start(strings.Fields(start)[1:])
}

func (m *move) start(args []string) {
	m.Helper()
	server := peer.Serve(m, serve.Command(m, m.folder, m.env, args...))
	wait.Until(m, "jotgate is ready", func() bool {
		if server.Ended() {
			m.Fatalf("jotgate has ended:\n%s", server.Output())
		}
		response, err := http.Get(m.url + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// exported compares what jotgate knows of the users.
func (m *move) exported() {
	m.Helper()
	type user struct {
		Verified  bool                `json:"email_verified"`
		Providers map[string][]string `json:"providers"`
	}
	got := map[string]user{}
	for line := range strings.Lines(m.sh("jotgate user export")) {
		var u struct {
			Username string `json:"username"`
			user
		}
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			m.Fatalf("%v: %s", err, line)
		}
		got[u.Username] = u.user
	}
	want := map[string]user{
		"vera": {true, map[string][]string{"certified": {"verified"}}}, "alice": {true, map[string][]string{"certified": {"none"}}}, "bob": {}, "carol": {Verified: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("(-want +got)\n%s", diff)
	}
}

// ask sends JSON to jotgate and returns the status and the object in the response.
func (m *move) ask(method, path, access string, body map[string]any) (int, map[string]any) {
	m.Helper()
	encoded, _ := json.Marshal(body)
	request, err := http.NewRequestWithContext(m.Context(), method, m.url+path, bytes.NewReader(encoded))
	if err != nil {
		m.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if access != "" {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	var object map[string]any
	_ = json.Unmarshal(text, &object)
	return response.StatusCode, object
}

// logins has each user log in at jotgate in each of their ways.
func (m *move) logins() {
	m.Helper()
	for there, name := range map[string]string{"verified": "vera", "none": "alice"} {
		m.jar, _ = cookiejar.New(nil)
		path, body := m.provide(there)
		if m.is("/account/", path, body); !strings.Contains(body, `value="`+name+`"`) {
			m.Errorf("%s is not signed in:\n%s", name, body)
		}
	}
	for _, name := range []string{"alice", "bob"} {
		if status, got := m.ask("POST", "/api/token/", "", map[string]any{"username": name, "password": jotgatetest.Password}); status != 200 {
			m.Errorf("%s: %d %v", name, status, got)
		}
	}
	var carol string
	m.django.Ask(m, "id", map[string]any{"username": "carol"}, &carol)
	m.django.Ask(m, "age", map[string]any{"user": carol, "seconds": 60}, nil) // the code of a moment ago
	allauth.Presented(m, m.key, m.second)
	for _, want := range []bool{true, false} { // a recovery code works once
		if m.second(m.codes[0].(string)) != want {
			m.Errorf("a recovery code is not accepted, or twice")
		}
	}
	var token string
	m.django.Ask(m, "reset_token", map[string]any{"username": "bob"}, &token)
	for _, uid := range []string{"3", "Mw"} { // allauth's form of the id, and Django's
		if status, got := m.ask("POST", "/auth/users/reset_password_confirm/", "", map[string]any{"uid": uid, "token": token, "new_password": "another horse battery"}); status != 400 {
			m.Errorf("a link of allauth: %d %v", status, got)
		}
	}
}

// second logs carol in, and reports whether a code is accepted.
func (m *move) second(code string) bool {
	m.Helper()
	status, first := m.ask("POST", "/api/token/", "", map[string]any{"username": "carol", "password": jotgatetest.Password})
	if status != 401 || first["code"] != "mfa_required" {
		m.Fatalf("%d %v", status, first)
	}
	status, _ = m.ask("POST", "/api/token/mfa/", "", map[string]any{"pending": first["pending"], "code": code})
	return status == 200
}

// answers is what jotgate answers to the requests of the page's table, with a link and a code that are not valid.
var answers = map[string]int{
	"POST /api/token/": 200, "POST /api/token/mfa/": 401, "POST /api/token/refresh/": 200, "POST /api/token/verify/": 200, "GET /auth/users/me/": 200,
	"PATCH /auth/users/me/": 200, "POST /auth/users/set_password/": 204, "POST /auth/users/reset_password/": 204, "POST /auth/users/reset_password_confirm/": 400,
	"POST /auth/users/": 201, "POST /auth/users/activation/": 400, "POST /auth/users/resend_activation/": 204, "POST /api/token/blacklist/": 200,
}

// table sends the requests of the page's table: those to dj-rest-auth are answered with 404, those to jotgate as the page
// says.
func (m *move) table() {
	m.Helper()
	request := regexp.MustCompile("`(GET|POST|PATCH) ([^ `]+)`(?: `\\{([^}]*)\\}`)?")
	rows, seen := 0, map[string]bool{}
	for line := range strings.Lines(m.section) {
		left, right, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		from, to := request.FindStringSubmatch(left), request.FindStringSubmatch(right)
		if !strings.HasPrefix(line, "| `") || from == nil {
			continue
		}
		rows++
		if status, got := m.ask(from[1], "/dj-rest-auth/"+from[2], "", fields(from[3], nil)); status != 404 {
			m.Errorf("%s: %d %v", from[0], status, got)
		}
		if to == nil || strings.Contains(to[2], "/provider/") {
			continue // apps and applications have tests of their own
		}
		_, tokens := m.ask("POST", "/api/token/", "", map[string]any{"username": "alice", "password": jotgatetest.Password})
		values := map[string]any{
			"username": "alice", "email": "alice@example.com", "password": jotgatetest.Password, "current_password": jotgatetest.Password,
			"new_password": jotgatetest.Password, "refresh": tokens["refresh"], "token": tokens["access"], "first_name": "Alice",
		}
		access, _ := tokens["access"].(string)
		if to[2] == "/auth/users/" {
			values["username"], access = "new", ""
		}
		name := to[1] + " " + to[2]
		seen[name] = true
		status, got := m.ask(to[1], to[2], access, fields(to[3], values))
		if status != answers[name] || strings.Contains(fmt.Sprint(got), "is required") || to[1] == "PATCH" && got["first_name"] != "Alice" {
			m.Errorf("%s: %d, want %d: %v", to[0], status, answers[name], got)
		}
	}
	if rows != 17 || len(seen) != len(answers) {
		m.Errorf("%d rows, %d endpoints", rows, len(seen))
	}
}

// fields returns an object with the named fields.
func fields(names string, values map[string]any) map[string]any {
	body := map[string]any{}
	for name := range strings.SplitSeq(names, ", ") {
		if body[name] = values[name]; body[name] == nil {
			body[name] = "x"
		}
	}
	return body
}
