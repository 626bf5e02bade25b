package api

// The endpoints behind something: under a path, with other names of headers, and
// described as they are configured.

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jotgatetest"
)

// Under a path, by each of the three ways, cookies, links, the schema and the page
// follow it, and nothing is served elsewhere but the probes.
func TestUnderAPath(t *testing.T) {
	for name, row := range map[string]struct {
		settings Settings
		mount    func(http.Handler) http.Handler
		paths    string // where endpoints are asked for
		root     string // what GET /auth/ says
		server   string
		prefix   string // of cookies and of what the page loads
	}{
		"Prefix": {Settings{Prefix: "/accounts"}, nil, "/accounts", "/accounts/auth/users/", "/accounts", "/accounts"},
		"Prefix and BaseURL": {
			Settings{Prefix: "/accounts/", BaseURL: "https://example.com/accounts/"},
			nil,
			"/accounts", "https://example.com/accounts/auth/users/", "https://example.com/accounts", "/accounts",
		},
		"StripPrefix":           {Settings{}, strip("/a/b"), "/a/b", "/a/b/auth/users/", "/a/b", "/a/b"},
		"StripPrefix, Prefix":   {Settings{Prefix: "/b"}, strip("/a"), "/a/b", "/a/b/auth/users/", "/a/b", "/a/b"},
		"a gateway that strips": {Settings{BaseURL: "https://example.com/x"}, nil, "", "https://example.com/x/auth/users/", "https://example.com/x", "/x"},
		"no path":               {Settings{BaseURL: "https://example.com"}, nil, "", "https://example.com/auth/users/", "https://example.com", ""},
		"nothing":               {Settings{}, nil, "", "/auth/users/", "/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change{api: func(a *Settings) {
				a.BaseURL, a.Prefix, a.RefreshCookie = row.settings.BaseURL, row.settings.Prefix, true
			}})
			var h http.Handler = s.API
			if row.mount != nil {
				h = row.mount(h)
			}
			login := askOf(h, "POST", row.paths+"/api/token/", object("username", "alice", "password", goodPassword))
			var paths []string
			for _, line := range login.Header.Values("Set-Cookie") {
				cookie, err := http.ParseSetCookie(line)
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, cookie.Path)
			}
			if !slices.Equal(paths, []string{row.prefix + "/api/token", row.prefix + "/auth/jwt"}) {
				t.Errorf("cookies for %q (%d %s)", paths, login.Status, login.Body)
			}
			if got := askOf(h, "GET", row.paths+"/auth/", ""); !strings.Contains(got.Body, `"users":"`+row.root+`"`) {
				t.Errorf("the root: %s", got.Body)
			}
			schema := askOf(h, "GET", row.paths+"/api/schema/", "")
			if !strings.Contains(schema.Body, "\nservers:\n  - url: "+row.server+"\n") {
				t.Errorf("the schema does not have the server %s", row.server)
			}
			for _, file := range []string{"", "docs.js"} {
				page := askOf(h, "GET", row.paths+"/api/docs/"+file, "")
				if page.Status != 200 || strings.Count(page.Body, `"/`) != strings.Count(page.Body, `"`+row.prefix+`/api/`) {
					t.Errorf("docs/%s: %d %s", file, page.Status, page.Body)
				}
			}
			for _, probe := range []string{"/livez", "/readyz"} {
				var got answer
				wait.Until(t, row.paths+probe+" is not 503", func() bool { got = askOf(h, "GET", row.paths+probe, ""); return got.Status != 503 })
				if got.Status != 200 {
					t.Errorf("%s: %d", row.paths+probe, got.Status)
				}
			}
			if row.paths == "" {
				return
			}
			for _, elsewhere := range []string{"/api/token/", "/auth/", row.paths + "x/auth/", "/"} {
				if got := askOf(h, "GET", elsewhere, ""); got.Status != 404 {
					t.Errorf("%s: %d", elsewhere, got.Status)
				}
			}
		})
	}
}

func strip(prefix string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return http.StripPrefix(prefix, h) }
}

