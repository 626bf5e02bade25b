// Package providers signs in with a certified OpenID Connect provider: npm's oidc-provider, on another port, without
// scripts. It has metadata, keys, PKCE, nonce, the iss of RFC 9207, and the user's claims at the userinfo endpoint.
package providers

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/interop/allauth"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

const secret = `a secret of the client: 100 % "safe"`

// site is jotgate, the provider and a browser.
type site struct {
	*testing.T
	gate   *jotgatetest.Gate
	server *httptest.Server
	issuer *peer.Process
	jar    http.CookieJar
}

func newSite(t *testing.T, on database, change func(*provider.Settings), changes ...func(*jotgate.Settings)) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, server: &httptest.Server{Listener: listener, Config: &http.Server{}}, issuer: peer.Start(t, exec.Command("node", "judge.mjs"))}
	port := s.issuer.Ask(t, `["http://`+listener.Addr().String()+`/account/provider/certified/callback","`+allauth.Callback+`"]`)
	settings := provider.Settings{ID: "certified", Issuer: "http://127.0.0.1:" + port, ClientID: "jotgate", ClientSecret: secret}
	if change != nil {
		change(&settings)
	}
	certified, err := provider.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	s.gate = jotgatetest.New(t, append(changes, func(o *jotgate.Settings) { o.Providers = []*provider.Provider{certified} })...)
	on(t, s.gate)
	handler, err := pages.New(s.gate.Gate, pages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = handler
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

// database chooses the database of a gate.
type database func(*testing.T, *jotgatetest.Gate)

func onSQLite(*testing.T, *jotgatetest.Gate) {}

func onPostgres(t *testing.T, g *jotgatetest.Gate) { onAddress(pgtest.Database(t))(t, g) }

// onAddress chooses a database by its address.
func onAddress(address string) database {
	return func(t *testing.T, g *jotgatetest.Gate) {
		var db *store.Store
		var err error
		if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
			db, err = sqlite.Open(t.Context(), path, sqlite.Options{})
		} else {
			db, err = postgres.Open(t.Context(), address, postgres.Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if g.Gate, err = jotgate.New(g.Settings(), db); err != nil {
			t.Fatal(err)
		}
	}
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(*testing.T, database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres) })
}

// secure sends Secure cookies to this machine over plain HTTP, as browsers do.
type secure struct{ http.CookieJar }

func (j secure) SetCookies(u *url.URL, list []*http.Cookie) {
	j.CookieJar.SetCookies(encrypted(u), list)
}

func (j secure) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(encrypted(u)) }

func encrypted(u *url.URL) *url.URL {
	c := *u
	c.Scheme = "https"
	return &c
}

// send sends a request and follows its redirects, also those of a Refresh header. It returns the path and the body of
// the page at the end.
func (s *site) send(method, address string, form url.Values) (path, body string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", s.server.URL)
	}
	response, err := (&http.Client{Jar: secure{s.jar}}).Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	if next, ok := strings.CutPrefix(response.Header.Get("Refresh"), "0; url="); ok {
		return s.send(http.MethodGet, next, nil)
	}
	return response.Request.URL.RequestURI(), string(text)
}

// post submits a form of alternating names and values.
func (s *site) post(path string, fields ...string) (string, string) {
	s.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.send(http.MethodPost, s.server.URL+path, form)
}

// provide signs in at the provider in a new browser.
func (s *site) provide(user string) (path, body string) {
	s.Helper()
	s.jar, _ = cookiejar.New(nil)
	if got := s.issuer.Ask(s.T, user); got != "ok" {
		s.Fatal(got)
	}
	return s.post("/account/provider", "provider", "certified")
}

// is fails the test unless the browser is at the path.
func (s *site) is(want, path, body string) {
	s.Helper()
	if path != want {
		s.Fatalf("the browser is at %s, want %s:\n%s", path, want, body)
	}
}

func trusted(o *provider.Settings) { o.TrustEmail = true }

// Three users sign up, and sign in again in another browser.
func TestSignUp(t *testing.T) { onBoth(t, testSignUp) }

