package api

// API keys at a guard in another process, over HTTP.

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// newRemoteGuard returns a guard that knows of the site what a guard in another process
// does: its keys and the addresses of its endpoints. It runs until the test ends.
func (s *site) newRemoteGuard(changes ...func(*jotgate.GuardSettings, *apikey.RemoteSettings)) *jotgate.Guard {
	s.t.Helper()
	server := httptest.NewServer(s.API)
	s.t.Cleanup(server.Close)
	key, err := jwt.NewHMAC(jwt.HS256, []byte(siteSecret))
	if err != nil {
		s.t.Fatal(err)
	}
	gs := jotgate.GuardSettings{
		Keys: key, Audience: s.gate.Settings().Audience, RevocationsURL: server.URL + "/auth/revocations",
		Now: s.now.Now, Logger: s.gate.Settings().Logger,
	}
	rs := apikey.RemoteSettings{URL: server.URL + "/auth/api-keys/token/", InsecureHTTP: true, Transport: unlimited{}}
	for _, change := range changes {
		change(&gs, &rs)
	}
	remote, err := apikey.NewRemote(rs)
	if err != nil {
		s.t.Fatal(err)
	}
	gs.Credentials = []jotgate.CredentialSource{remote}
	guard, err := jotgate.NewGuard(gs)
	if err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = guard.Run(s.t.Context()) }()
	return guard
}

// settle waits until the site, and its remote guard, have read every revocation so far.
func (s *site) settle() {
	s.t.Helper()
	marker := s.madeKey("marker")
	token := s.signed("JWT", map[string]any{"sid": marker.Session(), "aud": s.gate.Settings().Audience})
	if err := s.settings.APIKeys.Revoke(s.t.Context(), marker.User, marker.ID, jotgate.Client{}); err != nil {
		s.t.Fatal(err)
	}
	wait.Until(s.t, "the guard has read the revocations", func() bool {
		_, err := s.remote.VerifyAccess(token)
		return err != nil
	})
}

// unlimited sends requests without their deadline, which is five seconds for an exchange.
type unlimited struct{}

func (unlimited) RoundTrip(r *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}

// counting counts the requests to a path.
type counting struct {
	path string
	sent atomic.Int32
	fail atomic.Bool
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, c.path) {
		c.sent.Add(1)
		if c.fail.Load() {
			return nil, http.ErrServerClosed
		}
	}
	return unlimited{}.RoundTrip(r)
}

// remoteSite is a site with a remote guard, whose exchanges are counted.
func remoteSite(t *testing.T) (*site, *counting) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.ServeRevocations, g.Audience, g.Claims = true, []string{credentials.Audience}, []string{"username", "role", "permissions"}
	}})
	c := &counting{path: "/auth/api-keys/token/"}
	if err := s.gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.remote = s.newRemoteGuard(func(_ *jotgate.GuardSettings, r *apikey.RemoteSettings) {
		r.Transport, r.TrustedProxies = c, []string{"192.0.2.1"} // the address of httptest.NewRequest
	})
	return s, c
}

