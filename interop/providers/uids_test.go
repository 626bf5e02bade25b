package providers

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/interop/allauth"
	"github.com/jotgate/jotgate/interop/providers/linking"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// A users is a provider with one user, in memory.
type users struct {
	key    *jwt.Key
	claims map[string]any // of the ID token
	info   map[string]any // at the userinfo endpoint
}

// RoundTrip implements http.RoundTripper.
func (u *users) RoundTrip(r *http.Request) (*http.Response, error) {
	var body any
	origin := "https://" + r.URL.Host
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/.well-known/openid-configuration"):
		issuer := strings.Replace(origin+strings.TrimSuffix(path, "/.well-known/openid-configuration"), "/common/", "/{tenantid}/", 1)
		body = map[string]any{
			"issuer": issuer, "authorization_endpoint": origin + "/auth", "token_endpoint": origin + "/token", "jwks_uri": origin + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
	case strings.HasSuffix(path, "token"):
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(sent))
		if err != nil {
			return nil, err
		}
		claims := map[string]any{"iss": origin, "aud": "client", "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(), "nonce": form.Get("code")}
		maps.Copy(claims, u.claims)
		token, err := jwt.Sign(u.key, claims)
		if err != nil {
			return nil, err
		}
		body = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token}
	case path == "/jwks":
		public, err := u.key.Public()
		if err != nil {
			return nil, err
		}
		body = map[string]any{"keys": []any{public}}
	case strings.HasSuffix(path, "/emails"):
		body = []any{}
	default:
		body = u.info
	}
	text, err := json.Marshal(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}, err
}

// The id of an account at each provider by name is the one that allauth takes from what it gets of the same user.
func TestUIDs(t *testing.T) {
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	const tenant, graph = "11111111-2222-3333-4444-555555555555", "00000000-0000-0000-66f3-3332eca7ea81"
	type data = map[string]any
	django := allauth.StartWith(t, "sqlite:"+t.TempDir()+"/none.db", "secret", "https://certified.example", allauth.Client{})
	for id, c := range map[string]struct{ claims, info, allauth data }{
		"google":    {claims: data{"sub": "108204268033311374519"}, allauth: data{"sub": "108204268033311374519"}},
		"github":    {info: data{"id": 583231, "login": "octocat"}, allauth: data{"id": 583231, "login": "octocat"}},
		"microsoft": {claims: data{"sub": "AAAA", "oid": graph, "tid": tenant, "iss": "https://login.microsoftonline.com/" + tenant + "/v2.0"}, allauth: data{"id": graph}},
		"apple":     {claims: data{"sub": "001481.1bd6ddc4e2be4f5d.1343"}, allauth: data{"sub": "001481.1bd6ddc4e2be4f5d.1343"}},
		"gitlab":    {claims: data{"sub": "2"}, allauth: data{"id": 2, "username": "ada"}},
		"facebook":  {info: data{"id": "10158", "first_name": "Ada"}, allauth: data{"id": "10158"}},
		"discord":   {info: data{"id": "80351110224678912", "username": "nelly"}, allauth: data{"id": "80351110224678912"}},
	} {
		p, err := provider.New(provider.Settings{ID: id, ClientID: "client", ClientSecret: linking.Secret, Transport: &users{key.WithID("k"), c.claims, c.info}, Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		address, flow, err := p.Begin(t.Context(), "https://example.com/callback", false)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		code := u.Query().Get("nonce")
		if code == "" {
			code = "x"
		}
		verified, err := p.Finish(t.Context(), flow, url.Values{"state": {flow.State}, "code": {code}})
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		identity, _ := verified.Identity()
		var want string
		django.Ask(t, "uid", map[string]any{"provider": id, "data": c.allauth}, &want)
		if identity.UID == "" || identity.UID != want || identity.Provider != id {
			t.Errorf("%s: jotgate has %q, allauth %q", id, identity.UID, want)
		}
	}
	if got, want := len(provider.Presets()), 7; got != want {
		t.Errorf("there are %d providers by name, and %d are compared", got, want)
	}
}
