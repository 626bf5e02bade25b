package allauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	soft "github.com/descope/virtualwebauthn"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const (
	password = "correct horse battery"
	secret   = "a secret that Django and jotgate share, and no one else"
)

var databases = map[string]func(t *testing.T) string{
	"sqlite":     func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/shared.db" },
	"postgresql": func(t *testing.T) string { return pgtest.Database(t) },
}

// pair is an allauth and a jotgate on one database.
type pair struct {
	*testing.T
	django  *Site
	jotgate *serve.Server
}

func (p *pair) serve(database string) {
	p.jotgate = serve.Start(p.T, serve.Options{
		Database: database, SecretKey: secret,
		Args: []string{
			"--hasher", "pbkdf2_sha256:1000", "--rp-id", "localhost", "--rp-origins", "http://localhost",
			"--access-token-lifetime", "24h", "--step-up-lifetime", "24h",
		},
	})
}

// send sends JSON to jotgate and returns the object in the response; status 0 is any status.
func (p *pair) send(status int, method, path, access string, body any) map[string]any {
	p.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		p.Fatal(err)
	}
	request, err := http.NewRequest(method, p.jotgate.URL+path, bytes.NewReader(encoded))
	if err != nil {
		p.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if access != "" {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.Fatal(err)
	}
	var object map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &object); err != nil {
			p.Fatalf("%s %s: %d, %s", method, path, response.StatusCode, text)
		}
	}
	if status != 0 && response.StatusCode != status {
		p.Errorf("jotgate: %s %s: %d, want %d: %s", method, path, response.StatusCode, status, text)
	}
	return object
}

// browsers numbers the browsers, so that each login begins without cookies.
var browsers atomic.Int32

// djangoSecond logs in at allauth with the password, and returns the browser that needs a second factor.
func (p *pair) djangoSecond(user string) string {
	p.Helper()
	browser := p.newBrowser()
	data, _ := p.django.Request(p, 401, browser, "POST", "auth/login", map[string]string{"username": user, "password": password})
	if !strings.Contains(fmt.Sprint(data["flows"]), "mfa_authenticate") {
		p.Errorf("allauth asks for no second factor: %v", data)
	}
	return browser
}

func (p *pair) newBrowser() string {
	return fmt.Sprint(browsers.Add(1))
}

// djangoCode presents a code as the second factor at allauth, and reports whether it is accepted.
func (p *pair) djangoCode(user, code string, status int) bool {
	p.Helper()
	_, meta := p.django.Request(p, status, p.djangoSecond(user), "POST", "auth/2fa/authenticate", map[string]string{"code": code})
	return meta["is_authenticated"] == true
}

// djangoAdds sets up an app at allauth by its first code.
func (p *pair) djangoAdds(browser, code string) bool {
	p.Helper()
	data, _ := p.django.Request(p, 0, browser, "POST", "account/authenticators/totp", map[string]string{"code": code})
	return data["type"] == "totp"
}

// jotgateApp sets up an app at jotgate, and returns its secret and the code that was used.
func (p *pair) jotgateApp(access string) (secret, used string) {
	p.Helper()
	app := p.send(200, "POST", "/auth/factors/totp/", access, nil)
	secret, _ = app["secret"].(string)
	return secret, Presented(p.T, secret, func(code string) bool {
		_, added := p.send(0, "POST", "/auth/factors/totp/confirm/", access, map[string]any{"token": app["token"], "code": code})["recovery_codes"]
		return added
	})
}

// jotgateCode presents a code as the second factor at jotgate and returns the access token.
func (p *pair) jotgateCode(user, code string, status int) string {
	p.Helper()
	first := p.send(401, "POST", "/api/token/", "", map[string]string{"username": user, "password": password})
	access, _ := p.send(status, "POST", "/api/token/mfa/", "", map[string]any{"pending": first["pending"], "code": code})["access"].(string)
	return access
}

