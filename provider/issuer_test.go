package provider_test

// A scripted OpenID Connect issuer, and what depends on it. It answers from memory.

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
)

const (
	issuerURL = "https://issuer.example"
	clientID  = "jotgate"
	secret    = "a client secret of more than thirty-two bytes"
	callback  = "https://site.example/account/providers/issuer/callback"
)

// A site is a provider of one address. Tests change its answers.
type site struct {
	t   *testing.T
	key *jwt.Key

	mu        sync.Mutex
	answers   map[string]func(*http.Request) (int, string) // by host and path
	requests  map[string]int
	challenge string              // of the last authorization request
	nonce     string              // of the last authorization request
	claims    map[string]any      // of the next ID token
	sign      func(any) string    // default: with key
	codes     map[string]bool     // that were exchanged
	hang      func(*http.Request) // before every answer
}

func newSite(t *testing.T) *site {
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, key: key.WithID("k1"), requests: map[string]int{}, codes: map[string]bool{}}
	s.sign = func(claims any) string { return sign(t, s.key, claims) }
	s.answers = map[string]func(*http.Request) (int, string){
		"issuer.example/.well-known/openid-configuration": func(*http.Request) (int, string) { return 200, discovery(nil) },
		"issuer.example/jwks":                             func(*http.Request) (int, string) { return 200, keySet(t, s.key) },
		"issuer.example/token":                            s.token,
	}
	return s
}

// discovery returns the metadata with changes.
func discovery(changes map[string]any) string {
	doc := map[string]any{
		"issuer": issuerURL, "authorization_endpoint": issuerURL + "/auth", "token_endpoint": issuerURL + "/token", "jwks_uri": issuerURL + "/jwks",
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}, "authorization_response_iss_parameter_supported": true,
	}
	maps.Copy(doc, changes)
	return text(doc)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func keySet(t *testing.T, keys ...*jwt.Key) string {
	var list []string
	for _, k := range keys {
		public, err := k.Public()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text(public))
	}
	return `{"keys":[` + strings.Join(list, ",") + `]}`
}

func sign(t *testing.T, key *jwt.Key, claims any) string {
	token, err := jwt.Sign(key, jwt.Raw(text(claims)))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// token is the token endpoint: it checks the code, the client and PKCE.
func (s *site) token(r *http.Request) (int, string) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	id, password, _ := r.BasicAuth()
	if sum := sha256.Sum256([]byte(form.Get("code_verifier"))); base64.RawURLEncoding.EncodeToString(sum[:]) != s.challenge {
		return 400, `{"error":"invalid_grant"}`
	}
	if password, _ = url.QueryUnescape(password); id != clientID || password != secret {
		return 401, `{"error":"invalid_client"}`
	}
	if code := form.Get("code"); s.codes[code] || form.Get("redirect_uri") != callback {
		return 400, `{"error":"invalid_grant"}`
	} else {
		s.codes[code] = true
	}
	claims := map[string]any{
		"iss": issuerURL, "sub": "alice-1", "aud": clientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "nonce": s.nonce,
		"email": "alice@example.com", "email_verified": true, "given_name": "Alice", "family_name": "Liddell", "preferred_username": "alice",
	}
	maps.Copy(claims, s.claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return 200, text(map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": s.sign(claims)})
}

// RoundTrip implements http.RoundTripper.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	hang := s.hang
	s.requests[r.URL.Host+r.URL.Path]++
	s.mu.Unlock()
	if hang != nil {
		hang(r)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.answers[r.URL.Host+r.URL.Path]
	if answer == nil {
		return nil, fmt.Errorf("dial %s: connection refused", r.URL.Host)
	}
	status, body := answer(r)
	resp := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
	if status >= 300 && status < 400 {
		resp.Header.Set("Location", body)
	}
	return resp, nil
}

// answer replaces an answer.
func (s *site) answer(path string, status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = func(*http.Request) (int, string) { return status, body }
}

// provider returns a provider of the site.
func (s *site) provider(change func(*provider.Settings)) *provider.Provider {
	s.t.Helper()
	settings := provider.Settings{ID: "issuer", Issuer: issuerURL, ClientID: clientID, ClientSecret: secret, Transport: s}
	if change != nil {
		change(&settings)
	}
	p, err := provider.New(settings)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// begin begins a flow, as a browser that follows the address.
func (s *site) begin(p *provider.Provider) (provider.Flow, url.Values) {
	s.t.Helper()
	address, flow, err := p.Begin(context.Background(), callback, false)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("state") != flow.State || q.Get("redirect_uri") != callback || q.Get("response_type") != "code" {
		s.t.Fatalf("the authorization request is %s", address)
	}
	s.mu.Lock()
	s.challenge, s.nonce = q.Get("code_challenge"), q.Get("nonce")
	s.mu.Unlock()
	return flow, url.Values{"code": {"code " + flow.State}, "state": {flow.State}, "iss": {issuerURL}}
}
