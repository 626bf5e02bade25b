package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/oauth"
)

// client is a client with a secret.
type client struct{ oauth.Created }

// headers returns those of its requests.
func (c client) headers() []string {
	return []string{"Content-Type", "application/x-www-form-urlencoded", "Authorization", basicHeader(c.ID, c.Secret)}
}

// newClient creates a client.
func (s *site) newClient(name string, scopes ...string) client {
	s.t.Helper()
	c, err := s.settings.OAuth.Create(s.t.Context(), oauth.Request{Name: name, Scopes: scopes}, jotgate.Client{})
	if err != nil {
		s.t.Fatal(err)
	}
	return client{c}
}

func basicHeader(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// clientToken gets an access token for a client.
func (s *site) clientToken(c client) string {
	s.t.Helper()
	a := s.ask("POST", "/o/token/", "grant_type=client_credentials", c.headers()...)
	want(s.t, "token", a, 200, "access_token")
	return a.member("access_token")
}

// The responses have the form and the headers of RFC 6749 sections 5.1 and 5.2.
func TestOAuthToken(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.Rates = map[string]string{} }})
	c := s.newClient("billing", "orders:read", "account")
	headers := c.headers()
	a := s.ask("POST", "/o/token/", "grant_type=client_credentials&scope=orders%3Aread", headers...)
	want(t, "token", a, 200, `"token_type":"Bearer"`)
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", a.Header)
	}
	var token oauth.Token
	if err := json.Unmarshal([]byte(a.Body), &token); err != nil || token.Scope != "orders:read" || token.Expires < 290 {
		t.Errorf("%s, %v", a.Body, err)
	}
	want(t, "without its slash", s.ask("POST", "/o/token", "grant_type=client_credentials", headers...), 200, "access_token")
	want(t, "scope", s.ask("GET", "/auth/check?scope=orders:read", "", "Authorization", "Bearer "+token.Access), 200, "")
	want(t, "other scope", s.ask("GET", "/auth/check?scope=orders:write", "", "Authorization", "Bearer "+token.Access), 403, "insufficient_scope")
	want(t, "account without its scope", s.ask("GET", "/auth/users/me/", "", "Authorization", "Bearer "+token.Access), 403, "insufficient_scope")
	want(t, "account", s.ask("GET", "/auth/users/me/", "", "Authorization", "Bearer "+s.clientToken(c)), 200, `"username":"billing"`)

	post := "grant_type=client_credentials&client_id=" + c.ID + "&client_secret=" + c.Secret
	form := headers[:2]
	want(t, "post", s.ask("POST", "/o/token/", post, form...), 200, "access_token")
	for _, each := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
	}{
		{"wrong secret", "POST", "/o/token/", post + "x", form, 401, "invalid_client"},
		{"another grant", "POST", "/o/token/", "grant_type=password", headers, 400, "unsupported_grant_type"},
		{"another scope", "POST", "/o/token/", "grant_type=client_credentials&scope=a", headers, 400, "invalid_scope"},
		{"repeated", "POST", "/o/token/", "grant_type=client_credentials&grant_type=client_credentials", headers, 400, "invalid_request"},
		{"two methods", "POST", "/o/token/", post, headers, 400, "invalid_request"},
		{"in the URL", "POST", "/o/token/?" + post, "", form, 401, "invalid_client"},
		{"JSON", "POST", "/o/token/", `{"grant_type":"client_credentials"}`, []string{"Authorization", headers[3]}, 415, "invalid_request"},
		{"broken escape", "POST", "/o/token/", "grant_type=client_credentials&x=%zz", headers, 400, "invalid_request"},
		{"not UTF-8", "POST", "/o/token/", "grant_type=client_credentials&x=\xff", headers, 400, "invalid_request"},
		{"GET", "GET", "/o/token/", "", headers, 405, "invalid_request"},
		{"too long", "POST", "/o/token/", "grant_type=client_credentials&x=" + strings.Repeat("x", 65536), headers, 413, "invalid_request"},
	} {
		a := s.ask(each.method, each.path, each.body, each.headers...)
		var e struct {
			Error       string
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal([]byte(a.Body), &e); err != nil || a.Status != each.status || e.Error != each.code || e.Description == "" || strings.Contains(e.Description, `"`) {
			t.Errorf("%s: %d %s", each.name, a.Status, a.Body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || (a.Header.Get("WWW-Authenticate") == `Basic realm="api"`) != (a.Status == 401) {
			t.Errorf("%s: %v", each.name, a.Header)
		}
	}
}

// Guesses use up the rate of logins of their network, which a client that is in use
// does not need.
func TestOAuthThrottling(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.Rates = map[string]string{"login": "5/min"} }})
	c := s.newClient("billing", "orders:read")
	s.clientToken(c)
	guess := []string{"Content-Type", "application/x-www-form-urlencoded", "Authorization", basicHeader("unknown", "x")}
	for range 4 {
		want(t, "guess", s.ask("POST", "/o/token/", "grant_type=client_credentials", guess...), 401, "invalid_client")
	}
	a := s.ask("POST", "/o/token/", "grant_type=client_credentials", guess...)
	want(t, "guess", a, 429, "temporarily_unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Errorf("%v", a.Header)
	}
	s.clientToken(c)
	want(t, "logins share the rate", s.ask("POST", "/api/token/", `{"username":"alice","password":"x"}`), 429, "throttled")
	want(t, "another network", s.ask("POST", "/o/token/", "grant_type=client_credentials", append(guess, "from", "198.51.100.1:1")...), 401, "invalid_client")
}

