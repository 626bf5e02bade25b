package api

import (
	"context"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// scopedSite is a site whose access tokens have this scope, so that they are limited.
func scopedSite(t *testing.T, scope string) *site {
	t.Helper()
	return newSite(t, change{gate: func(g *jotgate.Settings) {
		g.CustomClaims = func(context.Context, *record.Account) (jwt.Object, error) {
			return jwt.Object{{Name: "scope", Value: scope}}, nil
		}
	}})
}

// A token with scopes opens, of the endpoints that need a token, those that name a
// scope, with that scope; no scope opens the others. The token of a login opens
// every one. A route that is added later is tried as well.
func TestScopesOfEveryEndpoint(t *testing.T) {
	login, with, without := newSite(t, change{}), scopedSite(t, jotgate.ScopeAccount+" events other"), scopedSite(t, "accounts other")
	granted := 0
	for _, route := range login.routes() {
		path := strings.NewReplacer("{id}", "1").Replace(route.path)
		for method, action := range map[string]*action{
			"GET": route.get, "POST": route.post, "PUT": route.put, "PATCH": route.patch, "DELETE": route.remove,
		} {
			if action == nil || action.access == open || action.access == anyone || action.access == keyed {
				continue
			}
			ask := func(s *site) answer { return s.ask(method, path, "{}", s.login("alice").header()...) }
			if a := ask(login); a.Status == 401 || strings.Contains(a.Body, "login_required") || strings.Contains(a.Body, "insufficient_scope") {
				t.Errorf("%s %s with the token of a login: %d %s", method, path, a.Status, a.Body)
			}
			if action.grant == "" {
				want(t, method+" "+path+" with a scope", ask(with), 403, `"login_required"`)
				want(t, method+" "+path+" with another scope", ask(without), 403, `"login_required"`)
				continue
			}
			granted++
			if a := ask(with); a.Status == 403 && action.grant != scopeEvents { // which also needs a right of the account
				t.Errorf("%s %s with the scope %s: %d %s", method, path, action.grant, a.Status, a.Body)
			}
			a := ask(without)
			want(t, method+" "+path+" without the scope", a, 403, `"insufficient_scope"`)
			if challenge := a.Header.Get("WWW-Authenticate"); !strings.HasSuffix(challenge, `, error="insufficient_scope", scope="`+action.grant+`"`) {
				t.Errorf("%s %s: the challenge is %s", method, path, challenge)
			}
		}
	}
	if granted == 0 {
		t.Error("no endpoint names a scope")
	}
}

func TestCheckScopeAndAudience(t *testing.T) {
	s := scopedSite(t, "orders:read orders")
	header := s.login("alice").header()
	for query, status := range map[string]int{
		"":                                200,
		"?scope=orders:read":              200,
		"?scope=orders:read&scope=orders": 200,
		"?scope=orders:read&scope=other":  403,
		"?scope=other":                    403,
		"?scope=":                         403,
		"?scope=a%20b":                    403,
		"?audience=":                      403,
		"?audience=https://a.example":     401,
		"?audience=a&audience=b":          403,
	} {
		if a := s.ask("GET", "/auth/check"+query, "", header...); a.Status != status {
			t.Errorf("%q: %d %s, want %d", query, a.Status, a.Body, status)
		}
	}
}
