package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// site is a server with the administration, its login pages, and a browser
// without scripts.
type site struct {
	*testing.T
	gate   *jotgatetest.Gate
	admin  *admin.Admin
	server *httptest.Server
	jar    http.CookieJar
}

func newSite(t *testing.T, o admin.Options, changes ...func(*jotgate.Settings)) *site {
	t.Helper()
	s := &site{T: t, gate: jotgatetest.New(t, append([]func(*jotgate.Settings){withProviders(t)}, changes...)...)}
	p, err := pages.New(s.gate.Gate, pages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Pages = p
	if s.admin, err = admin.New(s.gate.Gate, o); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Mount(mux)
	s.admin.Mount(mux)
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	s.fresh()
	return s
}

// withProviders lets users log in with accounts at Google and GitHub.
func withProviders(t *testing.T) func(*jotgate.Settings) {
	t.Helper()
	return func(s *jotgate.Settings) {
		for _, id := range []string{"google", "github"} {
			p, err := provider.New(provider.Settings{ID: id, ClientID: "client", ClientSecret: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			s.Providers = append(s.Providers, p)
		}
	}
}

// connect connects a user with an account at a provider and returns its id.
func (s *site) connect(user record.UserID, id, uid string) string {
	s.Helper()
	row := &record.SocialAccount{Provider: id, UID: uid, Data: "{}", Joined: s.gate.Clock.Now(), LastLogin: s.gate.Clock.Now()}
	if err := s.gate.Store().SocialAccounts().ChangeSocial(s.Context(), record.SocialChange{User: user, At: s.gate.Clock.Now(), Connect: row}); err != nil {
		s.Fatal(err)
	}
	return strconv.FormatInt(row.ID, 10)
}

// apiKey creates an API key of a user.
func (s *site) apiKey(user record.UserID, name string) apikey.Created {
	s.Helper()
	k, err := apikey.Settings{}.NewKey(user, apikey.Request{Name: name, Scopes: []string{"orders:read"}}, s.gate.Clock.Now())
	if err == nil {
		err = s.store().APIKeys().Add(s.Context(), k.Key)
	}
	if err != nil {
		s.Fatal(err)
	}
	return k
}

// fresh is another browser.
func (s *site) fresh() { s.jar, _ = cookiejar.New(nil) }

func (s *site) store() *store.Store { return s.gate.Store().(*store.Store) }

// shown is a response, after the redirects.
type shown struct {
	status int
	path   string
	header http.Header
	body   string
}

func (s *site) send(method, path string, form url.Values) shown {
	s.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+path, body)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.server.URL)
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) shown {
	s.Helper()
	response, err := (&http.Client{Jar: secureJar{s.jar}}).Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return shown{response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(body)}
}

// secureJar sends Secure cookies to this machine over plain HTTP, as browsers do.
type secureJar struct{ http.CookieJar }

func (j secureJar) SetCookies(u *url.URL, list []*http.Cookie) {
	j.CookieJar.SetCookies(encrypted(u), list)
}
func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(encrypted(u)) }

func encrypted(u *url.URL) *url.URL {
	c := *u
	c.Scheme = "https"
	return &c
}

func (s *site) get(path string) shown { s.Helper(); return s.send(http.MethodGet, path, nil) }

func (s *site) post(path string, form url.Values) shown {
	s.Helper()
	return s.send(http.MethodPost, path, form)
}

// signIn signs in a new browser.
func (s *site) signIn(username string) {
	s.Helper()
	s.fresh()
	got := s.post("/account/login?next=%2Fadmin%2F", url.Values{"username": {username}, "password": {jotgatetest.Password}})
	if got.status >= 500 || strings.HasPrefix(got.path, "/account/login") {
		s.Fatalf("%s cannot sign in: %d %s\n%s", username, got.status, got.path, got.body)
	}
}

// api sends JSON with the token of a user.
func (s *site) api(token, method, path, body string) (int, map[string]any) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	var out map[string]any
	_ = json.NewDecoder(response.Body).Decode(&out)
	return response.StatusCode, out
}

// events lists the events of the administration, newest first.
func (s *site) events() []record.Event {
	s.Helper()
	page, err := s.store().Admin().Events(s.Context(), adminstore.EventQuery{Name: "admin", Limit: 500})
	if err != nil {
		s.Fatal(err)
	}
	return page.Events
}

func (s *site) account(name string) *record.Account {
	s.Helper()
	a, err := s.gate.Store().Accounts().ByLogin(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

// group creates a group with permissions and returns its id.
func (s *site) group(name string, permissions ...string) string {
	s.Helper()
	g, err := s.store().Groups().Create(s.Context(), name)
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range permissions {
		if err := s.store().Permissions().GrantToGroup(s.Context(), name, p); err != nil {
			s.Fatal(err)
		}
	}
	return strconv.FormatInt(g.ID, 10)
}

// permission returns the id of a permission.
func (s *site) permission(name string) string {
	s.Helper()
	all, err := s.store().Admin().Permissions(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range all {
		if p.Name == name {
			return strconv.FormatInt(p.ID, 10)
		}
	}
	s.Fatal("no permission " + name)
	return ""
}
