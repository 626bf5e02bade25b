// Package providers signs in with a certified OpenID Connect provider: npm's oidc-provider, on another port, without
// scripts. It has metadata, keys, PKCE, nonce, the iss of RFC 9207, and the user's claims at the userinfo endpoint.
package providers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/provider"
)

// site is jotgate, the provider and a browser.
type site struct {
	*testing.T
	gate   *jotgatetest.Gate
	url    string
	issuer *peer.Process
	jar    http.CookieJar

	issuerURL string
}

// database chooses the database of a gate.
type database = linking.Database

var onSQLite database = linking.SQLite

func newSite(t *testing.T, on database, change func(*provider.Settings), changes ...func(*jotgate.Settings)) *site {
	t.Helper()
	s := linking.Start(t, change)
	return &site{T: t, gate: s.Serve(t, on, changes...), url: s.URL, issuer: s.Issuer, issuerURL: s.IssuerURL}
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(*testing.T, database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, linking.SQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, linking.PostgreSQL) })
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
		r.Header.Set("Origin", s.url)
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
	return s.send(http.MethodPost, s.url+path, form)
}

// provide signs in at the provider in a new browser. The binary waits for the provider for five seconds, and is asked again.
func (s *site) provide(user string) (path, body string) {
	s.Helper()
	if got := s.issuer.Ask(s.T, user); got != "ok" {
		s.Fatal(got)
	}
	wait.Until(s, "the provider is reached", func() bool {
		s.jar, _ = cookiejar.New(nil)
		path, body = s.post("/account/provider", "provider", "certified")
		return !strings.Contains(body, "cannot be reached")
	})
	return path, body
}

// is fails the test unless the browser is at the path.
func (s *site) is(want, path, body string) {
	s.Helper()
	if path != want {
		s.Fatalf("the browser is at %s, want %s:\n%s", path, want, body)
	}
}

// Three users sign up, and sign in again in another browser.
func TestSignUp(t *testing.T) { onBoth(t, testSignUp) }

func testSignUp(t *testing.T, on database) {
	s := newSite(t, on, nil)
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

// The table of account linking, cell by cell.
func TestLinking(t *testing.T) { onBoth(t, testLinking) }

func testLinking(t *testing.T, on database) {
	there := linking.Start(t, nil)
	for _, c := range linking.Cells() {
		t.Run(fmt.Sprint(c.User, ", ", c.Local, ", link ", c.Link), func(t *testing.T) {
			s := &site{T: t, gate: there.Open(t, c, on), url: there.URL, issuer: there.Issuer}
			s.try(c)
		})
	}
}

// try has the user of a cell sign in.
func (s *site) try(c linking.Cell) {
	s.Helper()
	var path, body string
	if c.Local == linking.SignedIn || c.Local == linking.Taken {
		s.jar, _ = cookiejar.New(nil)
		path, body = s.post("/account/login", "username", "owner", "password", jotgatetest.Password)
		s.is("/account/", path, body)
		path, body = s.post("/account/provider", "provider", "certified", "use", "connect")
	} else {
		path, body = s.provide(c.User)
	}
	s.ends(c.Want, path, body)
	if c.Want == linking.SignIn {
		path, body = s.post("/account/login", "username", "owner", "password", jotgatetest.Password)
		s.ends(linking.Connected, path, body)
	}
	if c.Want == linking.SignIn || c.Want == linking.Connected {
		path, body = s.provide(c.User)
		s.ends(linking.In, path, body)
	}
}

// ends demands the outcome of a cell.
func (s *site) ends(want linking.Outcome, path, body string) {
	s.Helper()
	if path != want.Path && !(strings.HasSuffix(want.Path, "?") && strings.HasPrefix(path, want.Path)) || !strings.Contains(body, want.Text) {
		s.Errorf("the browser is at %s, want %s and %q:\n%s", path, want.Path, want.Text, body)
	}
}

// A wrong secret signs nobody in.
func TestWrongSecret(t *testing.T) {
	s := newSite(t, onSQLite, func(o *provider.Settings) { o.ClientSecret = "wrong" })
	wait.Until(t, "the refusal is recorded", func() bool { // which is given up after two seconds
		path, body := s.provide("verified")
		if !strings.HasPrefix(path, "/account/provider/certified/callback?") || !strings.Contains(body, "could not be verified") {
			t.Fatalf("the browser is at %s:\n%s", path, body)
		}
		list, err := s.gate.Store().Events().List(t.Context(), "", 0, 1)
		if err != nil || len(list) > 0 && (list[0].Name != "provider_refused" || !strings.Contains(list[0].Detail, "invalid_client")) {
			t.Fatalf("%+v, %v", list, err)
		}
		s.gate.Clock.Advance(time.Hour) // five equal events of ten minutes are recorded
		return len(list) > 0
	})
}