// keyRequest is a request with the key, and further headers in pairs.
func keyRequest(key string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Api-Key", key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// expect fails unless the guard has the status for the request, after so many exchanges.
func (c *counting) expect(t *testing.T, when string, guard *jotgate.Guard, r *http.Request, status, exchanges int) *jotgate.User {
	t.Helper()
	c.sent.Store(0)
	user, err := guard.Authenticate(r)
	got := 200
	if err != nil {
		got = jotgate.AsError(err).Status
	}
	if sent := int(c.sent.Load()); got != status || sent != exchanges {
		t.Errorf("%s: %d (%v) with %d exchanges, want %d with %d", when, got, err, sent, status, exchanges)
	}
	return user
}

// A guard in another process accepts a key after one exchange, as the gate does, and
// refuses it when it has read its revocation.
func TestAPIKeyAtAGuard(t *testing.T) {
	s, c := remoteSite(t)
	key := s.madeKey("orders:read account")
	user := c.expect(t, "first", s.remote, keyRequest(key.Secret), 200, 1)
	here, err := s.gate.Authenticate(keyRequest(key.Secret))
	if err != nil || user == nil {
		t.Fatal(user, err)
	}
	if user.ID != here.ID || user.Username != "alice" || user.Role != here.Role || user.Session != here.Session ||
		!user.Limited() || !user.HasScope("orders:read") || user.HasScope("orders:write") || user.IsFor(credentials.Audience) {
		t.Errorf("the guard has %+v, the gate %+v", user, here)
	}
	for range 100 {
		c.expect(t, "again", s.remote, keyRequest(key.Secret), 200, 0)
	}
	bearer := httptest.NewRequest("GET", "/", nil)
	for _, value := range []string{"Bearer ", "api-key "} {
		bearer.Header.Set("Authorization", value+key.Secret)
		c.expect(t, value, s.remote, bearer, 200, 0)
	}
	for _, wrong := range []string{key.Secret[:63], key.Secret + "0", tamper.At(key.Secret, 20), "jgk_"} {
		c.expect(t, "wrong checksum: "+wrong, s.remote, keyRequest(wrong), 401, 0)
	}
	other := s.madeKey("orders:read")
	c.expect(t, "another key", s.remote, keyRequest(other.Secret), 200, 1)
	if err := s.settings.APIKeys.Revoke(t.Context(), key.User, key.ID, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	c.expect(t, "revoked", s.remote, keyRequest(key.Secret), 401, 0)
	c.expect(t, "not the other key", s.remote, keyRequest(other.Secret), 200, 0)
	s.now.turn(5 * time.Minute)
	c.expect(t, "revoked, after five minutes", s.remote, keyRequest(key.Secret), 401, 1)
	c.expect(t, "remembered", s.remote, keyRequest(key.Secret), 401, 0)
	c.expect(t, "the other key", s.remote, keyRequest(other.Secret), 200, 1)

	// What changes about the owner is known when the guard has read it.
	if err := s.gate.Accounts().Delete(t.Context(), s.account("alice"), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the guard refuses the key of a deleted account", func() bool {
		_, err := s.remote.Authenticate(keyRequest(other.Secret))
		return err != nil
	})
}

// A guard accepts an imported key of djangorestframework-api-key if its settings say so.
func TestImportedKeyAtAGuard(t *testing.T) {
	s, c := remoteSite(t)
	const text = "XyzAbc12.0123456789abcdefghijABCDEFGHIJkl"
	sum := sha512.Sum512([]byte(text))
	err := s.db.APIKeys().Add(t.Context(), apikey.Key{
		ID: "XyzAbc12", Digest: "sha512$$" + hex.EncodeToString(sum[:]), User: s.account("alice").ID, Name: "carrier",
		Scopes: []string{"orders:read"}, Created: s.now.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.expect(t, "without the setting", s.remote, keyRequest(text), 401, 0)
	guard := s.newRemoteGuard(func(_ *jotgate.GuardSettings, r *apikey.RemoteSettings) { r.Transport, r.Imported = c, true })
	user := c.expect(t, "first", guard, keyRequest(text), 200, 1)
	if user == nil || !user.HasScope("orders:read") || user.HasScope("account") {
		t.Errorf("%+v", user)
	}
	c.expect(t, "again", guard, keyRequest(text), 200, 0)
	c.expect(t, "another secret", guard, keyRequest(text[:len(text)-1]+"0"), 401, 1)
}

// A guard is as strict as the gate about networks and expiry.
func TestAPIKeyLimitsAtAGuard(t *testing.T) {
	s, c := remoteSite(t)
	made := func(r apikey.Request) string {
		r.Name, r.Scopes = "ci", []string{"orders:read"}
		key, err := s.settings.APIKeys.Create(t.Context(), s.account("alice"), r, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		return key.Secret
	}
	inside := made(apikey.Request{Networks: []string{"203.0.113.0/24", "2001:db8::/32"}})
	for from, want := range map[string]int{"203.0.113.9": 200, "2001:db8::1": 200, "198.51.100.1": 403, "203.0.114.1": 403} {
		if _, err := s.remote.Authenticate(keyRequest(inside, "X-Forwarded-For", from)); (err == nil) != (want == 200) || err != nil && jotgate.AsError(err).Status != want {
			t.Errorf("%s: %v, want %d", from, err, want)
		}
	}
	short := made(apikey.Request{Lifetime: time.Minute})
	c.expect(t, "new", s.remote, keyRequest(short), 200, 1)
	s.now.turn(59 * time.Second)
	c.expect(t, "in the last second", s.remote, keyRequest(short), 200, 0)
	s.now.turn(time.Second)
	c.expect(t, "expired", s.remote, keyRequest(short), 401, 1)
}

// While the issuer cannot be reached, a key that is cached works and another gets 503;
// then that one costs a request per second.
func TestIssuerOutage(t *testing.T) {
	s, c := remoteSite(t)
	cached, fresh := s.madeKey("orders:read").Secret, s.madeKey("orders:read").Secret
	c.expect(t, "cached", s.remote, keyRequest(cached), 200, 1)
	c.fail.Store(true)
	c.expect(t, "cached, in the outage", s.remote, keyRequest(cached), 200, 0)
	c.expect(t, "fresh, in the outage", s.remote, keyRequest(fresh), 503, 1)
	c.expect(t, "again", s.remote, keyRequest(fresh), 503, 0)
	s.now.turn(time.Second)
	c.expect(t, "a second later", s.remote, keyRequest(fresh), 503, 1)
	c.fail.Store(false)
	s.now.turn(time.Second)
	c.expect(t, "after the outage", s.remote, keyRequest(fresh), 200, 1)
}

// Nothing but the exchange accepts the token of an exchange: neither as a bearer token
// nor in the body of an endpoint, and a guard accepts no other token for a key.
func TestExchangedToken(t *testing.T) {
	s, _ := remoteSite(t)
	key, other := s.madeKey("account orders:read"), s.madeKey("account orders:read")
	exchange := func(key string) string {
		a := s.ask("POST", "/auth/api-keys/token/", "", "X-Api-Key", key)
		var e exchangeOut
		if err := json.Unmarshal([]byte(a.Body), &e); err != nil || a.Status != 200 || !strings.Contains(a.Body, `"expires_in":300`) || a.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s %v", a.Status, a.Body, a.Header)
		}
		return e.Token
	}
	token := exchange(key.Secret)
	if strings.Contains(token, key.Secret[15:50]) {
		t.Error("the token has the secret")
	}
	parts := strings.Split(token, ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if !strings.Contains(string(header), `"typ":"api-key+jwt"`) || !strings.Contains(string(claims), `"token_type":"api_key"`) ||
		!strings.Contains(string(claims), `"key_id":"`+key.ID+`"`) || !strings.Contains(string(claims), `"networks":[]`) {
		t.Errorf("%s %s", header, claims)
	}
	for _, guard := range []*jotgate.Guard{s.remote, s.gate.Guard} {
		for _, scheme := range []string{"Bearer ", "Token ", "Api-Key "} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", scheme+token)
			if user, err := guard.Authenticate(r); err == nil {
				t.Errorf("%s: accepted as a bearer token of %s", scheme, user.ID)
			}
		}
	}
	for _, path := range []string{"/api/token/verify/", "/api/token/refresh/", "/api/token/blacklist/"} {
		want(t, path, s.ask("POST", path, `{"token":"`+token+`","refresh":"`+token+`"}`), 401, "Token is invalid")
	}

	// What an issuer could send for a key instead.
	for name, sent := range map[string]string{
		"the token of another key": exchange(other.Secret), "an access token": s.login("alice").access,
		"an access token with scopes": s.signed("JWT", map[string]any{"scope": "account", "sid": key.Session(), "key_id": key.ID, "networks": []string{}}),
		"a token without scopes":      s.signed("api-key+jwt", map[string]any{"token_type": "api_key", "sid": key.Session(), "key_id": key.ID, "networks": []string{}}),
		"a token without networks":    s.signed("api-key+jwt", map[string]any{"token_type": "api_key", "sid": key.Session(), "key_id": key.ID, "scope": "account"}),
		"networks that are not":       s.signed("api-key+jwt", map[string]any{"token_type": "api_key", "sid": key.Session(), "key_id": key.ID, "scope": "account", "networks": []string{"x"}}),
		"a token of another type":     s.signed("api-key+jwt", map[string]any{"sid": key.Session(), "key_id": key.ID, "scope": "account", "networks": []string{}}),
		"a token for another service": s.signed("api-key+jwt", map[string]any{"token_type": "api_key", "sid": key.Session(), "key_id": key.ID, "scope": "account", "networks": []string{}, "aud": "x"}),
		"an expired token":            s.signed("api-key+jwt", map[string]any{"token_type": "api_key", "sid": key.Session(), "key_id": key.ID, "scope": "account", "networks": []string{}, "exp": 1}),
		"a changed token":             tamper.At(token, -5),
		"":                            token,
	} {
		issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(exchangeOut{Token: sent})
		}))
		guard := s.newRemoteGuard(func(_ *jotgate.GuardSettings, r *apikey.RemoteSettings) { r.URL = issuer.URL })
		if _, err := guard.Authenticate(keyRequest(key.Secret)); (err == nil) != (name == "") {
			t.Errorf("%s: %v", name, err)
		}
		issuer.Close()
	}
}