// A client cannot invent the prefix: it is what handlers removed.
func TestPrefixCannotBeForged(t *testing.T) {
	s := newSite(t, change{})
	for _, target := range []string{"http://evil.example/auth/", "/auth/?/x/auth/", "//evil.example/auth/"} {
		r := httptest.NewRequest("GET", "/auth/", nil)
		r.RequestURI = target
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"users":"/auth/users/"`) {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
}

func TestPathsThatCannotPrecede(t *testing.T) {
	gate := jotgatetest.New(t)
	for _, prefix := range []string{"accounts", "/a//b", "/a/../b", "/a b", "/{tenant}", "/a;b", "/ä", "/a?b", "//a"} {
		if _, err := New(gate.Gate, Settings{Prefix: prefix}); err == nil || !strings.Contains(err.Error(), "Prefix") {
			t.Errorf("Prefix %q: %v", prefix, err)
		}
		if prefix[0] != '/' {
			continue
		}
		if _, err := New(gate.Gate, Settings{BaseURL: "https://example.com" + prefix}); err == nil || !strings.Contains(err.Error(), "BaseURL") {
			t.Errorf("BaseURL with %q: %v", prefix, err)
		}
	}
	for _, base := range []string{"https://example.com?a", "https://a@example.com", "https://example.com#x", "ftp://example.com", "/accounts", "https://:8000"} {
		if _, err := New(gate.Gate, Settings{BaseURL: base}); err == nil || !strings.Contains(err.Error(), "BaseURL") {
			t.Errorf("BaseURL %q: %v", base, err)
		}
	}
}

// Probes and gateways send a Host header of their own; people do not.
func TestMachineEndpointsAtAnyHost(t *testing.T) {
	s := newSite(t, change{
		api:  func(a *Settings) { a.AllowedHosts = []string{"api.example.com"} },
		gate: func(g *jotgate.Settings) { g.ServeRevocations = true },
	})
	bearer := s.try("alice", goodPassword, "Host", "api.example.com")
	if bearer.Status != 200 {
		t.Fatal(bearer.Body)
	}
	for path, want := range map[string]int{
		"/livez": 200, "/readyz": 200, "/.well-known/jwks.json": 200, "/auth/check": 200, "/auth/revocations?wait=0": 503, // as this gate does not run
		"/auth/users/me/": 400, "/api/schema/": 400, "/api/docs/": 400, "/auth/": 400, "/nothing": 400,
	} {
		for _, host := range []string{"10.1.2.3:8000", "jotgate", "localhost"} {
			var got answer
			wait.Until(t, path+" is not 503", func() bool {
				got = s.ask("GET", path, "", "Host", host, "Authorization", "Bearer "+bearer.member("access"))
				return got.Status != 503 || want == 503
			})
			if got.Status != want {
				t.Errorf("%s at %s: %d %s, want %d", path, host, got.Status, got.Body, want)
			}
		}
	}
}

// schemaOf returns what /api/schema/ serves, parsed.
func schemaOf(t *testing.T, s *site) (text string, tree map[string]any) {
	t.Helper()
	text = s.ask("GET", "/api/schema/", "").Body
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	return text, tree
}

// at returns what is under the keys.
func at(tree any, keys ...string) any {
	for _, key := range keys {
		branch, _ := tree.(map[string]any)
		tree = branch[key]
	}
	return tree
}

// The schema says in which header, and after which word, the token is sent.
func TestSchemaFollowsTheHeader(t *testing.T) {
	for _, row := range []struct {
		header string
		types  []string
		scheme map[string]any
		says   string
	}{
		{"", nil, map[string]any{"type": "http", "scheme": "bearer"}, "`Authorization`, in the form `Bearer <token>` or `Token <token>`."},
		{"", []string{"JWT"}, map[string]any{"type": "apiKey", "in": "header", "name": "Authorization"}, "`Authorization`, in the form `JWT <token>`."},
		{"", []string{"JWT", "Bearer"}, map[string]any{"type": "http", "scheme": "bearer"}, "`JWT <token>` or `Bearer <token>`."},
		{"x-access-token", []string{"Bearer"}, map[string]any{"type": "apiKey", "in": "header", "name": "X-Access-Token"}, "`X-Access-Token`, in the form `Bearer <token>`."},
	} {
		s := newSite(t, change{gate: func(g *jotgate.Settings) { g.HeaderName, g.HeaderTypes = row.header, row.types }})
		text, tree := schemaOf(t, s)
		for key, want := range row.scheme {
			if got := at(tree, "components", "securitySchemes", "access", key); got != want {
				t.Errorf("%s %v: %s is %v, want %v", row.header, row.types, key, got, want)
			}
		}
		if !strings.Contains(text, row.says) {
			t.Errorf("%s %v: it does not say %s", row.header, row.types, row.says)
		}
	}
}

// Fields and endpoints are those of the settings.
func TestSchemaFollowsTheSettings(t *testing.T) {
	fields := func(tree map[string]any, schema string) (properties map[string]any, required []any) {
		properties, _ = at(tree, "components", "schemas", schema, "properties").(map[string]any)
		required, _ = at(tree, "components", "schemas", schema, "required").([]any)
		return properties, required
	}
	_, usual := schemaOf(t, newSite(t, change{}))
	_, all := schemaOf(t, newSite(t, change{
		gate: func(g *jotgate.Settings) { g.ServeRevocations = true },
		api: func(a *Settings) {
			a.UserCreatePasswordRetype, a.SetPasswordRetype, a.PasswordResetConfirmRetype = true, true, true
			a.SetUsernameRetype, a.UsernameResetConfirmRetype, a.EmailChangeNeedsPassword = true, true, true
		},
	}))
	for schema, field := range map[string]string{
		"SignUp": "re_password", "SetPassword": "re_new_password", "ResetPassword": "re_new_password",
		"SetUsername": "re_new_username", "ResetUsername": "re_new_username", "Profile": "current_password",
	} {
		if properties, _ := fields(usual, schema); properties[field] != nil || len(properties) == 0 {
			t.Errorf("%s has %s by default: %v", schema, field, properties)
		}
		properties, required := fields(all, schema)
		if properties[field] == nil || schema != "Profile" && !slices.Contains(required, any(field)) {
			t.Errorf("%s with the setting: %v, required %v", schema, properties, required)
		}
	}
	_, kept := schemaOf(t, newSite(t, change{gate: func(g *jotgate.Settings) { g.KeepRefreshTokens = true }}))
	_, cookie := schemaOf(t, newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }}))
	for _, row := range []struct {
		name           string
		tree           map[string]any
		pair, exchange bool
	}{{"by default", usual, true, true}, {"with KeepRefreshTokens", kept, true, false}, {"with RefreshCookie", cookie, false, false}} {
		for schema, want := range map[string]bool{"TokenPair": row.pair, "Refreshed": row.exchange} {
			properties, required := fields(row.tree, schema)
			if (properties["refresh"] != nil) != want || slices.Contains(required, any("refresh")) != want {
				t.Errorf("%s %s: %v, required %v", schema, row.name, properties, required)
			}
		}
	}
	if at(cookie, "components", "securitySchemes", "refreshCookie", "name") != refreshCookie {
		t.Error("the cookie is not described")
	}
	if at(usual, "paths", "/auth/revocations") != nil || at(all, "paths", "/auth/revocations") == nil {
		t.Error("/auth/revocations is not described where it is served, and only there")
	}
	var hidden map[string]any
	if err := yaml.Unmarshal(OpenAPI(jotgate.Settings{}, Settings{NoSchema: true, Prefix: "/accounts", MaxBody: 1000}), &hidden); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/schema/", "/api/docs/", "/api/docs/{file}"} {
		if at(hidden, "paths", path) != nil || at(hidden, "components", "schemas") == nil {
			t.Errorf("%s is described with NoSchema", path)
		}
	}
}

// The schema of every combination is valid YAML and describes what is served.
func TestSchemaDescribesWhatIsServed(t *testing.T) {
	for i := range 128 {
		if testing.Short() && i%16 != 5 { // under the race detector
			continue
		}
		bit := func(n int) bool { return i>>n&1 == 1 }
		s := newSite(t, change{
			gate: func(g *jotgate.Settings) {
				g.ServeRevocations, g.KeepRefreshTokens = bit(0), bit(1)
				if bit(4) {
					g.LoginField = "email"
				}
				if bit(5) {
					g.RPID = "example.com"
				}
				if bit(5) && bit(6) {
					g.RPOrigins = []string{"https://example.com", "https://example.org"}
				}
			},
			api: func(a *Settings) {
				a.NoSignup, a.RefreshCookie, a.UserCreatePasswordRetype, a.SetUsernameRetype = bit(2), bit(3), bit(1), bit(0)
			},
		})
		_, tree := schemaOf(t, s)
		paths, _ := at(tree, "paths").(map[string]any)
		if routes := s.routes(); len(paths) != len(routes) {
			t.Errorf("%d: %d paths, %d routes", i, len(paths), len(routes))
		}
		if signup := at(tree, "paths", "/auth/users/", "post"); (signup == nil) != bit(2) {
			t.Errorf("%d: the sign-up is %v", i, signup)
		}
	}
}
