package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

const (
	appVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	appOrigin   = "https://app.example.com"
	appRedirect = appOrigin + "/in"
)

// newAppSite has the application appOrigin.
func newAppSite(t *testing.T, o pages.Options) *providerSite {
	return newProviderSite(t, o, func(s *jotgate.Settings) { s.AppRedirects = []string{appOrigin, "com.example.app:"} })
}

// start is the request of an application, with changes of its fields.
func (s *providerSite) start(changes map[string]string) shown {
	s.Helper()
	digest := sha256.Sum256([]byte(appVerifier))
	fields := map[string]string{"provider": "example", "redirect_uri": appRedirect, "code_challenge": base64.RawURLEncoding.EncodeToString(digest[:]), "state": "x&y"}
	for name, value := range changes {
		if fields[name] = value; value == "" {
			delete(fields, name)
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		s.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+"/account/provider/start", strings.NewReader(string(body)))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", appOrigin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return s.do(&http.Client{}, r) // without cookies
}

// open opens the address of an application in the browser, and returns the callback of
// a user who agrees at the provider.
func (s *providerSite) open(address string) url.Values {
	s.Helper()
	page := s.get(strings.TrimPrefix(address, s.server.URL))
	m := refresh.FindStringSubmatch(page.header.Get("Refresh"))
	if page.status != 200 || m == nil {
		s.Fatalf("%d %v\n%s", page.status, page.header, page.body)
	}
	u, err := url.Parse(m[1])
	if err != nil {
		s.Fatal(err)
	}
	q := u.Query()
	code := "code of " + q.Get("state")
	s.idp.mu.Lock()
	s.idp.nonces[code] = q.Get("nonce")
	s.idp.mu.Unlock()
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

// opened is open after start.
func (s *providerSite) opened() url.Values {
	s.Helper()
	got := s.start(nil)
	var answer struct{ URL string }
	if err := json.Unmarshal([]byte(got.body), &answer); got.status != 200 || err != nil || !strings.HasPrefix(answer.URL, s.server.URL+"/account/provider/app?") {
		s.Fatalf("%d %s, %v", got.status, got.body, err)
	}
	return s.open(answer.URL)
}

// toApp returns the parameters with which the browser is sent to the application. It
// does not follow the redirect.
func (s *providerSite) toApp(callback url.Values) url.Values {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.server.URL+callbackOf("example")+"?"+callback.Encode(), nil)
	if err != nil {
		s.Fatal(err)
	}
	client := &http.Client{Jar: secureJar{s.jar, s.site}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got := s.do(client, r)
	return s.sentTo(got.header.Get("Location"), got)
}

func (s *providerSite) sentTo(address string, got shown) url.Values {
	s.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, appRedirect+"?") || got.header.Get("Cache-Control") != "no-store" || u.Query().Get("state") != "x&y" {
		s.Fatalf("%d %v %s\n%s", got.status, got.header, address, got.body)
	}
	return u.Query()
}

// exchange exchanges the code of an application.
func (s *providerSite) exchange(code string) (*jotgate.ProviderLogin, error) {
	return s.gate.Logins().Providers().Exchange(s.Context(), code, appVerifier, appRedirect, jotgate.Client{})
}

func (s *providerSite) logsIn(code, uid string) {
	s.Helper()
	l, err := s.exchange(code)
	if err != nil {
		s.Fatal(err)
	}
	if identity := l.Identity(); identity.UID != uid {
		s.Errorf("the code is of %q", identity.UID)
	}
	if _, err := s.gate.Logins().Begin(s.Context(), l.Proof(), jotgate.Client{}); err != nil {
		s.Error(err)
	}
}

// An application signs up, signs in and connects through the pages.
func TestProviderApp(t *testing.T) {
	s := newAppSite(t, pages.Options{})
	s.user("1", "ada@example.com", true)
	s.is(s.back("example", s.opened()), 200, "/account/provider/signup?next="+url.QueryEscape(s.path()), "Create your account")
	page := s.post("/account/provider/signup?next="+url.QueryEscape(s.path()), "username", "ada")
	_, address, _ := strings.Cut(page.header.Get("Refresh"), "url=")
	s.logsIn(s.sentTo(address, page).Get("code"), "1")
	// The next time it returns immediately, and no page session begins.
	s.fresh()
	s.logsIn(s.toApp(s.opened()).Get("code"), "1")
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	// An account with the address signs in here first, with all steps; then it is
	// connected, and the provider is asked again.
	a := s.gate.User("alice")
	email := "alice@example.com"
	if err := s.gate.Store().Accounts().Change(t.Context(), a.ID, record.Change{Email: &email, VerifyEmail: true}); err != nil {
		t.Fatal(err)
	}
	s.fresh()
	s.user("2", email, true)
	page = s.back("example", s.opened())
	if page.status != 200 || !strings.HasPrefix(page.path, "/account/login?next=") || !strings.HasSuffix(page.path, "&done=connect") {
		t.Fatalf("%d %s", page.status, page.path)
	}
	page = s.post(strings.TrimSuffix(page.path, "&done=connect"), "username", "alice", "password", jotgatetest.Password)
	if page.header.Get("Refresh") == "" || !strings.HasPrefix(page.path, "/account/provider/app?") {
		t.Fatalf("%d %s\n%s", page.status, page.path, page.body)
	}
	s.logsIn(s.toApp(s.open(page.path)).Get("code"), "2")
	// Signed in on the pages, with an account that is not connected: no circle.
	s.user("3", email, true)
	if page = s.back("example", s.opened()); page.status != 403 || !page.has("not connected to yours") {
		t.Errorf("%d %s", page.status, page.path)
	}
}

// path returns the address of an application's request, as the pages have it in next.
func (s *providerSite) path() string {
	var answer struct{ URL string }
	_ = json.Unmarshal([]byte(s.start(nil).body), &answer)
	return strings.TrimPrefix(answer.URL, s.server.URL)
}

// What goes wrong at the provider is reported to the application.
func TestProviderAppErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *providerSite, q url.Values)
		want   string
	}{
		"denied":      {func(_ *providerSite, q url.Values) { q.Del("code"); q.Set("error", "access_denied") }, "access_denied"},
		"unavailable": {func(_ *providerSite, q url.Values) { q.Del("code"); q.Set("error", "server_error") }, "temporarily_unavailable"},
		"forged":      {func(s *providerSite, _ url.Values) { s.idp.claims["nonce"] = "x" }, "server_error"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newAppSite(t, pages.Options{})
			s.user("1", "ada@example.com", true)
			q := s.opened()
			c.change(s, q)
			if got := s.toApp(q); got.Get("error") != c.want || got.Has("code") {
				t.Errorf("%v", got)
			}
		})
	}
	s := newAppSite(t, pages.Options{})
	s.user("1", "ada@example.com", true)
	q := s.opened()
	s.fresh()
	if page := s.back("example", q); page.status != 403 || !page.has(late) {
		t.Errorf("another browser: %d", page.status)
	}
}

