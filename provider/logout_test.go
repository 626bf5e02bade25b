package provider_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of an accepted logout token.
func logoutClaims(now time.Time) map[string]any {
	return map[string]any{
		"iss": issuerURL, "aud": clientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": "j1",
		"sub": "alice-1", "sid": "session-1", "events": map[string]any{logoutEvent: map[string]any{}},
	}
}

// Each token differs in one point from one that is accepted.
func TestLogoutToken(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	drop := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	for _, c := range []struct {
		name   string
		ok     bool
		change func(map[string]any)
	}{
		{"correct", true, func(map[string]any) {}},
		{"two audiences", true, set("aud", []string{"x", clientID})},
		{"without sid", true, drop("sid")},
		{"without sub", true, drop("sub")},
		{"four minutes ago", true, func(c map[string]any) { c["iat"] = now.Add(-4 * time.Minute).Unix() }},
		{"neither sub nor sid", false, func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }},
		{"empty sub and sid", false, func(c map[string]any) { c["sub"], c["sid"] = "", "" }},
		{"other issuer", false, set("iss", "https://evil.example")},
		{"no issuer", false, drop("iss")},
		{"other audience", false, set("aud", "another")},
		{"no audience", false, drop("aud")},
		{"nonce", false, set("nonce", "n")},
		{"nonce that is null", false, set("nonce", nil)},
		{"empty nonce", false, set("nonce", "")},
		{"no events", false, drop("events")},
		{"other event", false, set("events", map[string]any{"http://schemas.openid.net/event/frontchannel-logout": map[string]any{}})},
		{"event that is no object", false, set("events", map[string]any{logoutEvent: true})},
		{"events that are an array", false, set("events", []string{logoutEvent})},
		{"no jti", false, drop("jti")},
		{"empty jti", false, set("jti", "")},
		{"no iat", false, drop("iat")},
		{"no exp", false, drop("exp")},
		{"expired", false, set("exp", now.Add(-2*time.Minute).Unix())},
		{"old", false, func(c map[string]any) { c["iat"], c["exp"] = now.Add(-7*time.Minute).Unix(), now.Add(time.Hour).Unix() }},
		{"of the future", false, set("iat", now.Add(5*time.Minute).Unix())},
		{"not yet valid", false, set("nbf", now.Add(5*time.Minute).Unix())},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			p := s.provider(func(o *provider.Settings) { o.Now = func() time.Time { return now } })
			claims := logoutClaims(now)
			c.change(claims)
			for _, typ := range []string{"logout+jwt", "JWT"} {
				l, err := p.VerifyLogout(context.Background(), sign(t, s.key.WithType(typ), claims))
				if (err == nil) != c.ok || err != nil && !errors.Is(err, provider.Invalid) {
					t.Errorf("%s: %v", typ, err)
				}
				if c.ok && (l.ID == "" || !l.Expires.After(now) || (l.Subject == "") == (claims["sub"] != nil) || (l.Session == "") == (claims["sid"] != nil)) {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}

// Signatures of logout tokens are verified as those of ID tokens are, and neither is
// accepted as the other.
func TestForgedLogoutToken(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newSite(t)
	p := s.provider(func(o *provider.Settings) { o.Now = func() time.Time { return now } })
	claims := logoutClaims(now)
	other, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	symmetric, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	idToken := logoutClaims(now)
	delete(idToken, "events")
	for name, token := range map[string]string{
		"unknown key":           sign(t, other.WithID("k2").WithType("logout+jwt"), claims),
		"another key":           sign(t, other.WithID("k1").WithType("logout+jwt"), claims),
		"the client secret":     sign(t, symmetric.WithID("k1").WithType("logout+jwt"), claims),
		"no signature":          encode(`{"alg":"none","typ":"logout+jwt"}`) + "." + encode(text(claims)) + ".",
		"an access token":       sign(t, s.key.WithType("at+jwt"), claims),
		"an ID token":           sign(t, s.key, idToken),
		"a changed signature":   sign(t, s.key, claims)[:40] + sign(t, s.key, claims)[41:],
		"empty":                 "",
		"long":                  strings.Repeat("x", 17<<10),
		"a token and something": sign(t, s.key, claims) + ".x",
	} {
		if l, err := p.VerifyLogout(context.Background(), token); !errors.Is(err, provider.Invalid) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	plain, err := provider.New(provider.Settings{ID: "plain", AuthURL: issuerURL, TokenURL: issuerURL, UserInfoURL: issuerURL, ClientID: clientID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.VerifyLogout(context.Background(), sign(t, s.key, claims)); !errors.Is(err, provider.Invalid) {
		t.Errorf("a provider without OpenID Connect: %v", err)
	}
	s.answer("issuer.example/jwks", 500, "")
	fresh := s.provider(func(o *provider.Settings) { o.Now = func() time.Time { return now } })
	if _, err := fresh.VerifyLogout(context.Background(), sign(t, s.key, claims)); !errors.Is(err, provider.Unavailable) {
		t.Errorf("without keys: %v", err)
	}
}

// The logout token names the session of an ID token, of this provider alone.
func TestOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.claims = map[string]any{"sid": "session-1"}
		p := s.provider(nil)
		flow, query := s.begin(p)
		i, reason := finish(t, p, flow, query)
		if reason != "" {
			t.Fatal(reason)
		}
		l, err := p.VerifyLogout(context.Background(), sign(t, s.key, logoutClaims(time.Now())))
		if err != nil || l.Origin != i.Origin || len(l.Subject) != 43 || len(l.Session) != 43 {
			t.Errorf("%+v, %+v, %v", l.Origin, i.Origin, err)
		}
		second := s.provider(func(o *provider.Settings) { o.ID = "second" })
		if other, err := second.VerifyLogout(context.Background(), sign(t, s.key, logoutClaims(time.Now()))); err != nil || other.Subject == l.Subject || other.Session == l.Session || other.ID == l.ID {
			t.Errorf("%+v, %v", other, err)
		}
	})
}

// The address to sign out at is the announced one, and only if the operator wants it.
func TestLogoutURL(t *testing.T) {
	const back = "https://site.example/account/logout"
	for _, c := range []struct {
		name, announced string
		logout          bool
		want            string
	}{
		{"set", issuerURL + "/end?x=1", true, issuerURL + "/end?client_id=jotgate&post_logout_redirect_uri=" + url.QueryEscape(back) + "&x=1"},
		{"not set", issuerURL + "/end", false, ""},
		{"not announced", "", true, ""},
		{"without TLS", "http://issuer.example/end", true, ""},
		{"a script", "javascript:alert(1)", true, ""},
	} {
		s := newSite(t)
		changes := map[string]any{}
		if c.announced != "" {
			changes["end_session_endpoint"] = c.announced
		}
		s.answer("issuer.example/.well-known/openid-configuration", 200, discovery(changes))
		p := s.provider(func(o *provider.Settings) { o.Logout = c.logout })
		if got := p.LogoutURL(context.Background(), back); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
