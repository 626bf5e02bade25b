package provider_test

// Stand-ins of the presets.

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/provider"
)

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// moved returns the site at the addresses of an issuer.
func moved(s *site, issuer, published string) *site {
	host := strings.TrimPrefix(issuer, "https://")
	name, _, _ := strings.Cut(host, "/")
	doc := discovery(map[string]any{
		"issuer": published, "authorization_endpoint": "https://" + name + "/auth", "token_endpoint": "https://" + name + "/token", "jwks_uri": "https://" + name + "/jwks",
		"authorization_response_iss_parameter_supported": false,
	})
	s.answer(host+"/.well-known/openid-configuration", 200, doc)
	s.answers[name+"/token"], s.answers[name+"/jwks"] = s.answers["issuer.example/token"], s.answers["issuer.example/jwks"]
	return s
}

// preset makes a provider of a preset.
func (s *site) preset(id string, change func(*provider.Settings)) *provider.Provider {
	return s.provider(func(o *provider.Settings) {
		o.ID, o.Issuer = id, ""
		if change != nil {
			change(o)
		}
	})
}

func TestGoogleVouchesForVerifiedAddresses(t *testing.T) {
	for verified, want := range map[any]bool{true: true, "true": true, false: false, "false": false, nil: false, 1: false} {
		s := moved(newSite(t), "https://accounts.google.com", "https://accounts.google.com")
		s.claims = map[string]any{"iss": "https://accounts.google.com", "email_verified": verified}
		p := s.preset("google", nil)
		flow, query := s.begin(p)
		query.Del("iss")
		if i, reason := finish(t, p, flow, query); reason != "" || i.Vouched != want || i.UID != "alice-1" {
			t.Errorf("email_verified %v: %q, %+v", verified, reason, i)
		}
	}
}

// At another address a preset vouches for nothing, and any issuer only if the
// operator says so.
func TestOthersVouchOnlyIfTrusted(t *testing.T) {
	for _, c := range []struct {
		preset          string
		trust, verified bool
		want            bool
	}{{"google", false, true, false}, {"", false, true, false}, {"", true, true, true}, {"", true, false, false}} {
		s := newSite(t)
		s.claims = map[string]any{"email_verified": c.verified}
		p := s.provider(func(o *provider.Settings) { o.Preset, o.TrustEmail = c.preset, c.trust })
		flow, query := s.begin(p)
		if i, reason := finish(t, p, flow, query); reason != "" || i.Vouched != c.want {
			t.Errorf("%+v: %q, %+v", c, reason, i)
		}
	}
}

func TestMicrosoft(t *testing.T) {
	const mine, other = "72f988bf-86f1-41af-91ab-2d7cd011db47", "11111111-2222-3333-4444-555555555555"
	issuerOf := func(tenant string) string { return "https://login.microsoftonline.com/" + tenant + "/v2.0" }
	for _, c := range []struct {
		name, tenant string // tenant of the settings
		claims       map[string]any
		reason       provider.Reason
		vouched      bool
	}{
		{"common, without xms_edov, with the address of a victim", "", map[string]any{"iss": issuerOf(other), "tid": other}, "", false},
		{"common, email_verified is not its claim", "", map[string]any{"iss": issuerOf(other), "tid": other, "email_verified": true, "verified_primary_email": []string{"alice@example.com"}}, "", false},
		{"common, xms_edov false", "", map[string]any{"iss": issuerOf(other), "tid": other, "xms_edov": false}, "", false},
		{"common, xms_edov true", "", map[string]any{"iss": issuerOf(other), "tid": other, "xms_edov": true}, "", true},
		{"common, xms_edov 1", "", map[string]any{"iss": issuerOf(other), "tid": other, "xms_edov": 1}, "", true},
		{"common, issuer of another tenant than tid", "", map[string]any{"iss": issuerOf(mine), "tid": other}, provider.Invalid, false},
		{"common, no tid", "", map[string]any{"iss": issuerOf(other)}, provider.Invalid, false},
		{"common, tid is a path", "", map[string]any{"iss": issuerOf("x/../" + other), "tid": "x/../" + other}, provider.Invalid, false},
		{"common, the template itself", "", map[string]any{"iss": issuerOf("{tenantid}"), "tid": "{tenantid}"}, provider.Invalid, false},
		{"own tenant", mine, map[string]any{"iss": issuerOf(mine), "tid": mine}, "", true},
		{"own tenant, user of another", mine, map[string]any{"iss": issuerOf(other), "tid": other}, provider.Invalid, false},
		{"own tenant, tid of another", mine, map[string]any{"iss": issuerOf(mine), "tid": other}, provider.Invalid, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, published := issuerOf("common"), issuerOf("{tenantid}")
			if c.tenant != "" {
				at, published = issuerOf(c.tenant), issuerOf(c.tenant)
			}
			s := moved(newSite(t), at, published)
			c.claims["oid"], s.claims = "00000000-0000-0000-66f3-3332eca7ea81", c.claims
			p := s.preset("microsoft", func(o *provider.Settings) { o.Tenant = c.tenant })
			flow, query := s.begin(p)
			query.Del("iss")
			i, reason := finish(t, p, flow, query)
			if reason != c.reason || i.Vouched != c.vouched {
				t.Errorf("%q, %+v", reason, i)
			}
			if reason == "" && i.UID != c.claims["oid"] {
				t.Errorf("the uid is %s, not that of Microsoft Graph", i.UID)
			}
		})
	}
}