// A request that is not right begins nothing, whether an application sends it or a
// browser opens it.
func TestProviderAppRefused(t *testing.T) {
	s := newAppSite(t, pages.Options{})
	for _, c := range []struct {
		name    string
		changes map[string]string
		status  int
		field   string
	}{
		{"right", nil, 200, `"url"`},
		{"S256", map[string]string{"code_challenge_method": "S256"}, 200, `"url"`},
		{"plain", map[string]string{"code_challenge_method": "plain"}, 400, "code_challenge_method"},
		{"no challenge", map[string]string{"code_challenge": ""}, 400, "code_challenge"},
		{"short challenge", map[string]string{"code_challenge": "abc"}, 400, "code_challenge"},
		{"no redirect_uri", map[string]string{"redirect_uri": ""}, 400, "redirect_uri"},
		{"another site", map[string]string{"redirect_uri": "https://evil.example/in"}, 400, "redirect_uri"},
		{"another scheme", map[string]string{"redirect_uri": "com.evil.app:/in"}, 400, "redirect_uri"},
		{"unknown provider", map[string]string{"provider": "nobody"}, 404, ""},
		{"no provider", map[string]string{"provider": ""}, 400, "provider"},
	} {
		if got := s.start(c.changes); got.status != c.status || !got.has(c.field) || c.status != 200 && got.has(`"url"`) {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
	}
	digest := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for query, status := range map[string]int{
		"provider=example&redirect_uri=" + url.QueryEscape(appRedirect) + "&code_challenge=" + digest:                                  200,
		"provider=example&redirect_uri=" + url.QueryEscape("com.example.app:/in") + "&code_challenge=" + digest:                        200,
		"provider=example&redirect_uri=https%3A%2F%2Fevil.example&code_challenge=" + digest:                                            400,
		"provider=example&redirect_uri=" + url.QueryEscape(appRedirect):                                                                400,
		"provider=nobody&redirect_uri=" + url.QueryEscape(appRedirect) + "&code_challenge=" + digest:                                   404,
		"provider=example&redirect_uri=" + url.QueryEscape(appRedirect) + "&code_challenge=" + digest + "&code_challenge_method=plain": 400,
	} {
		if got := s.get("/account/provider/app?" + query); got.status != status || (got.header.Get("Refresh") != "") != (status == 200) {
			t.Errorf("%s: %d", query, got.status)
		}
	}
	off := newProviderSite(t, pages.Options{})
	if got := off.start(nil); got.status != 404 {
		t.Errorf("without AppRedirects: %d", got.status)
	}
}

// A page of a listed origin can begin; a page of another one cannot read the response.
func TestProviderAppCORS(t *testing.T) {
	s := newAppSite(t, pages.Options{})
	a, err := api.New(s.gate.Gate, api.Settings{CORSOrigins: []string{appOrigin}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pages.New(s.gate.Gate, pages.Options{API: a})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = p
	if got := s.start(nil); got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != appOrigin {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := s.get("/account/login"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages of other origins can read the login page")
	}
}