// authenticator is a software authenticator with one passkey of a user.
type authenticator struct {
	rp   soft.RelyingParty
	auth soft.Authenticator
	cred soft.Credential
}

func newAuthenticator(user string) *authenticator {
	a := &authenticator{
		rp:   soft.RelyingParty{ID: "localhost", Name: "localhost", Origin: "http://localhost"},
		auth: soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: passkey.Handle(user)}),
	}
	// Coordinates without leading zeros, which virtualwebauthn would drop.
	for a.cred = soft.NewCredential(soft.KeyTypeEC2); len(a.cred.Key.AttestationData()) != 77; {
		a.cred = soft.NewCredential(soft.KeyTypeEC2)
	}
	return a
}

// credential adds what browsers add to the JSON of a credential.
func credential(t *testing.T, text string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	object["clientExtensionResults"] = map[string]any{"credProps": map[string]any{"rk": true}}
	object["authenticatorAttachment"] = "platform"
	return object
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (a *authenticator) create(t *testing.T, publicKey any) map[string]any {
	t.Helper()
	options, err := soft.ParseAttestationOptions(encode(t, publicKey))
	if err != nil {
		t.Fatal(err)
	}
	return credential(t, soft.CreateAttestationResponse(a.rp, a.auth, a.cred, *options))
}

func (a *authenticator) get(t *testing.T, publicKey any) map[string]any {
	t.Helper()
	options, err := soft.ParseAssertionOptions(encode(t, publicKey))
	if err != nil {
		t.Fatal(err)
	}
	a.cred.Counter++
	return credential(t, soft.CreateAssertionResponse(a.rp, a.auth, a.cred, *options))
}

// djangoPasskey logs in at allauth with the passkey alone.
func (p *pair) djangoPasskey(a *authenticator) {
	p.Helper()
	browser := p.newBrowser()
	data, _ := p.django.Request(p, 200, browser, "GET", "auth/webauthn/login", nil)
	options, _ := data["request_options"].(map[string]any)
	p.django.Request(p, 200, browser, "POST", "auth/webauthn/login", map[string]any{"credential": a.get(p.T, options["publicKey"])})
}

// jotgatePasskey logs in at jotgate with the passkey alone and returns the access token.
func (p *pair) jotgatePasskey(a *authenticator) string {
	p.Helper()
	begun := p.send(200, "POST", "/api/token/passkey/options/", "", map[string]any{})
	access, _ := p.send(200, "POST", "/api/token/passkey/", "", map[string]any{"pending": begun["pending"], "credential": a.get(p.T, begun["publicKey"])})["access"].(string)
	return access
}

func (p *pair) nothingToMigrate() {
	p.Helper()
	for _, app := range []string{"auth", "account", "mfa"} {
		if out := p.django.Manage(p, "migrate", app); !strings.Contains(out, "No migrations to apply") {
			p.Errorf("migrate %s:\n%s", app, out)
		}
	}
	if out := p.django.Manage(p, "makemigrations", "--check", "--dry-run"); !strings.Contains(out, "No changes detected") {
		p.Errorf("makemigrations --check:\n%s", out)
	}
}

// Factors that either side has created work at the other, where Django has made the tables.
func TestFactorsGoBothWays(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := database(t)
			p := &pair{T: t, django: Start(t, address, secret, true)}
			p.django.Manage(t, "migrate", "--verbosity=0")
			p.serve(address)
			p.nothingToMigrate()
			p.ofDjango()
			p.ofJotgate()
			p.nothingToMigrate()
		})
	}
}

func (p *pair) user(name string) (id string) {
	p.Helper()
	p.django.Ask(p, "create_user", map[string]any{"username": name, "password": password}, &id)
	return id
}

