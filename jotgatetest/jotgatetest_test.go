package jotgatetest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

func TestExamples(t *testing.T) {
	helloIsGuarded(t)
	onlyStaffMayEnter(t)
	aTokenRunsOut(t)
}

// status returns the status of the handler's response to the token.
func status(h http.Handler, token string) int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func guarded(g *jotgatetest.Gate) http.Handler {
	return g.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// A token and an expired one differ only in their times.
func TestTokens(t *testing.T) {
	for _, leeway := range []time.Duration{0, time.Minute} {
		g := jotgatetest.New(t, func(s *jotgate.Settings) { s.Leeway = leeway })
		alice, h := g.User("alice"), guarded(g)
		if got := status(h, g.Token(alice)); got != 200 {
			t.Errorf("a token: %d", got)
		}
		expired := g.ExpiredToken(alice)
		if got := status(h, expired); got != 401 {
			t.Errorf("an expired token: %d", got)
		}
		g.Clock.Advance(-2 * time.Second)
		if got := status(h, expired); got != 200 {
			t.Errorf("the expired token two seconds ago: %d", got)
		}
		if _, err := g.VerifyAccess(tamper.At(expired, -5)); err == nil {
			t.Error("a damaged token is accepted")
		}
	}
}

func TestRefresh(t *testing.T) {
	g := jotgatetest.New(t)
	tokens := g.Tokens(g.User("alice"))
	g.Clock.Advance(23 * time.Hour)
	if _, err := g.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Error(err)
	}
	tokens = g.Tokens(g.User("bob"))
	g.Clock.Advance(25 * time.Hour)
	if _, err := g.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenExpired) {
		t.Error(err)
	}
}

func TestUsers(t *testing.T) {
	g := jotgatetest.New(t)
	for _, c := range []struct {
		name    string
		options []func(*record.Account)
		role    string
		email   string
	}{
		{"alice", nil, jotgate.RoleUser, "alice@example.com"},
		{"bob", []func(*record.Account){jotgatetest.Staff}, jotgate.RoleStaff, "bob@example.com"},
		{"root", []func(*record.Account){jotgatetest.Superuser}, jotgate.RoleAdmin, "root@example.com"},
		{"carl", []func(*record.Account){func(a *record.Account) { a.Email = "c@example.org" }}, jotgate.RoleUser, "c@example.org"},
	} {
		user, err := g.VerifyAccess(g.Token(g.User(c.name, c.options...)))
		if err != nil || user.Role.Type != c.role || user.Username != c.name || user.Email != c.email {
			t.Errorf("%s: %+v, %v", c.name, user, err)
		}
	}
	g.User("ivan", jotgatetest.Inactive)
	if _, err := g.Login(t.Context(), "ivan", jotgatetest.Password, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoActiveAccount) {
		t.Errorf("an inactive user logs in: %v", err)
	}
}

func TestRequest(t *testing.T) {
	g := jotgatetest.New(t, func(s *jotgate.Settings) { s.HeaderName, s.HeaderTypes = "X-Access", []string{"JWT"} })
	r := g.Request(g.User("alice"), "POST", "/x?y=1", strings.NewReader("body"))
	if r.Method != "POST" || r.URL.String() != "/x?y=1" || r.ContentLength != 4 || !strings.HasPrefix(r.Header.Get("X-Access"), "JWT ey") {
		t.Errorf("%+v", r)
	}
	if user, err := g.Authenticate(r); err != nil || user.Username != "alice" {
		t.Error(user, err)
	}
	if _, err := g.Authenticate(g.Request(nil, "GET", "/", nil)); !errors.Is(err, jotgate.ErrNotAuthenticated) {
		t.Error(err)
	}
}

// Two gates share only the secret.
func TestApart(t *testing.T) {
	a, b := jotgatetest.New(t), jotgatetest.New(t, func(s *jotgate.Settings) { s.SecretKey = "0123456789abcdef0123456789abcdef" })
	token := a.Token(a.User("alice"))
	if status(guarded(a), token) != 200 || status(guarded(b), token) != 401 {
		t.Error("a token of one gate is good for another")
	}
	b.User("alice") // no name is taken
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		g := jotgatetest.New(b)
		g.Token(g.User("alice"))
	}
}