// Apple posts a form, sends the name once, and has a key in place of a secret.
func TestApple(t *testing.T) {
	const apple = "https://appleid.apple.com"
	s := moved(newSite(t), apple, apple)
	key, err := jwt.ES256.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	document, err := key.MarshalPrivateJWK()
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](key.WithID("KEY1"), jwt.Rules{Issuer: "TEAM1", Audience: []string{apple}})
	if err != nil {
		t.Fatal(err)
	}
	token := s.answers["issuer.example/token"]
	s.answers["appleid.apple.com/token"] = func(r *http.Request) (int, string) {
		_, sent, _ := r.BasicAuth()
		if c, err := verifier.Verify(sent); err != nil || c.Subject != clientID || c.KeyID != "KEY1" {
			return 401, `{"error":"invalid_client"}`
		}
		r.SetBasicAuth(clientID, url.QueryEscape(secret))
		return token(r)
	}
	s.claims = map[string]any{"iss": apple, "email": "x1@privaterelay.appleid.com", "email_verified": "true", "given_name": nil, "family_name": nil, "preferred_username": nil}
	p := s.preset("apple", func(o *provider.Settings) {
		o.ClientSecret, o.TeamID, o.KeyID, o.PrivateKey = "", "TEAM1", "KEY1", string(document)
	})
	if !p.FormPost() {
		t.Error("the callback is not a form")
	}
	for first, user := range map[string]string{
		"Ada": `{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"victim@example.com"}`,
		"":    "",
	} {
		flow, query := s.begin(p)
		query.Del("iss")
		query.Set("user", user)
		i, reason := finish(t, p, flow, query)
		if reason != "" || i.FirstName != first || i.Email != "x1@privaterelay.appleid.com" || !i.Vouched {
			t.Errorf("%q: %q, %+v", user, reason, i)
		}
	}
}

func TestGitHub(t *testing.T) {
	for _, c := range []struct {
		emails  string
		email   string
		vouched bool
	}{
		{`[{"email":"old@example.com","primary":false,"verified":true},{"email":"alice@example.com","primary":true,"verified":true}]`, "alice@example.com", true},
		{`[{"email":"old@example.com","primary":false,"verified":true},{"email":"victim@example.com","primary":true,"verified":false}]`, "victim@example.com", false},
		{`[{"email":"old@example.com","primary":false,"verified":true}]`, "", false},
		{`[]`, "", false},
		{`{}`, "", false},
	} {
		s := newSite(t)
		s.answers["github.com/login/oauth/access_token"] = func(r *http.Request) (int, string) {
			return 200, `{"access_token":"at","token_type":"bearer","scope":"user:email"}`
		}
		s.answer("api.github.com/user", 200, `{"id":583231,"login":"octocat","name":"Mona Lisa Octocat","email":"victim@example.com"}`)
		s.answer("api.github.com/user/emails", 200, c.emails)
		p := s.preset("github", nil)
		flow, query := s.begin(p)
		query.Del("iss")
		i, reason := finish(t, p, flow, query)
		if reason != "" || i.UID != "583231" || i.Username != "octocat" || i.FirstName != "Mona" || i.Email != c.email || i.Vouched != c.vouched {
			t.Errorf("%s: %q, %+v", c.emails, reason, i)
		}
	}
}

// An OAuth 2 provider with a claim mapping.
func TestClaimMapping(t *testing.T) {
	s := newSite(t)
	s.answer("example.com/token", 200, `{"access_token":"at","token_type":"Bearer"}`)
	s.answer("example.com/me", 200, `{"data":{"id":7,"mail":"bob@example.com","checked":true,"first":"Bob"}}`)
	p := s.provider(func(o *provider.Settings) {
		o.ID, o.Issuer, o.AuthURL, o.TokenURL, o.UserInfoURL = "own", "", "https://example.com/auth", "https://example.com/token", "https://example.com/me"
		o.Claims = map[string]string{"uid": "data.id", "email": "data.mail", "email_verified": "data.checked", "given_name": "data.first"}
	})
	flow, query := s.begin(p)
	query.Del("iss")
	if i, reason := finish(t, p, flow, query); reason != "" || i.UID != "7" || i.Email != "bob@example.com" || i.Vouched || i.FirstName != "Bob" {
		t.Errorf("%q, %+v", reason, i)
	}
}

