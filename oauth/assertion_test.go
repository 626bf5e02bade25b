package oauth_test

import (
	"maps"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/oauth"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// signer is a client with a key.
type signer struct {
	*site
	oauth.Created
	key *jwt.Key
}

func (w *site) signer(name string, alg jwt.Algorithm) *signer {
	w.t.Helper()
	key, err := alg.GenerateKey()
	if err != nil {
		w.t.Fatal(err)
	}
	set, err := key.KeySet().MarshalJSON()
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.server.Create(w.t.Context(), oauth.Request{Name: name, Scopes: []string{"orders:read"}, Keys: set}, jotgate.Client{})
	if err != nil {
		w.t.Fatal(err)
	}
	return &signer{w, c, key}
}

// assertion returns a request with an assertion that has these claims; nil removes one.
func (s *signer) assertion(key *jwt.Key, jti string, changes map[string]any) oauth.Call {
	s.t.Helper()
	now := s.Clock.Now().Unix()
	claims := map[string]any{"iss": s.ID, "sub": s.ID, "aud": endpoint, "exp": now + 60, "iat": now, "jti": jti}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	text, err := jwt.Sign(key, claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return grant("client_assertion", text, "client_assertion_type", assertionType)
}

func TestAssertions(t *testing.T) {
	w := newSite(t)
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256, jwt.PS256} {
		c := w.signer("client-"+string(alg), alg)
		if token, err := w.server.Token(t.Context(), c.assertion(c.key, "1", nil)); err != nil || token.Scope != "orders:read" {
			t.Errorf("%s: %+v, %v", alg, token, err)
		}
	}
	c, other := w.signer("service", jwt.ES256), w.signer("other", jwt.ES256)
	ask := func(call oauth.Call) string {
		_, err := w.server.Token(t.Context(), call)
		return code(t, err)
	}
	now := w.Clock.Now().Unix()
	for name, changes := range map[string]map[string]any{
		"the issuer":              {"aud": "https://auth.example"},
		"several audiences":       {"aud": []string{"https://elsewhere.example", endpoint}},
		"five minutes":            {"exp": now + 300},
		"a clock that is ahead":   {"iat": now + 8, "nbf": now + 8},
		"jti of another client's": {"jti": "1"},
	} {
		if got := ask(c.assertion(c.key, "accepted "+name, changes)); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, changes := range map[string]map[string]any{
		"elsewhere":              {"aud": "https://elsewhere.example"},
		"endpoint of another":    {"aud": endpoint + "x"},
		"no aud":                 {"aud": nil},
		"no jti":                 {"jti": nil},
		"empty jti":              {"jti": ""},
		"no exp":                 {"exp": nil},
		"no iss":                 {"iss": nil},
		"no sub":                 {"sub": nil},
		"expired":                {"exp": now - 60},
		"valid for ten minutes":  {"exp": now + 600},
		"not yet valid":          {"nbf": now + 70},
		"issued in the future":   {"iat": now + 70},
		"iss of another":         {"iss": other.ID},
		"sub of another":         {"sub": other.ID},
		"iss and sub of another": {"iss": other.ID, "sub": other.ID},
		"of an unknown client":   {"iss": "unknown", "sub": "unknown"},
		"sub that is not a text": {"sub": 1},
		"used before":            {"jti": "accepted the issuer"},
	} {
		if got := ask(c.assertion(c.key, "refused "+name, changes)); got != "invalid_client" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := ask(c.assertion(other.key, "another key", nil)); got != "invalid_client" {
		t.Errorf("another client's key: %q", got)
	}
	mixed := c.assertion(c.key, "mixed", nil)
	mixed.Form.Set("client_id", other.ID)
	if got := ask(mixed); got != "invalid_request" {
		t.Errorf("client_id of another: %q", got)
	}
	mixed.Form.Set("client_id", c.ID)
	if got := ask(basic(mixed, c.ID, "x")); got != "invalid_request" {
		t.Errorf("two methods: %q", got)
	}
	mixed.Header.Del("Authorization")
	if got := ask(mixed); got != "" {
		t.Errorf("with client_id: %s", got)
	}
	// A client with keys has no secret, even after it was seen, and the other way round.
	for _, secret := range []string{"", "x"} {
		for _, call := range []oauth.Call{basic(grant(), c.ID, secret), grant("client_id", c.ID, "client_secret", secret)} {
			if got := ask(call); got != "invalid_client" {
				t.Errorf("secret %q: %q", secret, got)
			}
		}
	}
	plain := w.create("plain", "orders:read")
	if got := ask(c.assertion(c.key, "plain", map[string]any{"iss": plain.ID, "sub": plain.ID})); got != "invalid_client" {
		t.Errorf("an assertion of a client with a secret: %q", got)
	}
	// An assertion that has expired can not be used again either when its jti is forgotten.
	call := c.assertion(c.key, "late", nil)
	if got := ask(call); got != "" {
		t.Fatal(got)
	}
	w.Clock.Advance(60*time.Second + 29*time.Second)
	if got := ask(call); got != "invalid_client" {
		t.Errorf("again within the leeway: %q", got)
	}
}
