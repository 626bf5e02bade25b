package jotgate_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

const (
	appURI      = "https://app.example.com/in"
	appVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

func challengeOf(verifier string) string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// instantIssuer is an OpenID Connect issuer that answers from memory: the code of a
// callback is the nonce.
type instantIssuer struct {
	key   *jwt.Key
	now   func() time.Time
	extra map[string]any // further claims
	asked atomic.Int64   // requests for the metadata and the keys
}

const instantURL = "https://instant.example"

func (i *instantIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	var body any
	switch r.URL.Path {
	case "/token":
		sent, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(sent))
		claims := map[string]any{
			"iss": instantURL, "aud": "client", "sub": "alice-there", "iat": i.now().Unix(), "exp": i.now().Add(time.Hour).Unix(), "nonce": form.Get("code"),
			"email": "alice@example.com", "email_verified": true,
		}
		for name, value := range i.extra {
			claims[name] = value
		}
		token, err := jwt.Sign(i.key, claims)
		if err != nil {
			return nil, err
		}
		body = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token}
	case "/jwks":
		i.asked.Add(1)
		public, err := i.key.Public()
		if err != nil {
			return nil, err
		}
		body = map[string]any{"keys": []any{public}}
	default:
		i.asked.Add(1)
		body = map[string]any{
			"issuer": instantURL, "authorization_endpoint": instantURL + "/auth", "token_endpoint": instantURL + "/token", "jwks_uri": instantURL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

// newInstant returns an issuer and its provider.
func newInstant(t testing.TB, now func() time.Time, adjust func(*provider.Settings)) (*instantIssuer, *provider.Provider) {
	t.Helper()
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	i := &instantIssuer{key: key.WithID("k"), now: now}
	s := provider.Settings{ID: "instant", Issuer: instantURL, ClientID: "client", ClientSecret: "secret", Transport: i, Now: now}
	if adjust != nil {
		adjust(&s)
	}
	p, err := provider.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return i, p
}

// signInThere is the way of a browser to the issuer and back.
func signInThere(t testing.TB, ps jotgate.Providers, use jotgate.ProviderFlow) *jotgate.ProviderLogin {
	t.Helper()
	ctx := t.Context()
	address, _, value, err := ps.Begin(ctx, "instant", "https://example.com/callback", use, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	callback := url.Values{"state": {u.Query().Get("state")}, "code": {u.Query().Get("nonce")}}
	l, err := ps.Finish(ctx, "instant", value, callback, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// appSite is a gate with a provider and an application, and the account of alice, which
// is connected.
func appSite(t *testing.T, db *store.Store, clock func() time.Time) (*jotgate.Gate, *record.Account) {
	t.Helper()
	_, p := newInstant(t, clock, nil)
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(strings.Repeat("secret", 8)), Now: clock, Providers: []*provider.Provider{p}, AppRedirects: []string{"https://app.example.com", "com.example.app:", "http://127.0.0.1"},
	}, db)
	if err != nil {
		t.Fatal(err)
	}
	a := &record.Account{Username: "alice", Email: "alice@example.com", Password: "!", IsActive: true, DateJoined: clock()}
	if err := db.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	row := &record.SocialAccount{Provider: "instant", UID: "alice-there", Data: "{}", LastLogin: clock(), Joined: clock()}
	if err := db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: a.ID, Connect: row, At: clock()}); err != nil {
		t.Fatal(err)
	}
	return gate, a
}

// appCode returns a code for the application.
func appCode(t *testing.T, ps jotgate.Providers) string {
	t.Helper()
	l := signInThere(t, ps, jotgate.ProviderFlow{App: &jotgate.ProviderApp{RedirectURI: appURI, Challenge: challengeOf(appVerifier), State: "s&1"}})
	address, err := ps.AppCode(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, appURI+"?") || u.Query().Get("state") != "s&1" || len(address) > 1500 {
		t.Fatalf("%s, %v", address, err)
	}
	return u.Query().Get("code")
}

// Of concurrent requests with one code one logs in, on both databases.
func TestAppCodeOneWinner(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		gate, _ := appSite(t, db, func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) })
		ps := gate.Logins().Providers()
		for range 5 {
			code, won := appCode(t, ps), atomic.Int64{}
			atOnce(8, func(int) {
				l, err := ps.Exchange(context.WithoutCancel(t.Context()), code, appVerifier, appURI, jotgate.Client{})
				if err == nil {
					_, err = gate.Logins().Begin(context.WithoutCancel(t.Context()), l.Proof(), jotgate.Client{})
				}
				switch {
				case err == nil:
					won.Add(1)
				case jotgate.AsError(err).Code != "provider_expired":
					t.Error(err)
				}
			})
			if won.Load() != 1 {
				t.Fatalf("%d of 8 logged in", won.Load())
			}
		}
	})
}

