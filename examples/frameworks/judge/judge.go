// Package judge holds the tests that the examples share: with every framework, the same
// requests get the same responses.
package judge

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jotgatetest"
)

// Routes creates the handler of an example.
type Routes func(gate *jotgate.Gate, accounts http.Handler) http.Handler

// Run sends each request with and without a token.
func Run(t *testing.T, routes Routes) {
	gate := jotgatetest.New(t)
	accounts, err := api.New(gate.Gate, api.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	handler := routes(gate.Gate, accounts)
	alice, boss := gate.User("alice"), gate.User("boss", jotgatetest.Staff)
	for _, c := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/", "", 200, "welcome\n"},
		{"/hello", gate.Token(alice), 200, "hello, alice\n"},
		{"/hello", "", 401, `{"detail":"Authentication credentials were not provided."}`},
		{"/hello", gate.ExpiredToken(alice), 401, "Token is expired"},
		{"/hello", gate.Token(alice) + "x", 401, "token_not_valid"},
		{"/reports/2026", gate.Token(boss), 200, "reports of 2026\n"},
		{"/reports/2026", gate.Token(alice), 403, "You do not have permission"},
		{"/reports/2026", "", 401, "not provided"},
		{"/auth/users/me/", gate.Token(alice), 200, `"username":"alice"`},
		{"/nowhere", "", 404, "Not found."},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s: %d %s, want %d %s", c.path, w.Code, w.Body, c.status, c.body)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
			t.Errorf("%s: %d with WWW-Authenticate %q", c.path, w.Code, challenge)
		}
	}
	login(t, handler)
}

// login goes through the framework to jotgate's endpoint.
func login(t *testing.T, handler http.Handler) {
	form := strings.NewReader("username=alice&password=" + strings.ReplaceAll(jotgatetest.Password, " ", "+"))
	r := httptest.NewRequest("POST", "/api/token/", form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"refresh":`) {
		t.Errorf("login: %d %s", w.Code, w.Body)
	}
}
