package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
)

// finish returns the identity, or the reason why there is none.
func finish(t *testing.T, p *provider.Provider, f provider.Flow, callback url.Values) (provider.Identity, provider.Reason) {
	t.Helper()
	v, err := p.Finish(context.Background(), f, callback)
	i, ok := v.Identity()
	if ok != (err == nil) {
		t.Fatalf("an identity: %v, and the error %v", ok, err)
	}
	if err == nil {
		return i, ""
	}
	var e *provider.Error
	if !errors.As(err, &e) || !errors.Is(err, e.Reason) {
		t.Fatalf("%v is not an Error", err)
	}
	if strings.Contains(err.Error(), secret) || f.State != "" && (strings.Contains(err.Error(), f.Verifier) || strings.Contains(err.Error(), f.State)) {
		t.Errorf("the error contains a secret: %v", err)
	}
	return i, e.Reason
}

func TestOnlyTheCorrectCallbackSignsIn(t *testing.T) {
	other := func(t *testing.T) *jwt.Key {
		k, err := jwt.ES256.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	unsigned := func(header string, claims any) string {
		return encode(header) + "." + encode(text(claims)) + "."
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *site, f *provider.Flow, q url.Values)
		want   provider.Reason // "" signs in
	}{
		{"correct", func(*testing.T, *site, *provider.Flow, url.Values) {}, ""},
		{"two audiences with azp", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			s.claims = map[string]any{"aud": []string{"x", clientID}, "azp": clientID}
		}, ""},
		{"no state", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Del("state") }, provider.Invalid},
		{"other state", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("state", "x") }, provider.Invalid},
		{"two states", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Add("state", "x") }, provider.Invalid},
		{"empty flow", func(_ *testing.T, _ *site, f *provider.Flow, q url.Values) {
			*f = provider.Flow{Provider: "issuer"}
			q.Set("state", "")
		}, provider.Invalid},
		{"flow of another provider", func(_ *testing.T, _ *site, f *provider.Flow, _ url.Values) { f.Provider = "google" }, provider.Invalid},
		{"flow of 10 minutes ago", func(_ *testing.T, _ *site, f *provider.Flow, _ url.Values) { f.Start -= 601 }, provider.Expired},
		{"flow of the future", func(_ *testing.T, _ *site, f *provider.Flow, _ url.Values) { f.Start += 600 }, provider.Expired},
		{"other issuer in the callback", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("iss", "https://evil.example") }, provider.Invalid},
		{"issuer with a slash", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("iss", issuerURL+"/") }, provider.Invalid},
		{"announced issuer missing", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Del("iss") }, provider.Invalid},
		{"cancelled", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
		}, provider.Denied},
		{"cancelled with a code", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("error", "access_denied") }, provider.Denied},
		{"error", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("error", "invalid_scope") }, provider.Invalid},
		{"no code", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Del("code") }, provider.Invalid},
		{"long code", func(_ *testing.T, _ *site, _ *provider.Flow, q url.Values) { q.Set("code", strings.Repeat("x", 4097)) }, provider.Invalid},
		{"code used before", func(_ *testing.T, s *site, _ *provider.Flow, q url.Values) { s.codes[q.Get("code")] = true }, provider.Invalid},
		{"verifier of another flow", func(_ *testing.T, _ *site, f *provider.Flow, _ url.Values) { f.Verifier = strings.Repeat("v", 43) }, provider.Invalid},
		{"no nonce", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) { s.claims = map[string]any{"nonce": nil} }, provider.Invalid},
		{"other nonce", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) { s.claims = map[string]any{"nonce": "x"} }, provider.Invalid},
		{"empty nonce on both sides", func(_ *testing.T, s *site, f *provider.Flow, _ url.Values) {
			f.Nonce, s.claims = "", map[string]any{"nonce": ""}
		}, provider.Invalid},
		{"other issuer", claim("iss", "https://evil.example"), provider.Invalid},
		{"issuer with a slash in the token", claim("iss", issuerURL+"/"), provider.Invalid},
		{"other audience", claim("aud", "another"), provider.Invalid},
		{"no audience", claim("aud", nil), provider.Invalid},
		{"other azp", claim("azp", "another"), provider.Invalid},
		{"two audiences without azp", claim("aud", []string{clientID, "another"}), provider.Invalid},
		{"no subject", claim("sub", nil), provider.Invalid},
		{"empty subject", claim("sub", ""), provider.Invalid},
		{"long subject", claim("sub", strings.Repeat("x", 192)), provider.Invalid},
		{"subject with a control character", claim("sub", "alice\u0000-1"), provider.Invalid},
		{"subject with a space at its end", claim("sub", "alice-1 "), provider.Invalid},
		{"expired", claim("exp", time.Now().Add(-2*time.Minute).Unix()), provider.Invalid},
		{"no expiration", claim("exp", nil), provider.Invalid},
		{"issued long ago", claim("iat", time.Now().Add(-12*time.Minute).Unix()), provider.Invalid},
		{"issued in the future", claim("iat", time.Now().Add(5*time.Minute).Unix()), provider.Invalid},
		{"no iat", claim("iat", nil), provider.Invalid},
		{"not yet valid", claim("nbf", time.Now().Add(5*time.Minute).Unix()), provider.Invalid},
		{"alg none", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			s.sign = func(claims any) string { return unsigned(`{"alg":"none"}`, claims) }
		}, provider.Invalid},
		{"alg none with a kid", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			s.sign = func(claims any) string { return unsigned(`{"alg":"none","kid":"k1"}`, claims) }
		}, provider.Invalid},
		{"HS256 with the client secret", func(t *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			k, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
			if err != nil {
				t.Fatal(err)
			}
			s.sign = func(claims any) string { return sign(t, k.WithID("k1"), claims) }
		}, provider.Invalid},
		{"unknown key", func(t *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			k := other(t).WithID("k2")
			s.sign = func(claims any) string { return sign(t, k, claims) }
		}, provider.Invalid},
		{"another key with the known id", func(t *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			k := other(t).WithID("k1")
			s.sign = func(claims any) string { return sign(t, k, claims) }
		}, provider.Invalid},
		{"a logout token", func(t *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			k := s.key.WithType("logout+jwt")
			s.sign = func(claims any) string { return sign(t, k, claims) }
		}, provider.Invalid},
		{"an access token", func(t *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			k := s.key.WithType("at+jwt")
			s.sign = func(claims any) string { return sign(t, k, claims) }
		}, provider.Invalid},
		{"no ID token", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) { s.sign = func(any) string { return "" } }, provider.Invalid},
		{"damaged ID token", func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) {
			s.sign = func(any) string { return "a.b.c" }
		}, provider.Invalid},
		{"token endpoint fails", reply("token", 500, "{}"), provider.Unavailable},
		{"token endpoint refuses", reply("token", 400, `{"error":"invalid_grant"}`), provider.Invalid},
		{"token endpoint refuses with 200", reply("token", 200, `{"error":"bad_verification_code"}`), provider.Invalid},
		{"token endpoint redirects", reply("token", 307, "https://evil.example/token"), provider.Unavailable},
		{"token endpoint sends no JSON", reply("token", 200, "<html>"), provider.Unavailable},
		{"token endpoint sends too much", reply("token", 200, `{"access_token":"`+strings.Repeat("x", 2<<20)+`"}`), provider.Unavailable},
		{"token endpoint sends too much after the response", reply("token", 200, `{"access_token":"x","id_token":"a.b.c"}`+strings.Repeat(" ", 1<<20)), provider.Unavailable},
		{"keys fail", reply("jwks", 500, ""), provider.Unavailable},
		{"keys redirect", reply("jwks", 302, "https://evil.example/jwks"), provider.Unavailable},
		{"keys send too much", reply("jwks", 200, `{"keys":["`+strings.Repeat("x", 2<<20)+`"]}`), provider.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			p := s.provider(nil)
			flow, query := s.begin(p)
			c.change(t, s, &flow, query)
			identity, reason := finish(t, p, flow, query)
			if reason != c.want {
				t.Errorf("the reason is %q, want %q", reason, c.want)
			}
			if reason == "" && (identity.Provider != "issuer" || identity.UID != "alice-1" || identity.Email != "alice@example.com" || identity.Vouched || identity.FirstName != "Alice") {
				t.Errorf("the identity is %+v", identity)
			}
			if s.requests["evil.example/token"]+s.requests["evil.example/jwks"] > 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

// claim changes a claim of the ID token.
func claim(name string, value any) func(*testing.T, *site, *provider.Flow, url.Values) {
	return func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) { s.claims = map[string]any{name: value} }
}