// ofDjango creates each factor at allauth.
func (p *pair) ofDjango() {
	id := p.user("alice")
	browser := p.newBrowser()
	p.django.Request(p, 200, browser, "POST", "auth/login", map[string]string{"username": "alice", "password": password})
	_, meta := p.django.Request(p, 404, browser, "GET", "account/authenticators/totp", nil)
	key, _ := meta["secret"].(string)
	Presented(p.T, key, func(code string) bool { return p.djangoAdds(browser, code) })

	// A code works once, whichever side it is used at.
	access := ""
	now := Presented(p.T, key, func(code string) bool {
		access = p.jotgateCode("alice", code, 0)
		return access != ""
	})
	p.jotgateCode("alice", now, 401)
	p.djangoCode("alice", now, 400)
	p.django.Ask(p, "age", map[string]any{"user": id, "seconds": 60}, nil)
	now = Presented(p.T, key, func(code string) bool { return p.djangoCode("alice", code, 0) })
	p.djangoCode("alice", now, 400)
	p.jotgateCode("alice", now, 401)

	// A recovery code, too.
	data, _ := p.django.Request(p, 200, browser, "GET", "account/authenticators/recovery-codes", nil)
	list, _ := data["unused_codes"].([]any)
	if len(list) != 10 {
		p.Fatalf("recovery codes of allauth: %v", data)
	}
	p.jotgateCode("alice", list[0].(string), 200)
	p.djangoCode("alice", list[0].(string), 400)
	p.djangoCode("alice", list[9].(string), 200)
	p.jotgateCode("alice", list[9].(string), 401)

	// A passkey.
	key1 := newAuthenticator(id)
	data, _ = p.django.Request(p, 200, browser, "GET", "account/authenticators/webauthn?passwordless", nil)
	options, _ := data["creation_options"].(map[string]any)
	p.django.Request(p, 200, browser, "POST", "account/authenticators/webauthn", map[string]any{"name": "Laptop", "credential": key1.create(p.T, options["publicKey"])})
	p.djangoPasskey(key1)
	strong := p.jotgatePasskey(key1)
	p.djangoPasskey(key1)

	// What one side removes, the other does not ask for.
	if access == "" || strong == "" {
		p.Fatal("no tokens")
	}
	for {
		factors := p.factors(strong)
		if len(factors) == 0 {
			break
		}
		p.send(204, "DELETE", fmt.Sprintf("/auth/factors/%v/", factors[0]), strong, nil)
		if p.Failed() {
			return
		}
	}
	p.django.Request(p, 200, p.newBrowser(), "POST", "auth/login", map[string]string{"username": "alice", "password": password})
}

