package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
)

// A page of a listed origin can call a program's own handler behind the gate, and
// reads its refusals; no other origin can.
func TestCORSForOwnHandlers(t *testing.T) {
	const app = "https://app.example.com"
	s := newSite(t, change{api: func(a *Settings) { a.CORSOrigins = []string{app} }})
	notes := s.gate.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("notes")) }))
	mux := http.NewServeMux()
	mux.Handle("/notes", s.CORS(notes))
	mux.Handle("/", s.CORS(s.API)) // around the endpoints, too
	bearer := s.login("alice").header()
	for _, row := range []struct {
		name, method, path, origin string
		headers                    []string
		status                     int
		allowed                    bool
	}{
		{"preflight", "OPTIONS", "/notes", app, []string{"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"}, 204, true},
		{"preflight with Django's headers", "OPTIONS", "/notes", app, []string{"Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "accept,authorization,content-type,user-agent,x-csrftoken,x-requested-with"}, 204, true},
		{"preflight with another header", "OPTIONS", "/notes", app, []string{"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-auth-user"}, 204, false},
		{"preflight of a stranger", "OPTIONS", "/notes", "https://evil.example", []string{"Access-Control-Request-Method", "GET"}, 204, false},
		{"with a token", "GET", "/notes", app, bearer, 200, true},
		{"without a token", "GET", "/notes", app, nil, 401, true},
		{"a forged token", "GET", "/notes", app, []string{"Authorization", "Bearer x.y.z"}, 401, true},
		{"a stranger's page", "GET", "/notes", "https://evil.example", bearer, 200, false},
		{"an endpoint", "GET", "/auth/users/me/", app, bearer, 200, true},
		{"OPTIONS that is no preflight", "OPTIONS", "/notes", app, nil, 401, true},
	} {
		got := askOf(mux, row.method, row.path, "", append([]string{"Origin", row.origin}, row.headers...)...)
		origins := got.Header.Values("Access-Control-Allow-Origin")
		if got.Status != row.status || (len(origins) == 1 && origins[0] == row.origin) != row.allowed || len(origins) > 1 {
			t.Errorf("%s: %d, allowed for %v; want %d, %v", row.name, got.Status, origins, row.status, row.allowed)
		}
		if exposed := strings.ToLower(got.Header.Get("Access-Control-Expose-Headers")); row.allowed && row.status != 204 && !strings.Contains(exposed, "retry-after") {
			t.Errorf("%s: exposed are %q", row.name, exposed)
		}
	}
	methods := http.NewServeMux() // whose patterns do not match a preflight
	methods.Handle("GET /notes", notes)
	methods.Handle("/", s.API)
	for path, status := range map[string]int{"/notes": 204, "/auth/users/me/": 204, "/none": 204} {
		got := askOf(s.CORS(methods), "OPTIONS", path, "", "Origin", app, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
		if origins := got.Header.Values("Access-Control-Allow-Origin"); got.Status != status || len(origins) != 1 || origins[0] != app {
			t.Errorf("around a mux with methods: %s: %d, allowed for %v", path, got.Status, origins)
		}
	}
	plain := newSite(t, change{})
	if got := askOf(plain.CORS(plain.gate.Require(notes)), "GET", "/notes", "", "Origin", app); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("without origins everybody is allowed")
	}
}

// Every endpoint can be called, and each of its refusals read, by pages of a listed
// origin, and of no other.
func TestPagesCanCallEveryEndpoint(t *testing.T) {
	const app = "https://app.example.com"
	s := newSite(t, change{
		gate: func(g *jotgate.Settings) { g.HeaderName, g.ServeRevocations = "X-Access-Token", true },
		api: func(a *Settings) {
			a.CORSOrigins, a.CORSHeaders, a.CORSExposeHeaders = []string{app}, []string{"X-Tenant"}, []string{"Link"}
			a.Rates = map[string]string{"revocations": "1/hour"}
		},
	})
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", "1", "{file}", "docs.js").Replace(r.path)
		for _, sent := range []string{"x-access-token", "X-Tenant, X-Access-Token", "accept-encoding,dnt,origin,x-csrftoken", ""} {
			headers := []string{"Origin", app, "Access-Control-Request-Method", "HEAD"}
			if sent != "" {
				headers = append(headers, "Access-Control-Request-Headers", sent)
			}
			got := s.ask("OPTIONS", path, "", headers...)
			if got.Status != 204 || got.Header.Get("Access-Control-Allow-Origin") != app || len(got.Header.Get("Access-Control-Allow-Headers")) != len(strings.ReplaceAll(sent, " ", "")) {
				t.Errorf("preflight of %s with %q: %d %v", path, sent, got.Status, got.Header)
			}
		}
		for range 2 { // the second is throttled at some
			for _, method := range []string{"GET", "POST", "PUT"} {
				got := s.ask(method, path, "{", "Origin", app, "X-Access-Token", "Bearer x.y.z")
				vary := strings.Join(got.Header.Values("Vary"), ",")
				if origins := got.Header.Values("Access-Control-Allow-Origin"); len(origins) != 1 || origins[0] != app || !strings.Contains(vary, "Origin") {
					t.Errorf("%s %s: %d, allowed for %v, Vary %s", method, path, got.Status, origins, vary)
				}
				if exposed := strings.Join(got.Header.Values("Access-Control-Expose-Headers"), ", "); !strings.Contains(strings.ToLower(exposed), "retry-after") || !strings.Contains(exposed, "Link") {
					t.Errorf("%s %s exposes %s", method, path, exposed)
				}
				for _, other := range []string{"https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"} {
					got := s.ask(method, path, "{", "Origin", other)
					if allowed := got.Header.Get("Access-Control-Allow-Origin"); allowed != "" && path != "/.well-known/jwks.json" || allowed != "" && allowed != "*" {
						t.Errorf("%s %s for %s: %q", method, path, other, allowed)
					}
				}
			}
		}
	}
}