// reply replaces the answer of an endpoint.
func reply(path string, status int, body string) func(*testing.T, *site, *provider.Flow, url.Values) {
	return func(_ *testing.T, s *site, _ *provider.Flow, _ url.Values) {
		s.answer("issuer.example/"+path, status, body)
	}
}

// A callback that is refused makes no request: a forged one costs the provider nothing.
func TestForgedCallbackMakesNoRequest(t *testing.T) {
	s := newSite(t)
	p := s.provider(nil)
	flow, query := s.begin(p)
	for _, change := range []func(){func() { query.Set("state", "x") }, func() { query.Set("iss", "x") }, func() { query.Del("code") }} {
		change()
		if _, reason := finish(t, p, flow, query); reason != provider.Invalid {
			t.Errorf("the reason is %q", reason)
		}
	}
	if s.requests["issuer.example/token"] != 0 || s.requests["issuer.example/jwks"] != 0 {
		t.Errorf("the requests are %v", s.requests)
	}
}

func TestMetadataIsChecked(t *testing.T) {
	for name, doc := range map[string]string{
		"other issuer":         discovery(map[string]any{"issuer": "https://evil.example"}),
		"issuer with a slash":  discovery(map[string]any{"issuer": issuerURL + "/"}),
		"no issuer":            discovery(map[string]any{"issuer": nil}),
		"script address":       discovery(map[string]any{"authorization_endpoint": "javascript:alert(1)"}),
		"token without TLS":    discovery(map[string]any{"token_endpoint": "http://issuer.example/token"}),
		"token at loopback":    discovery(map[string]any{"token_endpoint": "http://127.0.0.1/token"}),
		"keys without TLS":     discovery(map[string]any{"jwks_uri": "http://issuer.example/jwks"}),
		"userinfo without TLS": discovery(map[string]any{"userinfo_endpoint": "http://issuer.example/me"}),
		"no keys":              discovery(map[string]any{"jwks_uri": nil}),
		"no JSON":              "<html>",
		"an issuer twice":      `{"issuer":"` + issuerURL + `",` + discovery(nil)[1:],
		"too long":             discovery(map[string]any{"x": strings.Repeat("x", 1<<20)}),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.answer("issuer.example/.well-known/openid-configuration", 200, doc)
			if address, _, err := s.provider(nil).Begin(context.Background(), callback, false); err == nil {
				t.Errorf("a flow began at %s", address)
			}
		})
	}
}

