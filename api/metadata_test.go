package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
)

// The documents are where clients look for them, with each way to give the API a path,
// and name endpoints that are there.
func TestOAuthMetadata(t *testing.T) {
	const server, resource = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"
	for name, c := range map[string]struct {
		base, prefix, issuer string
		want                 string   // the issuer of the document; empty: there is none
		paths                []string // where it is
	}{
		"no URL":                   {want: ""},
		"an issuer alone":          {issuer: "https://auth.example.com", want: ""},
		"a host":                   {base: "https://auth.example.com", want: "https://auth.example.com", paths: []string{server}},
		"a path":                   {base: "https://example.com/accounts/", prefix: "/accounts", want: "https://example.com/accounts", paths: []string{server + "/accounts", "/accounts" + server}},
		"a gateway removes it":     {base: "https://example.com/accounts", want: "https://example.com/accounts", paths: []string{server, server + "/accounts"}},
		"an issuer":                {base: "https://api.example.com", issuer: "https://auth.example.com", want: "https://auth.example.com", paths: []string{server}},
		"an issuer that is no URL": {base: "https://api.example.com", issuer: "jotgate", want: ""},
	} {
		s := newSite(t, change{
			gate: func(g *jotgate.Settings) { g.Issuer = c.issuer },
			api:  func(a *Settings) { a.BaseURL, a.Prefix = c.base, c.prefix },
		})
		if c.want == "" {
			want(t, name, s.ask("GET", c.prefix+server, ""), 404, "")
			want(t, name, s.ask("GET", c.prefix+resource, ""), 404, "")
		}
		for _, path := range c.paths {
			a := s.ask("GET", path, "")
			want(t, name+" "+path, a, 200, `"issuer":"`+c.want+`"`)
			if a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("ETag") == "" {
				t.Errorf("%s: %v", name, a.Header)
			}
			want(t, name, s.ask("GET", path, "", "If-None-Match", a.Header.Get("ETag")), 304, "")
			want(t, name, s.ask("POST", path, ""), 405, "")
			var document map[string]any
			if err := json.Unmarshal([]byte(a.Body), &document); err != nil {
				t.Fatal(err)
			}
			base := strings.TrimRight(c.base, "/")
			for member, value := range document {
				text, _ := value.(string)
				if !strings.HasPrefix(text, base+"/") {
					continue
				}
				method := map[bool]string{true: "GET", false: "POST"}[member == "jwks_uri"]
				if got := s.ask(method, c.prefix+strings.TrimPrefix(text, base), ""); got.Status == http.StatusNotFound || got.Status == http.StatusMethodNotAllowed {
					t.Errorf("%s: %s is %s, which responds with %d", name, member, text, got.Status)
				}
			}
			about := s.ask("GET", strings.Replace(path, server, resource, 1), "")
			want(t, name, about, 200, `"authorization_servers":["`+c.want+`"]`)
			want(t, name, about, 200, `"resource":"`+base+`"`)
		}
	}
	off := newSite(t, change{api: func(a *Settings) { a.OAuth, a.BaseURL = nil, "https://auth.example.com" }})
	for _, path := range []string{server, resource} {
		want(t, "off", off.ask("GET", path, ""), 404, "")
	}
	mux := http.NewServeMux() // no path is registered twice
	s := newSite(t, change{api: func(a *Settings) { a.BaseURL, a.Prefix = "https://example.com/accounts", "/accounts" }})
	s.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", server+"/accounts", nil))
	if w.Code != 200 {
		t.Errorf("on another mux: %d", w.Code)
	}
}

// A client that has no token finds the metadata of the API in the challenge, also in that
// of an insufficient scope, and the metadata names the API (RFC 9728 section 3.3).
func TestResourceMetadataInChallenges(t *testing.T) {
	for base, where := range map[string]string{
		"https://api.example":           "https://api.example/.well-known/oauth-protected-resource",
		"https://example.com/accounts/": "https://example.com/.well-known/oauth-protected-resource/accounts",
	} {
		s := newSite(t, change{
			gate: func(g *jotgate.Settings) { g.Resource = base },
			api:  func(a *Settings) { a.BaseURL = base },
		})
		limited := s.clientToken(s.newClient("billing", "orders:read"))
		for _, c := range []struct {
			path, token string
			status      int
			more        string
		}{
			{"/auth/users/me/", "", 401, ""},
			{"/auth/users/me/", "x", 401, ""},
			{"/auth/check", "", 401, ""},
			{"/auth/users/me/", limited, 403, `, error="insufficient_scope", scope="account"`},
		} {
			var headers []string
			if c.token != "" {
				headers = []string{"Authorization", "Bearer " + c.token}
			}
			a := s.ask("GET", c.path, "", headers...)
			if got := a.Header.Get("WWW-Authenticate"); a.Status != c.status || got != `Bearer realm="api", resource_metadata="`+where+`"`+c.more {
				t.Errorf("%s: %d %s", c.path, a.Status, got)
			}
		}
		u, err := url.Parse(where)
		if err != nil {
			t.Fatal(err)
		}
		want(t, base, s.ask("GET", u.Path, ""), 200, `"resource":"`+strings.TrimRight(base, "/")+`"`)
	}
	for _, wrong := range []string{"/path", "https://", "https://a b/", "ftp://example.com/a", "https://example.com/?a=b"} {
		if _, err := jotgate.New(jotgate.Settings{SecretKey: siteSecret, Resource: wrong}, nil); err == nil || !strings.Contains(err.Error(), "Resource is") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
