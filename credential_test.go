package jotgate_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// passes are credentials of the form pass-NAME.
type passes struct {
	mu      sync.Mutex
	known   map[string]jotgate.Credential
	loads   atomic.Int32
	refused error
}

func (p *passes) Accepts(scheme, value string) bool {
	return strings.HasPrefix(value, "pass-") && (scheme == "X-Api-Key" || strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Pass"))
}

func (p *passes) Load(_ context.Context, value string, _ time.Time) (jotgate.Credential, error) {
	p.loads.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.known[value]; ok {
		return c, nil
	}
	return jotgate.Credential{}, jotgate.ErrTokenInvalid
}

func (p *passes) Admit(*http.Request, *jotgate.Credential) error { return p.refused }

func (p *passes) set(value string, c jotgate.Credential) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[value] = c
}

const passSession = "000102030405060708090a0b0c0d0e0f"

func newPasses(t *testing.T, change func(*jotgate.Settings)) (*passes, *jotgatetest.Gate, *record.Account) {
	t.Helper()
	p := &passes{known: map[string]jotgate.Credential{}}
	gate := jotgatetest.New(t, func(s *jotgate.Settings) {
		if change != nil {
			change(s)
		}
	})
	gate.Logins().Accept(p)
	alice := gate.User("alice")
	p.set("pass-alice", jotgate.Credential{Owner: alice.ID, Session: passSession, Scopes: []string{"orders"}})
	return p, gate, alice
}

func withHeaders(pairs ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	return r
}

