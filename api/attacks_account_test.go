package api

// Rows H090 to H112: accounts, injection, what leaks.

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

const extraMembers = `,"is_staff":true,"is_superuser":true,"is_active":false,"id":77,"groups":[1],"user_permissions":[1],"date_joined":"2001-01-01",` +
	`"last_login":"2001-01-01","password_hash":"x","email_verified":true,"first_name":"x"}`

func TestH090MassAssignment(t *testing.T) {
	s := newSite(t, change{})
	want(t, "signup", s.ask("POST", "/auth/users/", `{"username":"mass","email":"mass@example.com","password":"a fine passphrase 42"`+extraMembers), 201, `{"email":"mass@example.com","username":"mass","id":5}`)
	a := s.account("mass")
	if a.IsStaff || a.IsSuperuser || !a.IsActive || a.ID != "5" || !a.LastLogin.IsZero() || a.DateJoined.Year() < 2020 || a.FirstName != "" {
		t.Errorf("%+v", a)
	}
	alice, before := s.login("alice"), *s.account("alice")
	want(t, "profile", s.ask("PATCH", me, `{"email":"alice@example.com"`+extraMembers, alice.header()...), 200, `"id":1`)
	if after := *s.account("alice"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("%+v", after)
	}
}

func TestH091IdentityComesFromTheToken(t *testing.T) {
	s := newSite(t, change{})
	alice, hash := s.login("alice"), s.account("carol").Password
	want(t, "set_password", s.ask("POST", "/auth/users/set_password/", object("user_id", "3", "id", "3", "username", "carol", "current_password", goodPassword, "new_password", "a brand new pass 77"), alice.header()...), 204, "")
	if s.account("carol").Password != hash || s.try("alice", "a brand new pass 77").Status != 200 {
		t.Error("another's password was changed")
	}
}

// Names are told apart by case, as in Django; see docs/http-api.md.
func TestH092LookAlikeNames(t *testing.T) {
	s := newSite(t, change{})
	for _, name := range []string{"ａｌｉｃｅ", "alice\u200d", "\u202ealice", "ali\u00adce", "alice\ufeff", "al\u2060ice", "ali ce", "alice\u0301"} {
		if a := s.ask("POST", "/auth/users/", object("username", name, "password", "a fine passphrase 42")); a.Status != 400 {
			t.Errorf("%q: %d %s", name, a.Status, a.Body)
		}
	}
	for _, name := range []string{"alice", " alice ", "alice\u00a0"} {
		want(t, name, s.ask("POST", "/auth/users/", object("username", name, "password", "a fine passphrase 42")), 400, "already exists")
	}
}

func TestH094SignUpRace(t *testing.T) {
	s := newSite(t, change{})
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			a := s.ask("POST", "/auth/users/", object("username", "racer", "password", "a fine passphrase 42"))
			mu.Lock()
			defer mu.Unlock()
			statuses[a.Status]++
		})
	}
	all.Wait()
	if statuses[201] != 1 || statuses[400]+statuses[503] != 49 {
		t.Errorf("%v", statuses)
	}
}

func TestH096NULInPasswords(t *testing.T) {
	s := newSite(t, change{})
	want(t, "login", s.try("alice", goodPassword+"\x00x"), 400, "Null characters are not allowed.")
	want(t, "signup", s.ask("POST", "/auth/users/", object("username", "nul", "password", "a fine passphrase\x0042")), 400, "Null characters are not allowed.")
}

// Outer blanks are taken off, as Django REST framework does; all else counts.
func TestH097PasswordsAreExact(t *testing.T) {
	s := newSite(t, change{})
	want(t, "signup", s.ask("POST", "/auth/users/", object("username", "exact", "password", " pässwörd Ünï 42 ")), 201, "")
	for password, status := range map[string]int{"pässwörd Ünï 42": 200, " pässwörd Ünï 42": 200, "pa\u0308sswo\u0308rd U\u0308ni\u0308 42": 401, "PÄSSWÖRD ÜNÏ 42": 401, "pässwörd  Ünï 42": 401} {
		if a := s.try("exact", password); a.Status != status {
			t.Errorf("%q: %d", password, a.Status)
		}
	}
}

func TestH098WeakPasswords(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, weak := range []string{"password", "12345678", "alice@example.com", "alice1234", "short1", "qwertyuiop", "918273645546"} {
		uid, token := s.link(record.MessagePasswordReset, "alice")
		for _, a := range []answer{
			s.ask("POST", "/auth/users/", object("username", "alicex", "email", "alice@example.com", "password", weak)),
			s.ask("POST", "/auth/users/set_password/", object("current_password", goodPassword, "new_password", weak), alice.header()...),
			s.reset(uid, token, weak),
		} {
			want(t, weak, a, 400, "assword")
		}
	}
}

