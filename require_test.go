package jotgate_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Every condition is a middleware, verifies a token once inside a group with
// Require, and does not trust what another Guard verified.
func TestConditionsInsideRequire(t *testing.T) {
	counted := &countedKeys{}
	gate := jotgatetest.New(t, func(s *jotgate.Settings) {
		s.Claims = []string{"username", "role", "groups", "permissions"}
	})
	gate.AddToGroup(gate.User("root", jotgatetest.Superuser), "first")
	alice := gate.User("alice", jotgatetest.Staff)
	gate.AddToGroup(alice, "first", "editors")
	gate.Grant(alice, "blog.add_post", "auth.view_user")
	bob := gate.User("bob")
	guard := gate.NewGuard(func(s *jotgate.GuardSettings) { counted.Keys, s.Keys = s.Keys, counted })
	other, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: hmacKey(t, "another secret of another issuer, long enough"), Now: gate.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, middleware := range map[string]func(http.Handler) http.Handler{
		"RequireStaff":      guard.RequireStaff,
		"RequireRole":       guard.RequireRole("editors"),
		"RequirePermission": guard.RequirePermission("blog.add_post"),
	} {
		for user, want := range map[*record.Account]int{alice: 200, bob: 403, nil: 401} {
			for where, h := range map[string]http.Handler{
				"alone": middleware(ok), "inside Require": guard.Require(middleware(ok)), "inside another condition": guard.Require(guard.Require(middleware(ok))),
			} {
				if got := status(h, gate.Request(user, "GET", "/", nil)); got != want {
					t.Errorf("%s %s: %d, want %d", name, where, got, want)
				}
			}
		}
		request := gate.Request(alice, "GET", "/", nil)
		if status(middleware(ok), request); counted.taken() == 0 {
			t.Errorf("%s: no verification was counted", name)
		}
		status(guard.Require(ok), request)
		once := counted.taken()
		if status(guard.Require(middleware(ok)), request); counted.taken() != once {
			t.Errorf("%s verifies again inside Require", name)
		}
		// An outer guard with other keys: its user must not pass this one.
		foreign := httptest.NewRequest("GET", "/", nil)
		foreign.Header.Set("Authorization", "Bearer "+foreignToken(t, gate.Clock.Now()))
		if got := status(other.Require(ok), foreign); got != 200 {
			t.Fatalf("the other issuer's token: %d", got)
		}
		if got := status(other.Require(middleware(ok)), foreign); got != 401 {
			t.Errorf("%s trusts another Guard's user: %d", name, got)
		}
	}
}

func status(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// countedKeys counts how often the keys are requested.
type countedKeys struct {
	jwt.Keys
	n int
}

func (c *countedKeys) KeySet() *jwt.KeySet { c.n++; return c.Keys.KeySet() }
func (c *countedKeys) taken() int          { n := c.n; c.n = 0; return n }

func hmacKey(t *testing.T, secret string) *jwt.Key {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// foreignToken returns an access token of another issuer for a superuser.
func foreignToken(t *testing.T, now time.Time) string {
	t.Helper()
	token, err := jwt.Sign(hmacKey(t, "another secret of another issuer, long enough"), map[string]any{
		"token_type": "access", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "jti": "1", "user_id": "1",
		"role": map[string]string{"id": "admin", "display_name": "Admin", "role_type": "admin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestClaimInto(t *testing.T) {
	gate := jotgatetest.New(t, jotgatetest.ES256, func(s *jotgate.Settings) {
		s.CustomClaims = func(context.Context, *record.Account) (jwt.Object, error) {
			return jwt.Object{{Name: "plan", Value: "free"}, {Name: "seats", Value: 3}, {Name: "limits", Value: map[string]int{"notes": 7}}, {Name: "tags", Value: []string{"a", "b"}}}, nil
		}
	})
	user, err := gate.NewGuard().VerifyAccess(gate.Token(gate.User("alice")))
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := jotgate.ClaimInto[string](user, "plan"); plan != "free" || err != nil {
		t.Errorf("%q, %v", plan, err)
	}
	if seats, err := jotgate.ClaimInto[int](user, "seats"); seats != 3 || err != nil {
		t.Errorf("%d, %v", seats, err)
	}
	if limits, err := jotgate.ClaimInto[struct{ Notes int }](user, "limits"); limits.Notes != 7 || err != nil {
		t.Errorf("%+v, %v", limits, err)
	}
	if tags, err := jotgate.ClaimInto[[]string](user, "tags"); len(tags) != 2 || err != nil {
		t.Errorf("%v, %v", tags, err)
	}
	for _, name := range []string{"seats", "limits", "none", "", "Plan"} {
		if value, err := jotgate.ClaimInto[string](user, name); err == nil {
			t.Errorf("%s: %q", name, value)
		}
	}
	if _, err := jotgate.ClaimInto[string](&jotgate.User{}, "plan"); err == nil {
		t.Error("a user that no token made has a claim")
	}
}

// The event of a request that is rejected because of its user has the user and the reason,
// which the response does not have.
func TestForbiddenSaysWhy(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.Audience = []string{"https://api.example"} })
	alice := b.user(t, "alice", nil)
	token := b.login(t, "alice").Access
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		handler http.Handler
		name    string
		reason  string
	}{
		{b.RequireStaff(ok), "forbidden", "the user is not staff"},
		{b.RequireRole("Editors")(ok), "forbidden", `the user does not have the role "Editors"`},
		{b.RequirePermission("blog.add_post")(ok), "forbidden", `the user does not have the permission "blog.add_post"`},
		{b.RequirePermission("a\x00b\xff")(ok), "forbidden", `the user does not have the permission "a\x00b\xff"`},
		{b.Require(b.RequireRole("support")(ok)), "forbidden", `the user does not have the role "support"`},
		{b.RequireAudience("https://other.example")(ok), "token_refused", `the token does not have the audience "https://other.example"`},
	} {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, bearer(token))
		if w.Code < 401 || w.Code > 403 || strings.Contains(w.Body.String(), c.reason) {
			t.Errorf("%s: %d %s", c.reason, w.Code, w.Body)
		}
		events := b.events(t)
		if e := events[len(events)-1]; e.Name != c.name || e.User != alice.ID || e.Detail != c.reason {
			t.Errorf("%+v, want %s: %s", e, c.name, c.reason)
		}
	}
}

// The id in a token is not always that of the account.
func TestForbiddenOfAUsername(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.UserIDField = "username" })
	b.user(t, "alice", nil)
	b.RequireStaff(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), bearer(b.login(t, "alice").Access))
	events := b.events(t)
	if e := events[len(events)-1]; e.Name != "forbidden" || e.User != "" || e.Detail != "the user is not staff" {
		t.Errorf("%+v", e)
	}
}
