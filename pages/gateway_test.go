package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/proxy"
)

// A browser without a session is sent to the login and back; signed in, it
// reaches an application that knows nothing of tokens, which never sees the
// cookies of the pages. Other clients get 401.
func TestLoginBeforeAnApplication(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	var seen http.Header
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		_, _ = io.WriteString(w, "<h1>Hello "+r.Header.Get("X-Auth-User")+"</h1>")
	}))
	defer application.Close()
	behind, err := proxy.New(s.gate.Guard, proxy.Settings{Upstream: application.URL, Protect: []string{"/"}, Browsers: s.pages})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.pages.Mount(mux)
	mux.Handle("/", behind)
	s.server.Config.Handler = mux

	request := func(method, path string, headers ...string) shown {
		r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return s.send(r)
	}
	browser := []string{"Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Cookie", "theme=dark"}
	s.is(request("GET", "/tool?a=b&c=d", browser...), 200, "/account/login?next=%2Ftool%3Fa%3Db%26c%3Dd", "Sign in")
	for name, headers := range map[string][]string{
		"a program": {"Accept", "application/json"}, "a script": {"Accept", "text/html", "Sec-Fetch-Mode", "cors"}, "nothing": nil,
	} {
		if got := request("GET", "/tool", headers...); got.status != 401 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := request("POST", "/tool", browser...); got.status != 401 {
		t.Errorf("a POST without a session: %d", got.status)
	}
	const login = "/account/login?next=%2Ftool%3Fa%3Db%26c%3Dd"
	s.is(s.post(login, "username", "alice", "password", "correct horse battery staple"), 200, "/tool?a=b&c=d", "Hello alice")
	request("GET", "/tool", browser...)
	if seen.Get("X-Auth-Id") != "1" || seen.Get("X-Auth-Role") != "user" || seen.Get("X-Auth-Email") != "alice@example.com" {
		t.Errorf("identity: %v", seen)
	}
	if cookie := strings.Join(seen["Cookie"], "; "); cookie != "theme=dark" {
		t.Errorf("cookies: %q", cookie)
	}
	for name, headers := range map[string][]string{
		"a form of another origin":      {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"a script of another subdomain": {"Origin", "https://other.example", "Sec-Fetch-Site", "same-site"},
	} {
		if got := request("POST", "/tool", headers...); got.status != 403 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := request("GET", "/tool", "Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://evil.example"); got.status != 403 {
		t.Errorf("a WebSocket of another origin: %d", got.status)
	}
	if n := s.events()["forbidden denied /"]; n != 3 {
		t.Errorf("%d of three requests of other origins are recorded", n)
	}
	if got := request("POST", "/tool", "Origin", s.server.URL, "Sec-Fetch-Site", "same-origin"); got.status != 200 {
		t.Errorf("the application's own form: %d", got.status)
	}
	if got := request("GET", "/tool", "X-Auth-User", "root", "Authorization", "Bearer x"); got.status != 401 {
		t.Errorf("a wrong token beside the cookie: %d", got.status)
	}
}

// A gateway appends the URL as it is.
func TestNextOfAGateway(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	if page := s.get("/account/login?next=/tool?a=b&c=d"); !strings.Contains(page.body, `action="/account/login?next=%2Ftool%3Fa%3Db%26c%3Dd"`) {
		t.Errorf("the rest of the URL is lost:\n%s", page.body)
	}
	for _, next := range []string{"//evil.example", "/\\evil.example", "/%09/evil.example"} {
		if page := s.get("/account/login?next=" + next); strings.Contains(page.body, `href="//`) || strings.Contains(page.body, "next=%2F%2Fevil") || strings.Contains(page.body, "next=%2F%5Cevil") {
			t.Errorf("%s is kept", next)
		}
	}
}

func TestCheckForGateways(t *testing.T) {
	s := newSite(t, pages.Options{})
	alice := s.gate.User("alice")
	if got := s.get("/account/check"); got.status != 401 {
		t.Errorf("without a session: %d", got.status)
	}
	s.signIn("alice")
	check := func(headers ...string) shown {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/account/check", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return s.send(r)
	}
	for _, allowed := range [][]string{
		{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"},
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"},
		{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Origin", s.server.URL},
	} {
		if got := check(allowed...); got.status != 200 || got.header.Get("X-Auth-User") != "alice" {
			t.Errorf("%v: %d %v", allowed, got.status, got.header)
		}
	}
	for _, refused := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"},
		{"Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"},
	} {
		if got := check(refused...); got.status != 403 {
			t.Errorf("%v: %d", refused, got.status)
		}
	}
	if got := check("Authorization", "Bearer "+s.gate.Token(alice)); got.status != 200 {
		t.Errorf("with a token: %d", got.status)
	}
}