func TestH100HashUpgradeRace(t *testing.T) {
	s := newSite(t, change{})
	old, _ := passwd.New("pbkdf2_sha256:1000")
	encoded, _ := old.Make(goodPassword)
	if err := s.db.Accounts().Change(t.Context(), "1", record.Change{Password: &encoded}); err != nil {
		t.Fatal(err)
	}
	session := make([]tokens, 20)
	var all sync.WaitGroup
	for i := range session {
		all.Go(func() {
			a := s.try("alice", goodPassword, "from", fmt.Sprintf("203.0.113.%d:1", i))
			session[i] = tokens{access: a.member("access")}
		})
	}
	all.Wait()
	if stored := s.account("alice").Password; !strings.HasPrefix(stored, "pbkdf2_sha256$1500$") {
		t.Errorf("stored: %.25s", stored)
	}
	for i := range session {
		want(t, fmt.Sprint("session ", i), s.me(session[i]), 200, "alice")
	}
}

func TestH102ForeignRows(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, path := range []string{"/auth/users/2/", "/auth/users/3/", "/auth/sessions/00000000000000000000000000000000/"} {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			a := s.ask(method, path, object("email", "x@example.com", "current_password", goodPassword), alice.header()...)
			if a.Status != 403 && a.Status != 404 && a.Status != 405 {
				t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
		}
	}
	if s.account("carol").Email != "carol@example.com" {
		t.Error("another's row was changed")
	}
}

// Every route of the list, every method: nobody gets anywhere without a token
// but where the list says so.
func TestH103EveryRouteIsGuarded(t *testing.T) {
	s := newSite(t, change{})
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", "3", "{file}", "docs.js").Replace(r.path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			_, access := r.action(method)
			a := s.ask(method, path, "")
			if access == member && r.raw == nil && a.Status != 401 {
				t.Errorf("%s %s: %d", method, path, a.Status)
			}
			if a.Status >= 500 {
				t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
		}
	}
}

func TestH104Parameters(t *testing.T) {
	s := newSite(t, change{})
	carol := s.login("carol")
	all := s.ask("GET", "/auth/users/", "", carol.header()...)
	for _, query := range []string{"order_by=password", "password__startswith=pbkdf2", "page=-1", "id=1%20or%201=1", "limit=1000000"} {
		same(t, query, s.ask("GET", "/auth/users/?"+query, "", carol.header()...), all)
	}
	for _, after := range []string{"1%27%20or%20%271", "-1", "abc", "99999999999999999999", "%00", "2"} {
		if a := s.ask("GET", "/auth/users/?after="+after, "", carol.header()...); a.Status >= 500 || strings.Contains(a.Body, "pbkdf2") {
			t.Errorf("%s: %d %s", after, a.Status, a.Body)
		}
	}
}

func TestH105SQLInjection(t *testing.T) {
	s := newSite(t, change{})
	carol := s.login("carol")
	for _, text := range []string{"' OR 1=1--", `" OR ""="`, "x'; DROP TABLE auth_user; --", "' UNION SELECT password FROM auth_user--", "alice'/*", "%' OR '1'='1", `\'; --`, "$1", "?1"} {
		for _, a := range []answer{
			s.try(text, text), s.try("alice", text, "from", "198.51.100.9:1"), s.refresh(text), s.reset(text, text, text),
			s.ask("POST", "/auth/users/", object("username", text, "email", text, "password", text)),
			s.ask("POST", "/auth/users/reset_password/", object("email", "a@b.de"), "User-Agent", text),
			s.ask("GET", "/auth/users/"+strings.NewReplacer(" ", "%20", "%", "%25", "?", "%3f", "#", "%23", `\`, "%5c", `"`, "%22").Replace(text), "", carol.header()...),
			s.ask("DELETE", "/auth/sessions/"+strings.NewReplacer(" ", "%20", "%", "%25", "?", "%3f", "#", "%23", `\`, "%5c", `"`, "%22", "/", "%2f").Replace(text), "", carol.header()...),
			s.ask("GET", me, "", "Authorization", "Bearer "+text),
		} {
			if a.Status < 400 && a.Status != 204 || a.Status >= 500 {
				t.Errorf("%s: %d %s", text, a.Status, a.Body)
			}
		}
	}
	if n := strings.Count(s.ask("GET", "/auth/users/", "", carol.header()...).Body, `"id"`); n != 4 {
		t.Errorf("%d users", n)
	}
}

// H106, H107: what a token's header names is never opened or fetched.
func TestH106TokenHeadersFetchNothing(t *testing.T) {
	s := newSite(t, change{})
	fetched := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fetched <- r.URL.Path }))
	defer server.Close()
	if _, err := http.Get(server.URL + "/self"); err != nil || <-fetched != "/self" {
		t.Fatal("a fetch would not be seen", err)
	}
	for _, header := range []string{
		`"kid":"../../etc/passwd"`, `"kid":"..\\..\\x"`, `"kid":"a\u0000b"`, `"kid":"` + server.URL + `/kid"`, `"jku":"` + server.URL + `/jku"`,
		`"x5u":"` + server.URL + `/x5u"`, `"jwk":{"kty":"oct","k":"AAAA"}`,
	} {
		head := b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT",` + header + `}`))
		token := head + "." + b64.EncodeToString([]byte(`{"token_type":"access","exp":9999999999,"jti":"x","user_id":"1"}`)) + "." + b64.EncodeToString(make([]byte, 32))
		want(t, header, s.me(tokens{access: token}), 401, "Token is invalid")
	}
	server.Close() // waits for requests that have begun
	if len(fetched) > 0 {
		t.Errorf("%s was fetched", <-fetched)
	}
	for _, file := range []string{"..%2f..%2fgo.mod", "%2e%2e", "..%5cgo.mod", "docs.js%00", "openapi.yaml"} {
		if a := s.ask("GET", "/api/docs/"+file, ""); a.Status != 404 && a.Status != 400 && a.Status/100 != 3 {
			t.Errorf("%s: %d", file, a.Status)
		}
	}
}

func TestH108LogInjection(t *testing.T) {
	s := newSite(t, change{})
	evil := "x\r\nlevel=ERROR msg=forged\x1b[31m\"}"
	s.try(evil, evil, "User-Agent", evil)
	s.ask("GET", "/auth/users/%0d%0alevel=ERROR/", "", "User-Agent", evil, "Authorization", "Bearer "+evil)
	s.ask("POST", "/auth/users/", object("username", "logger", "password", "a fine passphrase 42"), "User-Agent", evil)
	for line := range strings.Lines(s.logs.String()) {
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, "\x1b") {
			t.Errorf("a line that is none of ours: %q", line)
		}
	}
}