// Without an announced asymmetric algorithm no ID token is accepted.
func TestOnlyPublicKeysVerify(t *testing.T) {
	s := newSite(t)
	s.answer("issuer.example/.well-known/openid-configuration", 200, discovery(map[string]any{"id_token_signing_alg_values_supported": []string{"HS256", "none"}}))
	p := s.provider(nil)
	flow, query := s.begin(p)
	if _, reason := finish(t, p, flow, query); reason == "" {
		t.Error("an ID token was accepted")
	}
}

// Metadata and keys are fetched once for any number of flows; when they are old, a
// flow does not wait for the provider, and a provider that hangs delays no other.
func TestMetadataIsCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		p := s.provider(nil)
		const flows = 20
		errs := make(chan error)
		for range flows {
			go func() { _, _, err := p.Begin(context.Background(), callback, false); errs <- err }()
		}
		for range flows {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		const path = "issuer.example/.well-known/openid-configuration"
		if s.requests[path] != 1 {
			t.Errorf("the metadata was fetched %d times", s.requests[path])
		}
		time.Sleep(2 * time.Hour)
		s.mu.Lock()
		s.hang = func(r *http.Request) { <-r.Context().Done() }
		s.mu.Unlock()
		before := time.Now()
		if _, _, err := p.Begin(context.Background(), callback, false); err != nil || time.Since(before) != 0 {
			t.Errorf("a flow waited %v for a provider that hangs: %v", time.Since(before), err)
		}
		synctest.Wait()
		if s.requests[path] != 2 {
			t.Errorf("the metadata was fetched %d times", s.requests[path])
		}
		time.Sleep(24 * time.Hour)
		before = time.Now()
		if _, _, err := p.Begin(context.Background(), callback, false); !errors.Is(err, provider.Unavailable) || time.Since(before) != 5*time.Second {
			t.Errorf("after %v: %v", time.Since(before), err)
		}
		// The failure is remembered for a second, also for flows that come together.
		n := s.requests[path]
		for range flows {
			go func() { _, _, err := p.Begin(context.Background(), callback, false); errs <- err }()
		}
		for range flows {
			if err := <-errs; !errors.Is(err, provider.Unavailable) {
				t.Error(err)
			}
		}
		if s.requests[path] > n+1 {
			t.Errorf("%d flows made %d requests", flows, s.requests[path]-n)
		}
	})
}

// A provider that does not respond is unavailable after 5 seconds.
func TestSlowProvider(t *testing.T) {
	for _, path := range []string{"/token", "/jwks", "/me"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.answer("issuer.example/.well-known/openid-configuration", 200, discovery(map[string]any{"userinfo_endpoint": issuerURL + "/me"}))
			s.claims = map[string]any{"email": nil, "iat": time.Now().Unix()}
			p := s.provider(nil)
			flow, query := s.begin(p)
			s.hang = func(r *http.Request) {
				if r.URL.Path == path {
					<-r.Context().Done()
				}
			}
			before := time.Now()
			if _, reason := finish(t, p, flow, query); reason != provider.Unavailable || time.Since(before) > 5*time.Second {
				t.Errorf("%s: %q after %v", path, reason, time.Since(before))
			}
		})
	}
}
