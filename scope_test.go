package jotgate_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
)

const issuerSecret = "the secret of the issuer of these tokens, long enough"

// scopedToken returns an access token with these claims in addition, signed with
// the header typ.
func scopedToken(t *testing.T, clock *jotgatetest.Clock, typ string, claims map[string]any) string {
	t.Helper()
	all := map[string]any{
		"token_type": "access", "exp": clock.Now().Unix() + 60, "iat": clock.Now().Unix(), "jti": "1", "user_id": "7",
	}
	maps.Copy(all, claims)
	token, err := jwt.Sign(hmacKey(t, issuerSecret).WithType(typ), all)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func bearer(token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// newIssuerGuard returns a Guard for scopedToken.
func newIssuerGuard(t *testing.T, clock *jotgatetest.Clock, change func(*jotgate.GuardSettings)) *jotgate.Guard {
	t.Helper()
	s := jotgate.GuardSettings{Keys: hmacKey(t, issuerSecret), Now: clock.Now}
	if change != nil {
		change(&s)
	}
	guard, err := jotgate.NewGuard(s)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// Only access tokens are bearer tokens: not those whose typ is another one, and not
// those that are bound to a key. The same token without the difference passes.
func TestBearerTokens(t *testing.T) {
	clock := jotgatetest.New(t).Clock
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, change := range map[string]func(*jotgate.GuardSettings){
		"plain": nil, "remembering": func(s *jotgate.GuardSettings) { s.RememberTokens = 10 },
	} {
		guard := newIssuerGuard(t, clock, change)
		for typ, want := range map[string]int{
			"JWT": 200, "": 200, "jwt": 200, "at+jwt": 200, "application/at+jwt": 200, "AT+JWT": 200,
			"logout+jwt": 401, "dpop+jwt": 401, "application/logout+jwt": 401, "Logout+JWT": 401, "secevent+jwt": 401,
			"token-introspection+jwt": 401, "kb+jwt": 401, "id+jwt": 401, "oauth-authz-req+jwt": 401, "text/at+jwt": 401, "application/": 401,
		} {
			for claims, extra := range map[string]map[string]any{"jotgate's": nil, "another issuer's": {"role": "editor"}} {
				for range 2 { // the second time, it may be remembered
					if got := status(guard.Require(ok), bearer(scopedToken(t, clock, typ, extra))); got != want {
						t.Errorf("%s, typ %q, %s claims: %d, want %d", name, typ, claims, got, want)
					}
				}
			}
		}
		for claim, value := range map[string]any{"cnf": map[string]string{"jkt": "x"}, "CNF": map[string]string{"jkt": "x"}} {
			want := 401
			if claim != "cnf" {
				want = 200 // names of claims have case
			}
			for _, role := range []any{"editor", map[string]string{"id": "user"}} {
				token := scopedToken(t, clock, "JWT", map[string]any{claim: value, "role": role})
				if got := status(guard.Require(ok), bearer(token)); got != want {
					t.Errorf("%s, %s with role %v: %d, want %d", name, claim, role, got, want)
				}
			}
		}
		for claim, value := range map[string]any{"cnf": nil, "token_type": "id", "exp": 1} {
			if got := status(guard.Require(ok), bearer(scopedToken(t, clock, "JWT", map[string]any{claim: value}))); got != 401 {
				t.Errorf("%s: %s = %v: %d", name, claim, value, got)
			}
		}
	}
}

func TestRequireScope(t *testing.T) {
	clock := jotgatetest.New(t).Clock
	guard := newIssuerGuard(t, clock, nil)
	handler := guard.RequireScope("orders:read", "orders")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, c := range map[string]struct {
		claims map[string]any
		want   int
	}{
		"of a login":         {nil, 200},
		"both":               {map[string]any{"scope": "a orders:read orders"}, 200},
		"one":                {map[string]any{"scope": "orders:read"}, 403},
		"a prefix":           {map[string]any{"scope": "orders:readers orders"}, 403},
		"another case":       {map[string]any{"scope": "Orders:Read orders"}, 403},
		"empty":              {map[string]any{"scope": ""}, 403},
		"null":               {map[string]any{"scope": nil}, 403},
		"a number":           {map[string]any{"scope": 5}, 403},
		"an array":           {map[string]any{"scp": []string{"orders", "orders:read"}}, 200},
		"a mixed array":      {map[string]any{"scp": []any{"orders", "orders:read", 1}}, 403},
		"a client":           {map[string]any{"client_id": "c"}, 403},
		"a client and both":  {map[string]any{"client_id": "c", "scope": "orders orders:read"}, 200},
		"an authorized one":  {map[string]any{"azp": "c"}, 403},
		"of another issuer":  {map[string]any{"role": "editor", "scope": "a"}, 403},
		"of another, a list": {map[string]any{"role": "editor", "scope": []string{"orders", "orders:read"}}, 200},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, bearer(scopedToken(t, clock, "JWT", c.claims)))
		challenge := w.Header().Get("WWW-Authenticate")
		if w.Code != c.want || w.Code == 403 && challenge != `Bearer realm="api", error="insufficient_scope", scope="orders:read orders"` {
			t.Errorf("%s: %d %s, want %d", name, w.Code, challenge, c.want)
		}
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("without a token: %d %s", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	for _, scope := range []string{"", "a b", `a"b`, `a\b`, "ä", "a\n", strings.Repeat("a", 65)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RequireScope takes %q", scope)
				}
			}()
			guard.RequireScope(scope)
		}()
	}
}

func TestRequireAudience(t *testing.T) {
	clock := jotgatetest.New(t).Clock
	guard := newIssuerGuard(t, clock, func(s *jotgate.GuardSettings) { s.Audience = []string{"https://a.example", "https://b.example"} })
	handler := guard.RequireAudience("https://a.example")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		audience any
		want     int
	}{
		{"https://a.example", 200},
		{[]string{"https://c.example", "https://a.example"}, 200},
		{"https://b.example", 401},
		{[]string{"https://b.example"}, 401},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, bearer(scopedToken(t, clock, "JWT", map[string]any{"aud": c.audience})))
		if w.Code != c.want || w.Code == 401 && !strings.Contains(w.Header().Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%v: %d %s, want %d", c.audience, w.Code, w.Header().Get("WWW-Authenticate"), c.want)
		}
	}
	if err := new(jotgate.User).CheckAudience(""); err == nil {
		t.Error("a user that no token made is for an audience")
	}
}
