package pages_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// logoutToken returns a logout token of https://idp.example for the user 1 with changes.
func (i *idp) logoutToken(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://idp.example", "aud": "client", "iat": i.now().Unix(), "exp": i.now().Add(2 * time.Minute).Unix(), "jti": "j1", "sid": "s1",
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Sign(i.key.WithType("logout+jwt"), jwt.Raw(text))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// notify is the provider that sends a logout token, without cookies.
func (s *providerSite) notify(id, token string) *http.Response {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+"/account/provider/"+id+"/logout", strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

// Only the correct logout token ends the session, once; each other one is recorded.
func TestBackChannelLogout(t *testing.T) {
	for _, c := range []struct {
		name    string
		id      string
		changes map[string]any
		change  func(string) string
		why     string // "": the session ends
	}{
		{"sid", "example", nil, nil, ""},
		{"sub", "example", map[string]any{"sid": nil, "sub": "1"}, nil, ""},
		{"both", "example", map[string]any{"sub": "1"}, nil, ""},
		{"another audience", "example", map[string]any{"aud": "another"}, nil, "logout token"},
		{"another issuer", "example", map[string]any{"iss": "https://other.example"}, nil, "logout token"},
		{"another provider here", "other", nil, nil, "logout token"},
		{"nonce", "example", map[string]any{"nonce": "x"}, nil, "nonce"},
		{"old", "example", map[string]any{"iat": int64(0)}, nil, "too old"},
		{"an ID token", "example", map[string]any{"events": nil, "nonce": "x"}, nil, "logout token"},
		{"forged", "example", nil, func(token string) string { return tamper.At(token, -5) }, "logout token"},
		{"empty", "example", nil, func(string) string { return "" }, "logout token"},
		{"long", "example", nil, func(string) string { return strings.Repeat("x", 17<<10) }, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := connectedSite(t)
			s.idp.claims["sid"] = "s1"
			s.is(s.provide(), 200, "/account/", "Profile")
			token := s.idp.logoutToken(t, c.changes)
			if c.change != nil {
				token = c.change(token)
			}
			response := s.notify(c.id, token)
			if response.Header.Get("Cache-Control") != "no-store" || len(response.Cookies()) != 0 {
				t.Errorf("the response has %v", response.Header)
			}
			if c.why != "" {
				if response.StatusCode != 400 {
					t.Errorf("%s", response.Status)
				}
				if c.why != "-" {
					s.refusedBecause(c.why)
				}
				s.is(s.get("/account/"), 200, "/account/", "Profile")
				return
			}
			if response.StatusCode != 200 {
				t.Fatalf("%s", response.Status)
			}
			s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
			if list := s.eventsNamed("logout"); len(list) != 1 || list[0].Detail != string(record.EndedByProvider) || list[0].User == "" || list[0].Session == "" {
				t.Errorf("the events are %+v", list)
			}
			// Sent again, it does nothing to a session that began since.
			s.idp.claims["sid"] = "s2"
			s.is(s.provide(), 200, "/account/", "Profile")
			if response := s.notify(c.id, token); response.StatusCode != 400 {
				t.Errorf("a replay: %s", response.Status)
			}
			s.refusedBecause("used before")
			s.is(s.get("/account/"), 200, "/account/", "Profile")
		})
	}
}

// A session that began with a password is not the provider's, nor is one of another
// session there; one that replaced the provider's is.
func TestBackChannelLogoutEndsTheRightSessions(t *testing.T) {
	s := connectedSite(t)
	login := func(sid string) http.CookieJar {
		s.fresh()
		s.idp.claims["sid"] = sid
		s.is(s.provide(), 200, "/account/", "Profile")
		return s.jar
	}
	first, second := login("s1"), login("s2")
	s.gate.Clock.Advance(11 * time.Minute)
	s.is(s.post("/account/again", "password", jotgatetest.Password), 200, "/account/", "Profile")
	s.signIn("ada")
	byPassword := s.jar
	if got := s.notify("example", s.idp.logoutToken(t, map[string]any{"sid": "s2"})); got.StatusCode != 200 {
		t.Fatal(got.Status)
	}
	for jar, want := range map[http.CookieJar]string{first: "/account/", second: "/account/login?next=%2Faccount%2F", byPassword: "/account/"} {
		s.jar = jar
		if got := s.get("/account/"); got.path != want {
			t.Errorf("the browser is at %s, want %s", got.path, want)
		}
	}
}

// A logout token ends pages and tokens on the node that receives it immediately, and on
// another one within a second.
func TestBackChannelLogoutOnTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, err := jwt.ES256.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		i := &idp{key: key.WithID("k"), nonces: map[string]string{}, sign: func(k *jwt.Key, c jwt.Raw) (string, error) { return jwt.Sign(k, c) }, now: time.Now}
		p, err := provider.New(provider.Settings{ID: "example", Issuer: "https://idp.example", ClientID: "client", Transport: i})
		if err != nil {
			t.Fatal(err)
		}
		one := jotgatetest.New(t, func(s *jotgate.Settings) { s.Providers = []*provider.Provider{p} })
		two, err := jotgate.New(one.Settings(), one.Store())
		if err != nil {
			t.Fatal(err)
		}
		ada := one.User("ada")
		connect := record.SocialChange{User: ada.ID, At: time.Now(), Connect: &record.SocialAccount{Provider: "example", UID: "1", Data: "{}"}}
		if err := one.Store().SocialAccounts().ChangeSocial(t.Context(), connect); err != nil {
			t.Fatal(err)
		}
		i.claims = map[string]any{"sub": "1", "sid": "s1"}
		tokens, err := one.Logins().Begin(t.Context(), proofOf(t, one.Gate, i), jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		page, err := two.Sessions().Pages().Begin(t.Context(), proofOf(t, two, i), jotgate.PageLogin{}, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- two.Run(ctx) }()
		defer func() {
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
		live := func(g *jotgate.Gate) (n int) {
			if _, err := g.VerifyAccess(tokens.Tokens.Access); err == nil {
				n++
			}
			if _, err := g.Sessions().Pages().Open(t.Context(), page.Page.Cookie); err == nil {
				n++
			}
			return n
		}
		time.Sleep(time.Second)
		if live(one.Gate) != 2 || live(two) != 2 {
			t.Fatalf("before: %d and %d of 2 are accepted", live(one.Gate), live(two))
		}
		if n, err := one.Logins().Providers().Logout(t.Context(), "example", i.logoutToken(t, nil), jotgate.Client{}); n != 2 || err != nil {
			t.Fatalf("%d sessions ended, %v", n, err)
		}
		if live(one.Gate) != 0 {
			t.Errorf("this node accepts %d of 2", live(one.Gate))
		}
		time.Sleep(time.Second)
		if live(two) != 0 {
			t.Errorf("another node accepts %d of 2 after a second", live(two))
		}
		if _, err := two.Logins().Providers().Logout(t.Context(), "example", i.logoutToken(t, nil), jotgate.Client{}); jotgate.AsError(err).Status != 400 {
			t.Errorf("a replay at another node: %v", err)
		}
	})
}