// A token that a client revoked is refused by handlers, /auth/check, the endpoint that
// verifies tokens, introspection, and a guard in another process that follows the feed.
func TestOAuthRevoke(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.ServeRevocations, g.Audience = true, []string{credentials.Audience} }})
	c := s.newClient("billing", "account")
	headers := c.headers()
	s.remote = s.newRemoteGuard()
	token, kept := s.clientToken(c), s.clientToken(c)
	opens := func(token string) (list []bool) {
		bearer := []string{"Authorization", "Bearer " + token}
		_, err := s.remote.VerifyAccess(token)
		return append(list, s.ask("GET", "/auth/users/me/", "", bearer...).Status == 200, s.ask("GET", "/auth/check", "", bearer...).Status == 200,
			s.ask("POST", "/api/token/verify/", `{"token":"`+token+`"}`).Status == 200,
			strings.Contains(s.ask("POST", "/o/introspect/", "token="+token, headers...).Body, `"active":true`), err == nil)
	}
	all := func(what, token string, want bool) {
		t.Helper()
		for i, got := range opens(token) {
			if got != want {
				t.Errorf("%s: %d: %v", what, i, got)
			}
		}
	}
	all("before", token, true)
	a := s.ask("POST", "/o/revoke/", "token="+token+"&token_type_hint=access_token", headers...)
	want(t, "revoke", a, 200, "")
	if a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %v", a.Body, a.Header)
	}
	s.settle()
	all("revoked", token, false)
	all("another", kept, true)
	want(t, "again", s.ask("POST", "/o/revoke/", "token="+token, headers...), 200, "")
	want(t, "not a token", s.ask("POST", "/o/revoke/", "token=x", headers...), 200, "")
	want(t, "without a token", s.ask("POST", "/o/revoke/", "", headers...), 400, "invalid_request")
	for _, path := range []string{"/o/revoke/", "/o/introspect/"} {
		want(t, path, s.ask("POST", path, "token="+kept, headers[:2]...), 401, "invalid_client")
		want(t, path, s.ask("POST", path, "token="+kept, headers[0], headers[1], "Authorization", "Bearer "+kept), 401, "invalid_client")
	}
	want(t, "introspect", s.ask("POST", "/o/introspect/", "token=x", headers...), 200, `{"active":false}`)
	all("another", kept, true)
}

// An assertion is addressed to the server by a URL of the settings, never by one that
// the request names.
func TestOAuthNames(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.Issuer = "https://auth.example" }, api: func(a *Settings) { a.BaseURL = "https://example.com/accounts/" }})
	names := s.oauthNames()
	for name, want := range map[string]bool{
		"https://auth.example": true, "https://example.com/accounts/o/token/": true, "https://example.com/accounts/o/token": true,
		"https://example.com/o/token/": false, "": false,
	} {
		found := false
		for _, each := range names {
			found = found || each == name
		}
		if found != want {
			t.Errorf("%s: %v", name, found)
		}
	}
	if names := newSite(t, change{}).oauthNames(); len(names) != 0 {
		t.Errorf("without settings: %v", names)
	}
	off := newSite(t, change{api: func(a *Settings) { a.OAuth = nil }})
	if a := off.ask("POST", "/o/token/", "grant_type=client_credentials"); a.Status != http.StatusNotFound {
		t.Errorf("off: %d", a.Status)
	}
}

// No value of any parameter makes an endpoint fail.
func TestOAuthInputs(t *testing.T) {
	s := newSite(t, change{})
	c := s.newClient("billing", "orders:read")
	values := []string{"", " ", "\x00", "\xff", "a\x00b", "\"\\", "<script>", "\u202e", "é", "null", "ey.ey.ey", strings.Repeat("x", 9000), strings.Repeat("a ", 9000)}
	for _, r := range s.routes() {
		if r.render == nil {
			continue
		}
		for _, field := range r.post.fields(s.API) {
			for _, value := range values {
				for _, headers := range [][]string{c.headers(), c.headers()[:2]} {
					a := s.ask("POST", r.path, url.Values{"grant_type": {"client_credentials"}, field.Name: {value}}.Encode(), headers...)
					if a.Status >= 500 || a.Status >= 400 && (!json.Valid([]byte(a.Body)) || !strings.HasPrefix(a.Body, `{"error":"`)) {
						t.Errorf("%s %s %.20q: %d %s", r.path, field.Name, value, a.Status, a.Body)
					}
				}
			}
		}
	}
	for _, header := range []string{"Basic", "Basic ", "Basic =", "Basic " + base64.StdEncoding.EncodeToString([]byte("\x00:\xff")), "Basic " + strings.Repeat("QUFB", 5000), "Negotiate x", ""} {
		if a := s.ask("POST", "/o/token/", "grant_type=client_credentials", "Content-Type", "application/x-www-form-urlencoded", "Authorization", header); a.Status != 401 {
			t.Errorf("%.20q: %d %s", header, a.Status, a.Body)
		}
	}
}