// Each exchange differs in one point from the first, which logs in.
func TestAppCodeRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		gate, alice := appSite(t, db, func() time.Time { return now })
		ps := gate.Logins().Providers()
		type exchange struct{ code, verifier, redirect string }
		for _, c := range []struct {
			name   string
			change func(e *exchange)
			code   string // of the error; "" logs in
		}{
			{"right", func(*exchange) {}, ""},
			{"after 59 seconds", func(*exchange) { now = now.Add(59 * time.Second) }, ""},
			{"after a minute", func(*exchange) { now = now.Add(time.Minute) }, "provider_expired"},
			{"used", func(e *exchange) { _, _ = ps.Exchange(t.Context(), e.code, e.verifier, e.redirect, jotgate.Client{}) }, "provider_expired"},
			{"another verifier first", func(e *exchange) { _, _ = ps.Exchange(t.Context(), e.code, "x", e.redirect, jotgate.Client{}) }, ""},
			{"no code", func(e *exchange) { e.code = "" }, "provider_expired"},
			{"changed", func(e *exchange) { e.code = tamper.At(e.code, 20) }, "provider_expired"},
			{"no verifier", func(e *exchange) { e.verifier = "" }, "provider_invalid"},
			{"the challenge as verifier", func(e *exchange) { e.verifier = challengeOf(appVerifier) }, "provider_invalid"},
			{"another verifier", func(e *exchange) { e.verifier += "x" }, "provider_invalid"},
			{"no redirect_uri", func(e *exchange) { e.redirect = "" }, "provider_invalid"},
			{"another path", func(e *exchange) { e.redirect += "/" }, "provider_invalid"},
			{"another listed application", func(e *exchange) { e.redirect = "com.example.app:/in" }, "provider_invalid"},
			{"disconnected since", func(*exchange) {
				rows, err := db.SocialAccounts().ListSocial(t.Context(), alice.ID)
				if err == nil {
					err = db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: alice.ID, Disconnect: rows[0].ID, IfPassword: "!"})
				}
				if err != nil {
					t.Fatal(err)
				}
			}, "not_connected"},
		} {
			e := exchange{appCode(t, ps), appVerifier, appURI}
			c.change(&e)
			l, err := ps.Exchange(t.Context(), e.code, e.verifier, e.redirect, jotgate.Client{})
			if err == nil {
				_, err = gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{})
			}
			if got := codeOf(err); got != c.code {
				t.Errorf("%s: %q %v, want %q", c.name, got, err, c.code)
			}
		}
		// A browser that is not connected gets no code.
		l := signInThere(t, ps, jotgate.ProviderFlow{App: &jotgate.ProviderApp{RedirectURI: appURI, Challenge: challengeOf(appVerifier)}})
		if _, err := ps.AppCode(t.Context(), l); !errors.Is(err, jotgate.ErrNotConnected) {
			t.Error(err)
		}
	})
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return jotgate.AsError(err).Code
}