func testSignUp(t *testing.T, on database) {
	s := newSite(t, on, trusted)
	for user, want := range map[string]struct {
		username, email string
		verified        bool
	}{"verified": {"vera", "verified@example.com", true}, "unverified": {"una", "unverified@example.com", false}, "none": {"nona", "", false}} {
		path, body := s.provide(user)
		s.is("/account/provider/signup", path, body)
		if !strings.Contains(body, `value="`+want.username+`"`) {
			t.Errorf("%s: the username is not filled in:\n%s", user, body)
		}
		path, body = s.post("/account/provider/signup", "username", want.username)
		s.is("/account/", path, body)
		a, err := s.gate.Store().Accounts().ByLogin(t.Context(), want.username)
		if err != nil || a.Email != want.email {
			t.Fatalf("%+v, %v", a, err)
		}
		if a.Email != "" {
			if verified, _, err := s.gate.Store().Addresses().Verified(t.Context(), a.ID, a.Email); verified != want.verified || err != nil {
				t.Errorf("%s: verified %v, %v", user, verified, err)
			}
		}
		path, body = s.provide(user)
		s.is("/account/", path, body)
	}
}

// The table of account linking: three users, and an account here with the same address
// that has proved it, or has not, with and without the operator's wish to link.
func TestLinking(t *testing.T) { onBoth(t, testLinking) }

func testLinking(t *testing.T, on database) {
	const signup, signin, reset, in = "/account/provider/signup", "/account/login?done=connect", "reset", "/account/"
	for _, c := range []struct {
		user           string
		local          bool
		verified, link bool
		want           string
	}{
		{"verified", true, true, false, signin},
		{"verified", true, true, true, in},
		{"verified", true, false, false, reset},
		{"verified", true, false, true, reset},
		{"unverified", true, true, false, signin},
		{"unverified", true, true, true, signin},
		{"unverified", true, false, false, signin},
		{"unverified", true, false, true, signin},
		{"verified", false, false, true, signup},
		{"unverified", false, false, true, signup},
		{"none", true, true, true, signup},
	} {
		s := newSite(t, on, trusted, func(o *jotgate.Settings) { o.LinkVerifiedEmails = c.link })
		if c.local {
			a := &record.Account{Username: "owner", Email: c.user + "@example.com", Password: s.gate.User("other").Password, IsActive: true}
			if err := s.gate.Store().Addresses().SignUp(t.Context(), a, nil); err != nil {
				t.Fatal(err)
			}
			if c.verified {
				if err := s.gate.Store().Accounts().Change(t.Context(), a.ID, record.Change{VerifyEmail: true}); err != nil {
					t.Fatal(err)
				}
			}
		}
		path, body := s.provide(c.user)
		if c.want == reset {
			if !strings.HasPrefix(path, "/account/provider/certified/callback?") || !strings.Contains(body, "Reset its password") {
				t.Errorf("%+v: the browser is at %s:\n%s", c, path, body)
			}
			continue
		}
		s.is(c.want, path, body)
		if c.want == signin {
			path, body = s.post("/account/login", "username", "owner", "password", jotgatetest.Password)
			s.is("/account/security?done=connected", path, body)
			path, body = s.provide(c.user)
			s.is("/account/", path, body)
		}
	}
}

// A wrong secret signs nobody in.
func TestWrongSecret(t *testing.T) {
	s := newSite(t, onSQLite, func(o *provider.Settings) { o.ClientSecret = "wrong" })
	path, body := s.provide("verified")
	if !strings.HasPrefix(path, "/account/provider/certified/callback?") || !strings.Contains(body, "could not be verified") {
		t.Errorf("the browser is at %s:\n%s", path, body)
	}
	list, err := s.gate.Store().Events().List(t.Context(), "", 0, 1)
	if err != nil || len(list) != 1 || list[0].Name != "provider_refused" || !strings.Contains(list[0].Detail, "invalid_client") {
		t.Errorf("%+v, %v", list, err)
	}
}
