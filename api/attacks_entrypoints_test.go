package api

// Rows H040, H065 and H130 of testdata/attacks.json: redirects, sessions that
// somebody else began, and every way to log in for a user who is locked out.

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// The API redirects nobody. A mux that it is mounted on does, to a cleaner path of
// the same server.
func TestH040NoOpenRedirect(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	mux, redirected := http.NewServeMux(), 0
	s.Mount(mux)
	look := func(method, path string) {
		if a := s.ask(method, path, "", alice.header()...); a.Status/100 == 3 || a.Header.Get("Location") != "" {
			t.Errorf("%s %s: %d, Location %q", method, path, a.Status, a.Header.Get("Location"))
		}
		a := askOf(mux, method, path, "", alice.header()...)
		to := a.Header.Get("Location")
		if a.Status/100 != 3 && to == "" {
			return
		}
		redirected++
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
			t.Errorf("%s %s: %d, Location %q", method, path, a.Status, to)
		}
	}
	targets := []string{"//evil.invalid", "/%5c%5cevil.invalid", "https:evil.invalid", "https://evil.invalid/", "javascript:alert(1)", "//user@evil.invalid", "/%0d%0aLocation:%20https://evil.invalid"}
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", "1", "{file}", "docs.js").Replace(r.path)
		for _, to := range targets {
			for _, name := range []string{"next", "redirect_to", "redirect_uri", "return", "url"} {
				look("GET", path+"?"+name+"="+to)
			}
		}
	}
	for _, to := range []string{
		"//evil.invalid", "//evil.invalid/%2e%2e", "/..//evil.invalid", "/%5cevil.invalid/..", "///evil.invalid//", "/auth//evil.invalid", "//evil.invalid/../auth/users/me", "/.//evil.invalid",
		"/%0d%0aLocation:%20https:%2f%2fevil.invalid//x", "//user@evil.invalid/a/..",
	} {
		for _, method := range []string{"GET", "POST"} {
			look(method, to)
		}
	}
	if redirected == 0 {
		t.Error("the mux redirected nothing, so nothing was tried")
	}
}

// Whatever cookie or session a client comes with, a login begins a new one.
func TestH065SessionFixation(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	cookieOf := func(a answer) string {
		value, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
		return value
	}
	planted := s.try("carol", goodPassword) // the attacker's own, put into the victim's browser
	before := cookieOf(planted)
	for name, headers := range map[string][]string{
		"a live session of the attacker's": {"Cookie", before},
		"a made-up session":                {"Cookie", refreshCookie + "=x; sessionid=x; csrftoken=x"},
		"an access token of the attacker":  {"Authorization", "Bearer " + planted.member("access")},
	} {
		a := s.try("alice", goodPassword, headers...)
		want(t, name, a, 200, `"username":"alice"`)
		after := cookieOf(a)
		if !strings.HasPrefix(after, refreshCookie+"=ey") || after == before {
			t.Errorf("%s: the cookie is %.60s", name, after)
		}
		next := s.ask("POST", "/api/token/refresh/", "{}", "Cookie", after)
		want(t, name, s.ask("GET", me, "", "Authorization", "Bearer "+next.member("access")), 200, `"username":"alice"`)
		if list := s.ask("GET", "/auth/sessions/", "", "Authorization", "Bearer "+planted.member("access")); strings.Count(list.Body, `"id":`) != 1 {
			t.Errorf("%s: the attacker's sessions: %s", name, list.Body)
		}
	}
}

// Each way lets carol in, and nobody whose account is not active.
func TestH130EveryEntryPoint(t *testing.T) {
	s := newSite(t, change{})
	entryPoints := map[string]func(name string, tk tokens) answer{
		"/api/token/": func(name string, _ tokens) answer { return s.try(name, goodPassword) },
		"/auth/jwt/create/": func(name string, _ tokens) answer {
			return s.ask("POST", "/auth/jwt/create/", object("username", name, "password", goodPassword))
		},
		"/api-token-auth/": func(name string, _ tokens) answer {
			return s.ask("POST", "/api-token-auth/", object("username", name, "password", goodPassword))
		},
		"refresh":      func(_ string, tk tokens) answer { return s.refresh(tk.refresh) },
		"access token": func(_ string, tk tokens) answer { return s.me(tk) },
	}
	for entryPoint, try := range entryPoints {
		live := s.login("carol")
		if a := try("carol", live); a.Status/100 != 2 {
			t.Fatalf("%s does not let carol in: %d %s", entryPoint, a.Status, a.Body)
		}
		locked := s.login("alice")
		s.disable("alice")
		if a := try("alice", locked); a.Status != 401 && a.Status != 400 || strings.Contains(a.Body, "access") && !strings.Contains(a.Body, "AccessToken") {
			t.Errorf("%s lets a locked user in: %d %s", entryPoint, a.Status, a.Body)
		}
		yes := true
		if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, record.Change{IsActive: &yes}); err != nil {
			t.Fatal(err)
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+goodPassword))
	want(t, "Basic", s.ask(http.MethodGet, me, "", "Authorization", basic), 401, "")
}
