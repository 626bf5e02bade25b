package providers

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/provider"
)

// A logout at the provider ends the session here that began there, and no other one; a logout here leads to the provider's.
func TestLogout(t *testing.T) { onBoth(t, testLogout) }

func testLogout(t *testing.T, on database) {
	s := newSite(t, on, func(o *provider.Settings) { o.Logout = true })
	for there, username := range map[string]string{"verified": "vera", "unverified": "una"} {
		path, body := s.provide(there)
		s.is("/account/provider/signup", path, body)
		path, body = s.post("/account/provider/signup", "username", username)
		s.is("/account/", path, body)
	}
	path, body := s.provide("verified")
	s.is("/account/", path, body)
	vera := s.jar
	path, body = s.provide("verified") // at another machine: another session at the provider
	s.is("/account/", path, body)
	other := s.jar

	s.jar = vera
	path, body = s.send(http.MethodGet, s.issuerURL+"/session/end", nil)
	s.confirm(path, body)
	path, body = s.send(http.MethodGet, s.url+"/account/", nil)
	s.is("/account/login?next=%2Faccount%2F", path, body)
	s.jar = other
	path, body = s.send(http.MethodGet, s.url+"/account/", nil)
	s.is("/account/", path, body)
	if got := s.sessions("una"); got != 1 {
		t.Errorf("una has %d sessions", got)
	}

	path, body = s.post("/account/logout")
	if !strings.HasPrefix(path, "/session/end?") {
		t.Fatalf("signing out leads to %s:\n%s", path, body)
	}
	path, body = s.confirm(path, body)
	if !strings.HasPrefix(path, "/account/login") {
		t.Errorf("signing out at the provider leads to %s:\n%s", path, body)
	}
	if got := s.sessions("vera"); got != 1 { // that of the sign-up
		t.Errorf("vera has %d sessions", got)
	}
}

var xsrf = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)

// confirm agrees to sign out at the provider.
func (s *site) confirm(path, body string) (string, string) {
	s.Helper()
	m := xsrf.FindStringSubmatch(body)
	if m == nil {
		s.Fatalf("the provider does not ask: %s\n%s", path, body)
	}
	return s.send(http.MethodPost, s.issuerURL+"/session/end/confirm", url.Values{"xsrf": {m[1]}, "logout": {"yes"}})
}

// sessions returns how many sessions a user has.
func (s *site) sessions(username string) int {
	s.Helper()
	a, err := s.gate.Store().Accounts().ByLogin(s.Context(), username)
	if err != nil {
		s.Fatal(err)
	}
	list, err := s.gate.Store().Sessions().List(s.Context(), a.ID, s.gate.Clock.Now())
	if err != nil {
		s.Fatal(err)
	}
	return len(list)
}
