package api

// Logins with an ID token that an app got from a provider's SDK.

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// issuer is an OpenID Connect issuer that answers from memory.
type issuer struct {
	key     *jwt.Key
	now     func() time.Time
	idToken string // of the next code
}

const issuerURL = "https://issuer.example"

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	public, err := i.key.Public()
	if err != nil {
		return nil, err
	}
	var body any = map[string]any{"keys": []any{public}}
	if strings.HasPrefix(r.URL.Path, "/.well-known/") {
		body = map[string]any{
			"issuer": issuerURL, "authorization_endpoint": issuerURL + "/auth", "token_endpoint": issuerURL + "/token", "jwks_uri": issuerURL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
	}
	if r.URL.Path == "/token" {
		body = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": i.idToken}
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

const appNonce = "a-nonce-of-the-app-1"

// token signs the claims of alice in the app, with changes; nil removes a claim.
func (i *issuer) token(t testing.TB, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": issuerURL, "aud": "app.example", "sub": "alice-there", "iat": i.now().Unix(), "exp": i.now().Add(time.Hour).Unix(), "nonce": appNonce,
		"email": "alice@example.com", "email_verified": true,
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	text, err := jwt.Sign(i.key, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// appProviders is a provider with an app, for tests of every route.
func appProviders() []*provider.Provider {
	p, err := provider.New(provider.Settings{ID: "example", Issuer: issuerURL, ClientID: "web.example", NativeClientIDs: []string{"app.example"}, Transport: &issuer{}})
	if err != nil {
		panic(err)
	}
	return []*provider.Provider{p}
}

// nativeSite has the account of alice connected with the issuer.
func nativeSite(t *testing.T, adjust func(*provider.Settings)) (*site, *issuer) {
	t.Helper()
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key.WithID("k1")}
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		i.now = g.Now
		settings := provider.Settings{
			ID: "example", Issuer: issuerURL, ClientID: "web.example", ClientSecret: "secret", NativeClientIDs: []string{"app.example", "tv.example"}, Transport: i, Now: g.Now,
		}
		if adjust != nil {
			adjust(&settings)
		}
		p, err := provider.New(settings)
		if err != nil {
			t.Fatal(err)
		}
		g.Providers, g.AppRedirects = []*provider.Provider{p}, []string{appOrigin}
	}})
	row := &record.SocialAccount{Provider: "example", UID: "alice-there", Data: "{}", LastLogin: s.now.Now(), Joined: s.now.Now()}
	if err := s.db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: s.account("alice").ID, Connect: row, At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	return s, i
}

func (s *site) native(token, nonce string) answer {
	return s.ask("POST", "/api/token/provider/", object("provider", "example", "id_token", token, "nonce", nonce))
}

func TestTokenProvider(t *testing.T) {
	s, i := nativeSite(t, nil)
	token := i.token(t, nil)
	a := s.native(token, appNonce)
	want(t, "login", a, 200, `"username":"alice"`)
	list, err := s.db.Sessions().List(t.Context(), s.account("alice").ID, s.now.Now())
	if err != nil || len(list) != 1 || list[0].AMR != "fed" || list[0].Provider != "example" {
		t.Errorf("%+v, %v", list, err)
	}
	want(t, "used twice", s.native(token, appNonce), 403, "provider_expired")
	digest := sha256.Sum256([]byte(appNonce))
	want(t, "SHA-256 of the nonce", s.native(i.token(t, map[string]any{"nonce": hex.EncodeToString(digest[:])}), appNonce), 200, "access")
	want(t, "another app", s.native(i.token(t, map[string]any{"aud": "tv.example", "azp": "app.example"}), appNonce), 200, "access")
	want(t, "unknown provider", s.ask("POST", "/api/token/provider/", object("provider", "other", "id_token", token, "nonce", appNonce)), 404, "")
	want(t, "not connected", s.native(i.token(t, map[string]any{"sub": "bob-there", "email": "new@example.com"}), appNonce), 401, "not_connected")
	want(t, "not connected, with alice's address", s.native(i.token(t, map[string]any{"sub": "bob-there"}), appNonce), 401, "not_connected")
}