// factors returns the ids of the user's factors at jotgate, without recovery codes.
func (p *pair) factors(access string) (ids []any) {
	p.Helper()
	request, err := http.NewRequest("GET", p.jotgate.URL+"/auth/factors/", nil)
	if err != nil {
		p.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+access)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var list []struct {
		ID   int64
		Type string
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		p.Fatal(err)
	}
	for _, f := range list {
		if f.Type != "recovery_codes" {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// ofJotgate creates each factor at jotgate.
func (p *pair) ofJotgate() {
	id := p.user("bob")
	access, _ := p.send(200, "POST", "/api/token/", "", map[string]string{"username": "bob", "password": password})["access"].(string)

	// A passkey.
	key := newAuthenticator(id)
	begun := p.send(200, "POST", "/auth/factors/passkeys/options/", access, map[string]any{})
	p.send(201, "POST", "/auth/factors/passkeys/", access, map[string]any{"pending": begun["pending"], "credential": key.create(p.T, begun["publicKey"]), "name": "Phone"})
	p.djangoPasskey(key)
	access = p.jotgatePasskey(key)
	p.djangoPasskey(key)

	// An app. Its first code is used up, at Django, too.
	secret, now := p.jotgateApp(access)
	p.djangoCode("bob", now, 400)
	p.django.Ask(p, "age", map[string]any{"user": id, "seconds": 60}, nil)
	now = Presented(p.T, secret, func(code string) bool { return p.djangoCode("bob", code, 0) })
	p.jotgateCode("bob", now, 401)

	// Recovery codes.
	codes, _ := p.send(200, "POST", "/auth/factors/recovery-codes/", access, nil)["recovery_codes"].([]any)
	if len(codes) != 10 {
		p.Fatalf("recovery codes of jotgate: %v", codes)
	}
	p.djangoCode("bob", codes[0].(string), 200)
	p.jotgateCode("bob", codes[0].(string), 401)
	p.jotgateCode("bob", codes[1].(string), 200)
	p.djangoCode("bob", codes[1].(string), 400)

	// Django removes the app and the passkey: jotgate asks for the password alone.
	browser := p.djangoSecond("bob")
	p.django.Request(p, 200, browser, "POST", "auth/2fa/authenticate", map[string]string{"code": codes[2].(string)})
	p.django.Request(p, 200, browser, "DELETE", "account/authenticators/totp", nil)
	var list []struct{ Type string }
	p.django.Ask(p, "rows", map[string]any{"user": id}, &list)
	if len(list) == 0 {
		p.Fatal("no passkey is left")
	}
	p.django.Ask(p, "remove", map[string]any{"user": id}, nil)
	p.send(200, "POST", "/api/token/", "", map[string]string{"username": "bob", "password": password})
}

// Where jotgate has made the tables, Django has nothing to migrate, passkeys work at both sides, and the adapter opens the
// sealed secrets of apps.
func TestTablesOfJotgate(t *testing.T) {
	for name, database := range databases {
		if name == "sqlite" && !rounds.Long() {
			continue // PostgreSQL's column types differ more from Django's
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := database(t)
			p := &pair{T: t}
			p.serve(address)
			p.django = Start(t, address, secret, true)
			p.nothingToMigrate()
			p.django.Manage(t, "migrate", "--verbosity=0") // Django's own apps: sessions
			id := p.user("carol")
			access, _ := p.send(200, "POST", "/api/token/", "", map[string]string{"username": "carol", "password": password})["access"].(string)
			secret, now := p.jotgateApp(access)
			var rows []struct {
				Type string
				Data map[string]any
			}
			p.django.Ask(p, "rows", map[string]any{"user": id}, &rows)
			for _, row := range rows {
				if row.Type == "totp" && !strings.HasPrefix(row.Data["secret"].(string), "jg1:") || strings.Contains(fmt.Sprint(row.Data), secret) {
					t.Errorf("the secret is not sealed: %v", row.Data)
				}
			}
			p.djangoCode("carol", now, 400)
			p.django.Ask(p, "age", map[string]any{"user": id, "seconds": 60}, nil)
			Presented(t, secret, func(code string) bool { return p.djangoCode("carol", code, 0) })
			p.nothingToMigrate()
		})
	}
}

// Without the adapter a code that was used at jotgate works once more at Django: what docs/django.md says of it is so.
func TestWithoutTheAdapter(t *testing.T) {
	t.Parallel()
	address := databases["sqlite"](t)
	p := &pair{T: t, django: Start(t, address, secret, false)}
	p.django.Manage(t, "migrate", "--verbosity=0")
	p.serve(address)
	id := p.user("dave")
	browser := p.newBrowser()
	p.django.Request(p, 200, browser, "POST", "auth/login", map[string]string{"username": "dave", "password": password})
	_, meta := p.django.Request(p, 404, browser, "GET", "account/authenticators/totp", nil)
	key, _ := meta["secret"].(string)
	Presented(t, key, func(code string) bool { return p.djangoAdds(browser, code) })
	Presented(t, key, func(code string) bool { // at both sides within its time step
		p.django.Ask(p, "age", map[string]any{"user": id, "seconds": 60}, nil)
		return p.jotgateCode("dave", code, 0) != "" && p.djangoCode("dave", code, 0)
	})
}

// The adapter in docs/django.md is the one that is tested here.
func TestAdapterIsDocumented(t *testing.T) {
	code, err := os.ReadFile("project/jotgate_mfa.py")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/django.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```python\n"+string(code)+"```\n") {
		t.Error("docs/django.md does not contain project/jotgate_mfa.py as it is")
	}
}
