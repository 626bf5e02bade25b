package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jotgatetest"
)

// Without a session a refresh by cookie is 401, which front ends take for "not
// logged in", not 400.
func TestRefreshWithoutACookie(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	for _, path := range []string{"/api/token/refresh/", "/auth/jwt/refresh/", "/api/token/blacklist/"} {
		for _, body := range []string{"", "{}"} {
			got := s.ask("POST", path, body)
			if got.Status != http.StatusUnauthorized || got.member("code") != "token_not_valid" {
				t.Errorf("%s %q: %d %s", path, body, got.Status, got.Body)
			}
		}
	}
	without := newSite(t, change{})
	if got := without.ask("POST", "/api/token/refresh/", "{}"); got.Status != http.StatusBadRequest {
		t.Errorf("without the setting: %d %s", got.Status, got.Body)
	}
}

// A login at either endpoint is good for the refresh at both.
func TestCookieIsForBothPaths(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	for _, login := range []string{"/api/token/", "/auth/jwt/create/"} {
		got := s.ask("POST", login, object("username", "alice", "password", goodPassword))
		paths := map[string]string{}
		for _, line := range got.Header.Values("Set-Cookie") {
			cookie, err := http.ParseSetCookie(line)
			if err != nil {
				t.Fatal(err)
			}
			paths[cookie.Path] = cookie.Value
		}
		if len(paths) != 2 || paths["/api/token"] == "" || paths["/api/token"] != paths["/auth/jwt"] {
			t.Errorf("%s: %v", login, paths)
		}
	}
}

// Settings with which a browser would drop the cookie are refused.
func TestCookieSites(t *testing.T) {
	gate := jotgatetest.New(t)
	for _, row := range []struct{ base, origins, says string }{
		{"", "https://app.example.com", ""},
		{"https://api.example.com", "https://app.example.com", ""},
		{"https://api.example.co.uk", "https://app.example.co.uk https://example.co.uk", ""},
		{"", "http://localhost:5173", ""},
		{"http://127.0.0.1:8000", "http://127.0.0.1:5173", ""},
		{"http://127.0.0.1:8000", "http://localhost:5173", "not on the same site"},
		{"https://auth.example.com", "https://app.other.test", "not on the same site"},
		{"https://a.example.co.uk", "https://b.other.co.uk", "not on the same site"},
		{"https://a.github.io", "https://b.github.io", "not on the same site"},
		{"", "https://app.example.com https://app.other.test", "not on the same site"},
		{"https://api.example.com", "http://app.example.com", "over plain http"},
		{"http://api.example.com", "", "BaseURL"},
	} {
		s := Settings{RefreshCookie: true, BaseURL: row.base, CORSOrigins: strings.Fields(row.origins)}
		_, err := New(gate.Gate, s)
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%q %q: %v, want %q", row.base, row.origins, err, row.says)
		}
		s.RefreshCookie = false
		if _, err := New(gate.Gate, s); err != nil {
			t.Errorf("%q %q without the cookie: %v", row.base, row.origins, err)
		}
	}
}

// A page on another site is refused when it logs in, instead of losing its session
// at the next reload.
func TestCookieAcrossSites(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie, a.CORSOrigins = true, []string{"https://app.example.com"} }})
	for site, want := range map[string]int{"cross-site": 403, "same-site": 200, "same-origin": 200, "none": 200} {
		got := s.try("alice", goodPassword, "Origin", "https://app.example.com", "Sec-Fetch-Site", site)
		if got.Status != want || want == 403 && got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", site, got.Status, got.Body)
		}
	}
}

// With SameSite=None pages of listed origins on other sites can use the cookie, and
// nobody else; the cookie is as browsers want it.
func TestCookieForOtherSites(t *testing.T) {
	const app = "https://app.other.test"
	s := newSite(t, change{api: func(a *Settings) {
		a.RefreshCookie, a.RefreshCookieSameSite, a.BaseURL, a.CORSOrigins = true, "None", "https://auth.example.com", []string{app}
	}})
	login := s.try("alice", goodPassword, "Origin", app, "Sec-Fetch-Site", "cross-site")
	cookie, err := http.ParseSetCookie(login.Header.Get("Set-Cookie"))
	if login.Status != 200 || err != nil {
		t.Fatal(login.Status, login.Body, err)
	}
	if cookie.SameSite != http.SameSiteNoneMode || !cookie.Secure || !cookie.HttpOnly || !cookie.Partitioned {
		t.Errorf("%s", login.Header.Get("Set-Cookie"))
	}
	pair := cookie.Name + "=" + cookie.Value
	for name, row := range map[string]struct {
		origin string
		want   int
	}{
		"another page": {"https://evil.example", 403}, "a sandboxed page": {"null", 403},
		"another scheme": {"http://app.other.test", 403}, "the page": {app, 200},
	} {
		got := s.ask("POST", "/api/token/refresh/", "{}", "Origin", row.origin, "Sec-Fetch-Site", "cross-site", "Cookie", pair)
		if got.Status != row.want || row.want == 200 && got.Header.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s: %d %s %v", name, got.Status, got.Body, got.Header)
		}
		if row.want == 403 && got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s gets a cookie", name)
		}
	}
	out := s.ask("POST", "/api/token/blacklist/", "{}", "Origin", app, "Sec-Fetch-Site", "cross-site", "Cookie", pair)
	for _, line := range out.Header.Values("Set-Cookie") { // a browser deletes it only with the same attributes
		if gone, err := http.ParseSetCookie(line); err != nil || gone.MaxAge >= 0 || !gone.Partitioned || gone.SameSite != http.SameSiteNoneMode {
			t.Errorf("%s", line)
		}
	}
}

// Combinations that a browser would silently ignore do not start.
func TestCookieCombinations(t *testing.T) {
	gate := jotgatetest.New(t)
	for says, s := range map[string]Settings{
		"is not strict, lax or none":           {RefreshCookie: true, RefreshCookieSameSite: "no"},
		"has no effect without RefreshCookie":  {RefreshCookieSameSite: "none", CORSOrigins: []string{"https://app.other.test"}},
		"list their origins in CORSOrigins":    {RefreshCookie: true, RefreshCookieSameSite: "none"},
		"over plain http":                      {RefreshCookie: true, RefreshCookieSameSite: "none", CORSOrigins: []string{"https://app.other.test"}, BaseURL: "http://auth.example.com"},
		"unless RefreshCookieSameSite is none": {RefreshCookie: true, RefreshCookieSameSite: "lax", CORSOrigins: []string{"https://app.other.test"}, BaseURL: "https://auth.example.com"},
	} {
		if _, err := New(gate.Gate, s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// Behind a gateway that changes the Host header, the API's own pages are not taken
// for another site's.
func TestCookieBehindAGatewayThatChangesTheHost(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie, a.BaseURL = true, "https://example.com/accounts" }})
	for origin, want := range map[string]int{"https://example.com": 200, "https://evil.example": 403} {
		if got := s.try("alice", goodPassword, "Origin", origin, "Host", "jotgate:8000"); got.Status != want {
			t.Errorf("%s: %d %s", origin, got.Status, got.Body)
		}
	}
}