func TestH109NoSecretsInLogs(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	s.try("alice", "a wrong secret 99")
	s.refresh(alice.refresh)
	uid, token := s.link(record.MessagePasswordReset, "alice")
	s.ask("POST", "/auth/users/reset_password/", object("email", "alice@example.com"))
	want(t, "reset", s.reset(uid, token, "a reset secret 99"), 204, "")
	s.me(tokens{access: alice.access + "x"})
	logs := s.logs.String()
	for _, secret := range []string{goodPassword, "wrong secret", "reset secret", alice.access, alice.refresh, token, siteSecret, "pbkdf2_sha256$"} {
		if strings.Contains(logs, secret) {
			t.Errorf("%.20s… stands in the log", secret)
		}
	}
	for _, event := range []string{"login", "login_failed", "password"} {
		if !strings.Contains(logs, "msg="+event+" ") {
			t.Errorf("the event %s is missing", event)
		}
	}
}

// A fault of the database, and one in the program, tell nothing.
func TestH112ErrorsDiscloseNothing(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.CustomClaims = func(_ context.Context, a *record.Account) (jwt.Object, error) {
			if a.Username == "carol" {
				panic("secret fault in line 42")
			}
			return nil, fmt.Errorf("secret table is missing")
		}
	}})
	for _, name := range []string{"alice", "carol"} {
		a := s.try(name, goodPassword)
		want(t, name, a, 503, "temporarily unavailable")
		if strings.Contains(a.Body, "secret") || a.Header.Get(web.RequestID) == "" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%v %s", a.Header, a.Body)
		}
		if !strings.Contains(s.logs.String(), a.Header.Get(web.RequestID)) {
			t.Error("the request id is not in the log")
		}
	}
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []answer{s.try("alice", goodPassword), s.refresh("x"), s.ask("GET", "/readyz", ""), s.ask("POST", "/auth/users/reset_password/", object("email", "a@b.de"))} {
		if a.Status != 503 && a.Status != 401 || strings.Contains(a.Body, "sql") || strings.Contains(a.Body, "closed") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	want(t, "livez", s.ask("GET", "/livez", ""), 200, "ok")
}

func TestH113NothingElseIsServed(t *testing.T) {
	s := newSite(t, change{})
	for _, path := range []string{"/debug/pprof/", "/metrics", "/debug/vars", "/.env", "/.git/config", "/swagger", "/", "/admin/", "/api/", "/api/docs/../../go.mod"} {
		if a := s.ask("GET", path, ""); a.Status != 404 {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	closed := newSite(t, change{api: func(a *Settings) { a.NoSchema = true }})
	for _, path := range []string{"/api/schema/", "/api/docs/", "/api/docs/docs.js"} {
		want(t, path, closed.ask("GET", path, ""), 404, "Not found.")
	}
}

func TestH116JWKSIsPublic(t *testing.T) {
	s := newSite(t, change{})
	want(t, "a secret key only", s.ask("GET", "/.well-known/jwks.json", ""), 200, `{"keys":[]}`)
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		if _, err := s.gate.Keys().Add(t.Context(), alg); err != nil {
			t.Fatal(err)
		}
	}
	a := s.ask("GET", "/.well-known/jwks.json", "")
	want(t, "three keys", a, 200, `"kty":"EC"`)
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`, `"k"`, "oct"} {
		if strings.Contains(a.Body, private) {
			t.Errorf("%s is shown", private)
		}
	}
	if a.Header.Get("Cache-Control") != "public, max-age=300" || a.Header.Get("ETag") == "" {
		t.Errorf("%v", a.Header)
	}
	if again := s.ask("GET", "/.well-known/jwks.json", "", "If-None-Match", a.Header.Get("ETag")); again.Status != 304 || again.Body != "" {
		t.Errorf("%d", again.Status)
	}
}
