package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/proxy"
)

// protect puts the pages and the proxy in front of every path of an upstream.
func (s *site) protect(settings proxy.Settings) {
	s.Helper()
	settings.Protect, settings.Browsers = []string{"/"}, s.pages
	behind, err := proxy.New(s.gate.Guard, settings)
	if err != nil {
		s.Fatal(err)
	}
	mux := http.NewServeMux()
	s.pages.Mount(mux)
	mux.Handle("/", behind)
	s.server.Config.Handler = mux
}

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
	s.protect(proxy.Settings{Upstream: application.URL})

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
		"a page of another origin":      {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"a script of another subdomain": {"Origin", "https://other.example", "Sec-Fetch-Site", "same-site"},
		"a script element":              {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"},
	} {
		method := map[bool]string{false: "POST", true: "GET"}[name == "a script element"]
		if got := request(method, "/tool", headers...); got.status != 403 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := request("GET", "/tool", "Upgrade", "websocket", "Connection", "Upgrade", "Origin", "https://evil.example"); got.status != 403 {
		t.Errorf("a WebSocket of another origin: %d", got.status)
	}
	if n := s.events()["forbidden denied /"]; n != 4 {
		t.Errorf("%d of four requests of other origins are recorded", n)
	}
	if got := request("GET", "/tool", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"); got.status != 200 {
		t.Errorf("a link of another origin: %d", got.status)
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

// A gateway may send its own name as the Host, and browsers do not send Sec-Fetch-Site to
// a plain http address, or at all (Safari before 16.4): the origin of BaseURL is the pages' own.
func TestFormsAtTheBaseURL(t *testing.T) {
	s := newSite(t, pages.Options{BaseURL: "https://Accounts.Example.com:443/x"})
	for origin, status := range map[string]int{"https://accounts.example.com": 422, "https://evil.example": 403, "http://accounts.example.com": 403} {
		r := s.form("/account/login", url.Values{"username": {"nobody"}, "password": {"wrong"}}, origin)
		r.Header.Del("Sec-Fetch-Site")
		if got := s.send(r); got.status != status {
			t.Errorf("%s: %d, want %d", origin, got.status, status)
		}
	}
}

// A signed-in browser whose authentication is too old or too weak for a path is sent to
// the page that asks again, and back. Scripts and forms get the error of RFC 9470.
func TestStepUpBeforeAnApplication(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<h1>Hello "+r.Header.Get("X-Auth-User")+"</h1>")
	}))
	defer application.Close()
	s.protect(proxy.Settings{
		Upstream: application.URL,
		StepUp:   map[string][]jotgate.Requirement{"/recent/": {jotgate.Fresh(10 * time.Minute)}, "/pay/": {jotgate.ACR("aal2"), jotgate.Fresh(10 * time.Minute)}},
	})
	open := func(path string) shown {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		return s.send(r)
	}
	const again = "/account/again?next=%2Frecent%2F%3Fa%3D1"
	s.signIn("alice")
	s.is(open("/recent/?a=1"), 200, "/recent/?a=1", "Hello alice")
	s.gate.Clock.Advance(11 * time.Minute)
	s.is(open("/tool"), 200, "/tool", "Hello alice")
	s.is(open("/recent/?a=1"), 200, again, "Confirm that it is you")
	s.is(s.post(again, "password", "wrong"), 422, again, "Confirm that it is you")
	s.is(s.post(again, "password", jotgatetest.Password), 200, "/recent/?a=1", "Hello alice")

	// A password alone never reaches the level: the user is told to set up a second factor.
	denied := s.get("/pay/") // as a script
	if got := denied.header.Get("Www-Authenticate"); denied.status != 401 || got != `Bearer realm="api", error="insufficient_user_authentication", acr_values="aal2", max_age="600"` {
		t.Errorf("a script: %d %q", denied.status, got)
	}
	if got := s.post("/pay/", "amount", "1"); got.status != 401 {
		t.Errorf("a form: %d", got.status)
	}
	page := open("/pay/")
	s.is(page, 200, "/account/security?done=second", "Security")
	if !strings.Contains(page.body, "needs a second factor") {
		t.Error(page.body)
	}
	a := s.enrol(s.get("/account/security/app"))
	a.add(a.code())
	const strong = "/account/again?acr=aal2&next=%2Fpay%2F"
	s.is(open("/pay/"), 200, strong, "Confirm that it is you")
	s.gate.Clock.Advance(time.Minute)
	s.is(s.post(strong, "password", jotgatetest.Password), 200, "/account/login/code?next=%2Fpay%2F", "Enter your code")
	s.is(s.post("/account/login/code?next=%2Fpay%2F", "code", a.code()), 200, "/pay/", "Hello alice")

	// Who is not signed in logs in once.
	s.fresh()
	s.is(open(again), 200, "/account/login?next=%2Frecent%2F%3Fa%3D1", "Sign in")
}

// A gateway demands the same of /account/check.
func TestCheckDemands(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	const refused = `Bearer realm="api", error="insufficient_user_authentication"`
	for query, want := range map[string]string{
		"": "", "max_age=60": "", "acr=aal1": "", "acr=aal2": refused + `, acr_values="aal2"`, "acr=aal2&max_age=60": refused + `, acr_values="aal2", max_age="60"`,
	} {
		got := s.get("/account/check?" + query)
		if got.header.Get("Www-Authenticate") != want || (got.status == 200) != (want == "") || got.status != 200 && got.status != 401 {
			t.Errorf("%s: %d %q", query, got.status, got.header.Get("Www-Authenticate"))
		}
	}
	for _, query := range []string{"max_age=0", "max_age=x", "acr=", "acr=a%22b", "maxage=60", "max_age=60&x=1", "%zz"} {
		if got := s.get("/account/check?" + query); got.status != 403 {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	s.gate.Clock.Advance(2 * time.Minute)
	if got := s.get("/account/check?max_age=60"); got.status != 401 || got.header.Get("Www-Authenticate") != refused+`, max_age="60"` {
		t.Errorf("later: %d %v", got.status, got.header)
	}
	s.is(s.get("/account/again?acr=aal2&next=/tool?a=1&b=2"), 200, "/account/security?done=second", "Security")
	s.is(s.get("/account/again?next=/tool?a=1&b=2"), 200, "/account/again?next=/tool?a=1&b=2", "Confirm that it is you")
}