// A logout by the provider between the code and its exchange ends the login.
func TestAppCodeLogout(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		gate, _ := appSite(t, db, func() time.Time { return now })
		ps := gate.Logins().Providers()
		code := appCode(t, ps)
		now = now.Add(10 * time.Second)
		which := record.SocialUse{Provider: "instant", Subject: subjectOf(t, ps), At: now}
		if _, err := db.SocialAccounts().EndSocial(t.Context(), which, record.Spent{ID: "logout 1", Expires: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Second)
		l, err := ps.Exchange(t.Context(), code, appVerifier, appURI, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
			t.Errorf("%v, want ErrLoginNotValid", err)
		}
	})
}

// subjectOf returns the subject of the user at the issuer, as sessions have it.
func subjectOf(t *testing.T, ps jotgate.Providers) string {
	identity := signInThere(t, ps, jotgate.ProviderFlow{}).Identity()
	return identity.Origin.Subject
}

// Only listed applications get codes, and only with a challenge.
func TestCheckApp(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		gate, _ := appSite(t, db, func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) })
		ps := gate.Logins().Providers()
		right := jotgate.ProviderApp{RedirectURI: appURI, Challenge: challengeOf("v"), State: "s"}
		for redirect, ok := range map[string]bool{
			appURI: true, "https://app.example.com": true, "https://app.example.com/?a=b": true, "com.example.app:/in": true, "com.example.app://in/x": true,
			"http://127.0.0.1:51234/in": true, "http://127.0.0.1/in": true,
			"": false, "/in": false, "//app.example.com/in": false, "http://app.example.com/in": false, "https://app.example.com:8443/in": false,
			"https://app.example.com.evil.example/in": false, "https://app.example.com@evil.example/in": false, "https://evil.example/https://app.example.com": false,
			"https://user@app.example.com/in": false, appURI + "#x": false, appURI + "#": false, appURI + "?code=1": false, appURI + "?state=1": false, appURI + "?error=1": false,
			"https://app.example.com\\@evil.example/": false, " " + appURI: false, appURI + "\n": false, "https://app.example.com/" + strings.Repeat("x", 500): false,
			"com.example.application:/in": false, "com.example.app:in": false, "com.example:/in": false, "javascript:alert(1)": false, "data:text/html,x": false,
			"http://127.0.0.1.evil.example:80/": false, "http://localhost:51234/in": false, "https://127.0.0.1:51234/": false, "http://[::1]:51234/": false,
		} {
			app := right
			if app.RedirectURI = redirect; (ps.CheckApp(app) == nil) != ok {
				t.Errorf("%q: %v", redirect, ps.CheckApp(app))
			}
		}
		for _, challenge := range []string{"", "v", challengeOf("v")[1:], challengeOf("v") + "=", challengeOf("v") + "A", strings.Repeat("+", 43)} {
			app := right
			if app.Challenge = challenge; ps.CheckApp(app) == nil {
				t.Errorf("challenge %q: accepted", challenge)
			}
		}
		for _, state := range []string{"a b", "a\nb", strings.Repeat("x", 257)} {
			app := right
			if app.State = state; ps.CheckApp(app) == nil {
				t.Errorf("state %q: accepted", state)
			}
		}
		for _, entry := range []string{"", "app.example.com", "https://app.example.com/", "https://app.example.com/in", "http://app.example.com", "myapp:", "javascript:", "*", "com.example.app", "COM.example.app:", "https://*.example.com/"} {
			if _, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("secret", 8)), AppRedirects: []string{entry}}, db); err == nil {
				t.Errorf("AppRedirects %q: accepted", entry)
			}
		}
		off, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("secret", 8))}, db)
		if err != nil {
			t.Fatal(err)
		}
		if err := off.Logins().Providers().CheckApp(right); !errors.Is(err, jotgate.ErrNotFound) {
			t.Error(err)
		}
	})
}