func TestCredentialHeaders(t *testing.T) {
	_, gate, alice := newPasses(t, nil)
	token := gate.Token(alice)
	handler := gate.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		w.Header().Set("User", user.Username)
	}))
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{[]string{"Authorization", "Bearer pass-alice"}, 200},
		{[]string{"Authorization", "bearer  pass-alice "}, 200},
		{[]string{"Authorization", "PASS pass-alice"}, 200},
		{[]string{"Authorization", "Pass\tpass-alice"}, 200},
		{[]string{"X-Api-Key", "pass-alice"}, 200},
		{[]string{"Authorization", "Bearer " + token}, 200},
		{[]string{"Authorization", "Basic YTpi", "X-Api-Key", "pass-alice"}, 200},
		{[]string{"Authorization", "Bearer " + token, "X-Api-Key", "of another service"}, 200},
		{[]string{"Sec-Websocket-Protocol", "bearer, pass-alice"}, 200},
		{[]string{"Authorization", "Token pass-alice"}, 401},
		{[]string{"Authorization", "Basic pass-alice"}, 401},
		{[]string{"Authorization", "Bearer pass-bob"}, 401},
		{[]string{"Authorization", "Bearer pass-alice x"}, 401},
		{[]string{"Authorization", "Pass"}, 401},
		{[]string{"X-Api-Key", "of another service"}, 401},
		{[]string{"X-Api-Key", ""}, 401},
		// Two credentials, of which two servers could choose different ones.
		{[]string{"Authorization", "Bearer " + token, "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Authorization", "Bearer pass-alice", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Authorization", "Pass pass-alice", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Sec-Websocket-Protocol", "bearer, " + token, "X-Api-Key", "pass-alice"}, 401},
		{[]string{"X-Api-Key", "pass-alice", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"X-Api-Key", "pass-alice", "X-Api-Key", "of another service"}, 401},
		{[]string{"X-Api-Key", "of another service", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Authorization", "Bearer " + token, "X-Api-Key", "of another service", "X-Api-Key", "of another service"}, 200},
		{[]string{"Authorization", "Bearer " + token, "X-Api-Key", "of another service", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Authorization", "Bearer " + token, "X-Api-Key", "pass-alice", "X-Api-Key", "pass-alice"}, 401},
		{[]string{"Authorization", "Pass pass-alice", "Authorization", "Pass pass-alice"}, 401},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, withHeaders(c.headers...))
		if w.Code != c.want || w.Code == 200 && w.Header().Get("User") != "alice" {
			t.Errorf("%q: %d for %q, want %d", c.headers, w.Code, w.Header().Get("User"), c.want)
		}
	}
	// Optional does not take a credential that is not valid for none.
	optional := gate.Optional(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for value, want := range map[string]int{"pass-alice": 200, "pass-bob": 401, "another": 200} {
		if got := status(optional, withHeaders("X-Api-Key", value)); got != want {
			t.Errorf("Optional: %s: %d, want %d", value, got, want)
		}
	}
	// A Guard without Credentials, and VerifyAccess, accept only tokens.
	if got := status(gate.NewGuard().Require(handler), withHeaders("X-Api-Key", "pass-alice")); got != 401 {
		t.Errorf("a guard without credentials: %d", got)
	}
	if _, err := gate.VerifyAccess("pass-alice"); err == nil {
		t.Error("VerifyAccess accepts a credential")
	}
}

// A credential is loaded once, and again when something may have changed: after
// the lifetime of an access token, and when its session or its user is revoked.
func TestCredentialIsCached(t *testing.T) {
	p, gate, alice := newPasses(t, nil)
	handler := gate.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func() int { return status(handler, withHeaders("X-Api-Key", "pass-alice")) }
	expect := func(when string, want, loads int) {
		t.Helper()
		p.loads.Store(0)
		for range 5 {
			if got := ask(); got != want {
				t.Fatalf("%s: %d, want %d", when, got, want)
			}
		}
		if got := int(p.loads.Load()); got != loads {
			t.Fatalf("%s: %d loads, want %d", when, got, loads)
		}
	}
	expect("first", 200, 1)
	expect("again", 200, 0)
	gate.Clock.Advance(gate.Settings().AccessTokenLifetime - time.Second)
	expect("shortly before the end", 200, 0)
	gate.Clock.Advance(2 * time.Second)
	expect("after it", 200, 1)

	// Whatever ends all sessions of the user makes the gate look again, in the same
	// second and not for ever.
	if err := gate.Sessions().EndAll(t.Context(), alice.ID, "", jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if ask(); p.loads.Load() != 2 {
		t.Errorf("after EndAll: %d loads", p.loads.Load()-1)
	}
	gate.Clock.Advance(3 * time.Second)
	ask()
	expect("later", 200, 0)

	bob := gate.User("bob")
	if err := gate.Sessions().EndAll(t.Context(), bob.ID, "", jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	expect("after another user's end", 200, 0)

	p.set("pass-alice", jotgate.Credential{Owner: alice.ID, Session: passSession, Expires: gate.Clock.Now().Add(10 * time.Second)})
	gate.Clock.Advance(time.Hour)
	expect("expired when it is loaded", 401, 5)
	p.set("pass-alice", jotgate.Credential{Owner: alice.ID, Session: passSession, Expires: gate.Clock.Now().Add(10 * time.Second)})
	expect("about to expire", 200, 1)
	gate.Clock.Advance(10 * time.Second)
	expect("expired in the cache", 401, 5)
	p.set("pass-alice", jotgate.Credential{Owner: alice.ID, Session: passSession})
	expect("without expiry", 200, 1)
	p.refused = jotgate.ErrForbidden
	expect("not admitted", 403, 0)
}

// The cache is bounded: with more credentials than it holds, some are loaded again.
func TestCredentialCacheIsBounded(t *testing.T) {
	p, gate, alice := newPasses(t, func(s *jotgate.Settings) { s.RememberCredentials = 10 })
	handler := gate.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	round := func() int {
		before := p.loads.Load()
		for i := range 30 {
			name := "pass-" + hex.EncodeToString([]byte{byte(i)})
			p.set(name, jotgate.Credential{Owner: alice.ID, Session: passSession})
			if got := status(handler, withHeaders("X-Api-Key", name)); got != 200 {
				t.Fatal(got)
			}
		}
		return int(p.loads.Load() - before)
	}
	if first, second := round(), round(); first != 30 || second < 20 {
		t.Errorf("30 credentials: %d loads, then %d with a cache of 10", first, second)
	}
	for range 20 { // one that is in use stays
		status(handler, withHeaders("X-Api-Key", "pass-alice"))
	}
	before := p.loads.Load()
	for i := range 30 {
		status(handler, withHeaders("X-Api-Key", "pass-"+hex.EncodeToString([]byte{byte(i)})))
		status(handler, withHeaders("X-Api-Key", "pass-alice"))
	}
	if again := p.loads.Load() - before; again > 30 {
		t.Errorf("a credential in use was loaded %d times", again-30)
	}
}

// A credential with scopes is limited, whatever else is known of its user, and one
// that is as good as a login is not.
func TestCredentialScopes(t *testing.T) {
	p, gate, alice := newPasses(t, nil)
	p.set("pass-login", jotgate.Credential{Owner: alice.ID, Session: passSession, Login: true})
	p.set("pass-none", jotgate.Credential{Owner: alice.ID, Session: passSession})
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		value, scope string
		want         int
	}{
		{"pass-alice", "orders", 200}, {"pass-alice", "orders:read", 403}, {"pass-login", "orders", 200}, {"pass-none", "orders", 403},
	} {
		if got := status(gate.RequireScope(c.scope)(ok), withHeaders("X-Api-Key", c.value)); got != c.want {
			t.Errorf("%s for %s: %d, want %d", c.value, c.scope, got, c.want)
		}
		if got := status(gate.Require(gate.RequireScope(c.scope)(ok)), withHeaders("X-Api-Key", c.value)); got != c.want {
			t.Errorf("inside Require: %s for %s: %d, want %d", c.value, c.scope, got, c.want)
		}
		if got := status(gate.RequireAudience("a")(ok), withHeaders("X-Api-Key", c.value)); got != 401 {
			t.Errorf("%s for an audience: %d", c.value, got)
		}
	}
	p.refused = errors.New("unforeseen")
	if got := status(gate.Require(ok), withHeaders("X-Api-Key", "pass-alice")); got != 503 {
		t.Errorf("after an unforeseen error: %d", got)
	}
}

// What a gate has cached of a credential is not used when its owner changed, on the
// node that changed it and on another one after it has read the feed, and whatever the
// clocks of the nodes are.
func TestCredentialOfAChangedOwner(t *testing.T) {
	for name, change := range map[string]func(b *bench, a *record.Account) error{
		"deactivated": func(b *bench, a *record.Account) error {
			return b.db.Accounts().Change(t.Context(), a.ID, record.Change{IsActive: new(false), At: b.clock.Now()})
		},
		"deleted": func(b *bench, a *record.Account) error {
			return b.Accounts().Delete(t.Context(), a, jotgate.Client{})
		},
	} {
		for _, field := range []string{"id", "username"} {
			for _, skew := range skews {
				db := sqlitetest.Open(t)
				settings := func(s *jotgate.Settings) { s.UserIDField = field }
				here, there := gateOn(t, db, settings), gateOn(t, db, settings)
				there.clock.Advance(skew)
				alice := here.user(t, "alice", nil)
				p := &passes{known: map[string]jotgate.Credential{}}
				p.set("pass-alice", jotgate.Credential{Owner: alice.ID, Session: passSession, Scopes: []string{"account"}})
				for _, b := range []*bench{here, there} {
					b.Logins().Accept(p)
					user, err := b.Authenticate(withHeaders("X-Api-Key", "pass-alice"))
					if err != nil {
						t.Fatal(err)
					}
					if account, err := b.Accounts().Of(t.Context(), user); err != nil || account.ID != alice.ID {
						t.Errorf("%v, %v", account, err)
					}
				}
				if err := change(here, alice); err != nil {
					t.Fatal(err)
				}
				for _, b := range []*bench{here, there} {
					if err := b.Sync(t.Context()); err != nil {
						t.Fatal(err)
					}
					if user, err := b.Authenticate(withHeaders("X-Api-Key", "pass-alice")); err == nil {
						t.Errorf("%s, by %s, %v apart: opens for %v", name, field, skew, user.ID)
					}
				}
			}
		}
	}
}
