package api

import (
	"net/http"
	"strings"
	"testing"
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
	plain := newSite(t, change{})
	if got := askOf(plain.CORS(plain.gate.Require(notes)), "GET", "/notes", "", "Origin", app); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("without origins everybody is allowed")
	}
}