// What no browser sends as an origin, or what would allow every page, is refused
// with the form to write.
func TestOriginsThatAreRefused(t *testing.T) {
	gate := jotgatetest.New(t)
	for origin, says := range map[string]string{
		"*": "every page", "null": "sandboxed", "https://*": "wildcard", "https://*.example.com": "wildcard", "app.example.com": "not an origin",
		"https://app.example.com/": "write https://app.example.com", "https://App.Example.com": "write https://app.example.com",
		"https://app.example.com:443": "write https://app.example.com", "http://app.example.com:80": "write http://app.example.com",
		"https://a@app.example.com": "write https://app.example.com", "https://bücher.example": "write https://xn--bcher-kva.example",
		"https://app.example.com?x": "write https://app.example.com", "": "not an origin", "//app.example.com": "not an origin",
	} {
		if _, err := New(gate.Gate, Settings{CORSOrigins: []string{origin}}); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "CORSOrigins") {
			t.Errorf("%q: %v, want %q", origin, err, says)
		}
	}
	for _, origin := range []string{"https://app.example.com", "http://localhost:5173", "http://[::1]:3000", "https://app.example.com:8443", "capacitor://localhost", "https://xn--bcher-kva.example"} {
		if _, err := New(gate.Gate, Settings{CORSOrigins: []string{origin}}); err != nil {
			t.Errorf("%q: %v", origin, err)
		}
	}
	for _, s := range []Settings{{CORSHeaders: []string{"*"}}, {CORSHeaders: []string{"a b"}}, {CORSExposeHeaders: []string{""}}} {
		if _, err := New(gate.Gate, s); err == nil {
			t.Errorf("%v is accepted", s)
		}
	}
}

// Public keys are readable everywhere; a listed origin may also send credentials.
func TestKeysForPages(t *testing.T) {
	const app = "https://app.example.com"
	s := newSite(t, change{api: func(a *Settings) { a.CORSOrigins, a.CORSCredentials = []string{app}, true }})
	listed := s.ask("GET", "/.well-known/jwks.json", "", "Origin", app).Header
	if listed.Get("Access-Control-Allow-Origin") != app || listed.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("a listed origin: %v", listed)
	}
	other := s.ask("GET", "/.well-known/jwks.json", "", "Origin", "https://other.example").Header
	if other.Get("Access-Control-Allow-Origin") != "*" || other.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("another origin: %v", other)
	}
}
