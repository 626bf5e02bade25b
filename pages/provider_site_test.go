package pages_test

// A stand-in for a provider, which answers from memory.

import (
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/provider"
)

const clientSecret = "a client secret of more than thirty-two bytes"

// idp is the OpenID Connect provider https://idp.example and Apple.
type idp struct {
	key    *jwt.Key
	now    func() time.Time
	mu     sync.Mutex
	claims map[string]any    // of the user who signs in
	nonces map[string]string // by code
	down   error             // of every request
	sign   func(*jwt.Key, jwt.Raw) (string, error)
	reply  map[string]func(*http.Response) // by the last part of the path: changes the response
	docs   map[string]any                  // by host and path: what is there
}

// RoundTrip implements http.RoundTripper.
func (i *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	status, answer := 200, any(nil)
	issuer := "https://" + r.URL.Host
	switch {
	case i.down != nil:
		return nil, i.down
	case i.docs[r.URL.Host+r.URL.Path] != nil:
		answer = i.docs[r.URL.Host+r.URL.Path]
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		answer = map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
	case r.URL.Path == "/jwks":
		public, _ := i.key.Public()
		answer = map[string]any{"keys": []any{public}}
	default:
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		nonce, ok := i.nonces[form.Get("code")]
		delete(i.nonces, form.Get("code"))
		if !ok {
			status, answer = 400, map[string]any{"error": "invalid_grant"}
			break
		}
		claims := map[string]any{"iss": issuer, "aud": "client", "iat": i.now().Unix(), "exp": i.now().Add(time.Hour).Unix(), "nonce": nonce}
		maps.Copy(claims, i.claims)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		text, _ := json.Marshal(claims)
		token, err := i.sign(i.key, jwt.Raw(text))
		if err != nil {
			return nil, err
		}
		answer = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token}
	}
	text, err := json.Marshal(answer)
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(text))), Request: r}
	if change := i.reply[strings.TrimPrefix(path.Base(r.URL.Path), "access_")]; change != nil {
		change(resp)
	}
	return resp, err
}

// providerSite is a site at which users can sign in with idp ("Example") and Apple.
type providerSite struct {
	*site
	idp *idp
	id  string // of the provider that is tested
}

func newProviderSite(t *testing.T, o pages.Options, changes ...func(*jotgate.Settings)) *providerSite {
	t.Helper()
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	i := &idp{key: key.WithID("k"), nonces: map[string]string{}, sign: func(k *jwt.Key, c jwt.Raw) (string, error) { return jwt.Sign(k, c) }}
	var list []*provider.Provider
	for _, s := range []provider.Settings{{ID: "example", Name: "Example", Issuer: "https://idp.example", TrustEmail: true, Logout: true}, {ID: "apple"}, {ID: "microsoft"}, {ID: "github"}, {ID: "other", Name: "Other", Issuer: "https://other.example"}} {
		s.ClientID, s.ClientSecret, s.Transport, s.Now = "client", clientSecret, i, func() time.Time { return i.now() }
		p, err := provider.New(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	with := func(s *jotgate.Settings) { s.Providers = list }
	s := &providerSite{newSite(t, o, append(changes, with)...), i, "example"}
	i.now = s.gate.Clock.Now
	return s
}

// user sets who signs in at the provider. verified is nil, true or false.
func (s *providerSite) user(uid, email string, verified any) {
	s.idp.claims = map[string]any{"sub": uid, "given_name": "Ada", "family_name": "Lovelace", "preferred_username": "ada"}
	if email != "" {
		s.idp.claims["email"] = email
	}
	if verified != nil {
		s.idp.claims["email_verified"] = verified
	}
}

var refresh = regexp.MustCompile(`^0; url=(https://.+)$`)

// leave presses the button of a provider and returns the callback of a user who agrees
// there.
func (s *providerSite) leave(id string, fields ...string) url.Values {
	s.Helper()
	page := s.post("/account/provider", append([]string{"provider", id}, fields...)...)
	m := refresh.FindStringSubmatch(page.header.Get("Refresh"))
	if page.status != 200 || m == nil || !strings.Contains(html.UnescapeString(page.body), `href="`+m[1]+`"`) {
		s.Fatalf("the way to the provider: %d %v\n%s", page.status, page.header, page.body)
	}
	u, err := url.Parse(m[1])
	if err != nil {
		s.Fatal(err)
	}
	q := u.Query()
	if q.Get("redirect_uri") != s.server.URL+callbackOf(id) || q.Get("code_challenge_method") != "S256" || (q.Get("nonce") == "") != (id == "github") {
		s.Fatalf("the authorization request is %s", u)
	}
	code := "code of " + q.Get("state")
	s.idp.mu.Lock()
	s.idp.nonces[code] = q.Get("nonce")
	s.idp.mu.Unlock()
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func callbackOf(id string) string { return "/account/provider/" + id + "/callback" }

// back is the browser coming back from the provider.
func (s *providerSite) back(id string, callback url.Values) shown {
	s.Helper()
	return s.get(callbackOf(id) + "?" + callback.Encode())
}

// provide signs in with the provider.
func (s *providerSite) provide(fields ...string) shown {
	s.Helper()
	return s.back("example", s.leave("example", fields...))
}