// proofOf signs in at the provider.
func proofOf(t *testing.T, g *jotgate.Gate, i *idp) jotgate.Proof {
	t.Helper()
	providers := g.Logins().Providers()
	address, name, value, err := providers.Begin(t.Context(), "example", "https://site.example/callback", jotgate.ProviderFlow{}, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	state := u.Query().Get("state")
	i.nonces[state] = u.Query().Get("nonce")
	callback := url.Values{"code": {state}, "state": {state}}
	if providers.FlowName(callback) != name {
		t.Fatal("the flow has another name")
	}
	l, err := providers.Finish(t.Context(), "example", value, callback, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return l.Proof()
}

// A login that began before the logout does not create a session after it.
func TestLogoutDuringALogin(t *testing.T) {
	s := connectedSite(t)
	s.signIn("ada")
	a := s.enrol(s.get("/account/security/app"))
	if got := a.add(a.code()); got.status != 200 {
		t.Fatal(got.status)
	}
	s.gate.Clock.Advance(time.Minute)
	s.fresh()
	s.idp.claims["sid"] = "s1"
	s.is(s.provide(), 200, "/account/login/code", "Enter your code")
	if got := s.notify("example", s.idp.logoutToken(t, nil)); got.StatusCode != 200 {
		t.Fatal(got.Status)
	}
	s.is(s.post("/account/login/code", "code", a.code()), 200, "/account/login?done=expired", "Sign in")
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
}

// Signing out leads to the provider if that announces it, and only the browser that
// signed in there.
func TestSignOutAtTheProvider(t *testing.T) {
	const discovery = "idp.example/.well-known/openid-configuration"
	for name, logout := range map[string]bool{"announced": true, "not announced": false} {
		t.Run(name, func(t *testing.T) {
			s := newProviderSite(t, pages.Options{})
			s.idp.docs = map[string]any{discovery: map[string]any{
				"issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/auth", "token_endpoint": "https://idp.example/token", "jwks_uri": "https://idp.example/jwks",
				"end_session_endpoint": map[bool]any{true: "https://idp.example/end"}[logout], "id_token_signing_alg_values_supported": []string{"ES256"},
			}}
			s.gate.User("bob")
			s.user("1", "ada@example.com", true)
			s.provide()
			s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
			ada := s.jar
			s.signIn("bob")
			s.is(s.post("/account/logout"), 200, "/account/login?done=signedout", "Sign in")
			s.jar = ada
			got := s.post("/account/logout")
			if !logout {
				s.is(got, 200, "/account/login?done=signedout", "Sign in")
				return
			}
			s.is(got, 200, "/account/logout", "Continue at another site")
			m := refresh.FindStringSubmatch(got.header.Get("Refresh"))
			if m == nil || !got.has("Example") {
				t.Fatalf("%v\n%s", got.header, got.body)
			}
			u, err := url.Parse(m[1])
			if err != nil || u.Host != "idp.example" || u.Path != "/end" || u.Query().Get("client_id") != "client" || u.Query().Get("post_logout_redirect_uri") != s.server.URL+"/account/logout" {
				t.Errorf("%s, %v", m[1], err)
			}
			s.is(s.get("/account/logout"), 200, "/account/login?done=signedout", "Sign in") // the provider sends the browser back
		})
	}
}