// Only a token that is right in every claim logs in.
func TestTokenProviderRefused(t *testing.T) {
	s, i := nativeSite(t, nil)
	other, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	stranger := &issuer{key: other.WithID("k1"), now: i.now}
	hmacKey, err := jwt.NewHMAC(jwt.HS256, []byte("a client secret of more than thirty-two bytes"))
	if err != nil {
		t.Fatal(err)
	}
	hmac := &issuer{key: hmacKey, now: i.now}
	at := func(d time.Duration) int64 { return i.now().Add(d).Unix() }
	for name, token := range map[string]string{
		"the website's audience": i.token(t, map[string]any{"aud": "web.example"}), "other audience": i.token(t, map[string]any{"aud": "evil.example"}),
		"no audience": i.token(t, map[string]any{"aud": nil}), "prefix of an audience": i.token(t, map[string]any{"aud": "app.exampl"}),
		"two audiences without azp": i.token(t, map[string]any{"aud": []string{"app.example", "evil.example"}}), "other azp": i.token(t, map[string]any{"azp": "evil.example"}),
		"other issuer": i.token(t, map[string]any{"iss": "https://evil.example"}), "no nonce": i.token(t, map[string]any{"nonce": nil}),
		"other nonce": i.token(t, map[string]any{"nonce": "a-nonce-of-the-app-2"}), "expired": i.token(t, map[string]any{"exp": at(-2 * time.Minute)}),
		"old": i.token(t, map[string]any{"iat": at(-12 * time.Minute)}), "no iat": i.token(t, map[string]any{"iat": nil}), "no subject": i.token(t, map[string]any{"sub": nil}),
		"unknown key": stranger.token(t, nil), "client secret": hmac.token(t, nil), "no signature": strings.TrimRight(i.token(t, nil), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
		"a logout token": i.token(t, map[string]any{"nonce": nil, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}),
	} {
		want(t, name, s.native(token, appNonce), 403, "provider_invalid")
	}
	want(t, "short nonce", s.native(i.token(t, map[string]any{"nonce": "short"}), "short"), 403, "provider_invalid")
	if list, err := s.db.Sessions().List(t.Context(), s.account("alice").ID, s.now.Now()); err != nil || len(list) != 0 {
		t.Errorf("%d sessions, %v", len(list), err)
	}
}

// Of concurrent requests with one token one logs in.
func TestTokenProviderOneWinner(t *testing.T) {
	s, i := nativeSite(t, nil)
	token := i.token(t, nil)
	won := make(chan struct{}, 8)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if s.native(token, appNonce).Status == 200 {
				won <- struct{}{}
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Errorf("%d logged in", len(won))
	}
}

// The second factor is still due, and inactive users stay outside.
func TestTokenProviderSteps(t *testing.T) {
	s, i := nativeSite(t, nil)
	app, _ := s.enrol(t, s.login("alice").access)
	a := s.native(i.token(t, nil), appNonce)
	want(t, "provider", a, 401, `"code":"mfa_required"`)
	want(t, "second factor", s.ask("POST", "/api/token/mfa/", object("pending", a.member("pending"), "code", app.code(t))), 200, `"amr":["fed","otp","mfa"]`)
	inactive := false
	if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, record.Change{IsActive: &inactive, At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	want(t, "inactive", s.native(i.token(t, map[string]any{"jti": "2"}), appNonce), 401, "No active account")
}

// Without native_client_ids there is no such endpoint, nor such a login in Go.
func TestTokenProviderOff(t *testing.T) {
	s, i := nativeSite(t, func(p *provider.Settings) { p.NativeClientIDs = nil })
	want(t, "endpoint", s.native(i.token(t, nil), appNonce), 404, "")
	_, err := s.gate.Logins().Providers().Native(t.Context(), "example", i.token(t, map[string]any{"aud": "web.example"}), appNonce, jotgate.Client{})
	if jotgate.AsError(err).Code != "provider_denied" {
		t.Error(err)
	}
	if _, err := provider.New(provider.Settings{ID: "github", ClientID: "x", NativeClientIDs: []string{"app"}}); err == nil {
		t.Error("a provider without ID tokens has native_client_ids")
	}
}

const appOrigin = "https://app.example.com"