// The user information must be about the subject of the ID token.
func TestUserInformation(t *testing.T) {
	for subject, want := range map[string]provider.Reason{"alice-1": "", "mallory": provider.Invalid} {
		s := newSite(t)
		s.answer("issuer.example/.well-known/openid-configuration", 200, discovery(map[string]any{"userinfo_endpoint": issuerURL + "/me"}))
		s.answer("issuer.example/me", 200, text(map[string]any{"sub": subject, "email": "alice@example.org", "email_verified": true}))
		s.claims = map[string]any{"email": nil, "email_verified": nil}
		p := s.provider(func(o *provider.Settings) { o.TrustEmail = true })
		flow, query := s.begin(p)
		i, reason := finish(t, p, flow, query)
		if reason != want || reason == "" && (i.Email != "alice@example.org" || !i.Vouched) {
			t.Errorf("%s: %q, %+v", subject, reason, i)
		}
	}
}

// What the provider said is kept in a form that every database can hold.
func TestClaimsAreStorable(t *testing.T) {
	for sent, want := range map[string]string{
		`{"sub":"alice-1","email":"a@example.com","name":"\ud83d\ude00 x"}`:                   `{"email":"a@example.com","name":"😀 x","sub":"alice-1"}`,
		`{"sub":"alice-1","email":"a@example.com","name":"a\u0000b"}`:                         `{}`,
		`{"sub":"alice-1","email":"a@example.com","x":"` + strings.Repeat("x", 17<<10) + `"}`: `{}`,
	} {
		s := newSite(t)
		s.answer("issuer.example/.well-known/openid-configuration", 200, discovery(map[string]any{"userinfo_endpoint": issuerURL + "/me"}))
		s.answer("issuer.example/me", 200, sent)
		s.claims = map[string]any{"email": nil}
		p := s.provider(nil)
		flow, query := s.begin(p)
		if i, reason := finish(t, p, flow, query); reason != "" || i.Claims != want {
			t.Errorf("%.80s: %q, %s", sent, reason, i.Claims)
		}
	}
}

// A provider is one factor unless the operator maps what it says.
func TestTwoFactors(t *testing.T) {
	for _, c := range []struct {
		claims map[string]any
		change func(*provider.Settings)
		want   bool
	}{
		{map[string]any{"amr": []string{"pwd", "mfa"}, "acr": "aal2"}, nil, false},
		{map[string]any{"amr": []string{"pwd", "mfa"}}, func(o *provider.Settings) { o.MultiAMR = []string{"mfa"} }, true},
		{map[string]any{"amr": []string{"pwd"}}, func(o *provider.Settings) { o.MultiAMR = []string{"mfa"} }, false},
		{map[string]any{"acr": "aal2"}, func(o *provider.Settings) { o.MultiACR = []string{"aal2"} }, true},
		{map[string]any{}, func(o *provider.Settings) { o.MultiACR = []string{"aal2"} }, false},
	} {
		s := newSite(t)
		s.claims = c.claims
		p := s.provider(c.change)
		flow, query := s.begin(p)
		if i, reason := finish(t, p, flow, query); reason != "" || i.TwoFactors != c.want {
			t.Errorf("%v: %q, %v", c.claims, reason, i.TwoFactors)
		}
	}
}

func TestNewRejects(t *testing.T) {
	for name, s := range map[string]provider.Settings{
		"no client":              {ID: "google"},
		"no id":                  {ClientID: "x"},
		"upper case":             {ID: "Google", ClientID: "x"},
		"a path":                 {ID: "a/b", ClientID: "x"},
		"no preset":              {ID: "acme", ClientID: "x"},
		"unknown preset":         {ID: "acme", Preset: "gogle", ClientID: "x"},
		"issuer without TLS":     {ID: "acme", ClientID: "x", Issuer: "http://issuer.example"},
		"issuer with a password": {ID: "acme", ClientID: "x", Issuer: "https://u:p@issuer.example"},
		"issuer and address":     {ID: "acme", ClientID: "x", Issuer: issuerURL, AuthURL: issuerURL},
		"no token address":       {ID: "acme", ClientID: "x", AuthURL: issuerURL},
		"scope":                  {ID: "acme", ClientID: "x", Issuer: issuerURL, Scopes: []string{"email"}},
		"claim":                  {ID: "acme", ClientID: "x", Issuer: issuerURL, Claims: map[string]string{"mail": "mail"}},
		"tenant":                 {ID: "microsoft", ClientID: "x", Tenant: "common"},
		"tenant of Google":       {ID: "google", ClientID: "x", Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"},
		"half a key":             {ID: "apple", ClientID: "x", TeamID: "T"},
		"a key that is none":     {ID: "apple", ClientID: "x", TeamID: "T", KeyID: "K", PrivateKey: "x"},
	} {
		if _, err := provider.New(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, id := range provider.Presets() {
		if _, err := provider.New(provider.Settings{ID: id, ClientID: "x"}); err != nil {
			t.Error(err)
		}
	}
	if !slices.IsSorted(provider.Presets()) || len(provider.Presets()) != 7 {
		t.Errorf("the presets are %v", provider.Presets())
	}
}

func TestCheck(t *testing.T) {
	s := newSite(t)
	if err := s.provider(nil).Check(context.Background()); err != nil {
		t.Error(err)
	}
	s.answer("issuer.example/jwks", 500, "")
	if err := s.provider(nil).Check(context.Background()); err == nil {
		t.Error("a provider without keys is usable")
	}
}
