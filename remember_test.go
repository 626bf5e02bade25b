package jotgate_test

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

// changing is a source of keys that change; it counts how often it is asked.
type changing struct{ set atomic.Pointer[jwt.KeySet] }

func (c *changing) KeySet() *jwt.KeySet { return c.set.Load() }

// remembering returns a guard that caches tokens, its clock, and its keys.
func remembering(t *testing.T, size int) (*jotgate.Guard, *time.Time, *changing) {
	t.Helper()
	now, keys := noon, &changing{}
	keys.set.Store(key(t).KeySet())
	guard := newGuard(t, func(s *jotgate.GuardSettings) {
		s.Keys, s.RememberTokens, s.Now = keys, size, func() time.Time { return now }
	})
	return guard, &now, keys
}

func TestRemember(t *testing.T) {
	guard, now, keys := remembering(t, 10)
	token := accessToken(t, func(c map[string]any) { c["nbf"] = noon.Unix() })
	first, err := guard.VerifyAccess(token)
	if err != nil || first.Username != "alice" {
		t.Fatalf("%v %v", first, err)
	}
	if again, err := guard.VerifyAccess(token); err != nil || again != first {
		t.Errorf("the second time: %v %v", again, err)
	}
	if _, err := guard.VerifyAccess(token[:len(token)-1]); !errors.Is(err, jotgate.ErrTokenInvalid) {
		t.Errorf("a token that only begins like it: %v", err)
	}
	for name, at := range map[string]time.Time{"expired": noon.Add(5 * time.Minute), "before it was issued": noon.Add(-time.Second)} {
		*now = at
		if _, err := guard.VerifyAccess(token); err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
	*now = noon
	if _, err := guard.VerifyAccess(token); err != nil {
		t.Fatalf("before the keys change: %v", err)
	}
	other, err := jwt.NewHMAC(jwt.HS256, []byte(secret[1:]+"x"))
	if err != nil {
		t.Fatal(err)
	}
	keys.set.Store(other.KeySet())
	if _, err := guard.VerifyAccess(token); !errors.Is(err, jotgate.ErrTokenInvalid) {
		t.Errorf("after its key is gone: %v", err)
	}
}

// A rejected token is not cached as valid, nor is one of another type.
func TestRememberRefusals(t *testing.T) {
	guard, _, _ := remembering(t, 10)
	for _, token := range []string{
		accessToken(t, func(c map[string]any) { c["token_type"] = "refresh" }),
		accessToken(t, func(c map[string]any) { c["user_id"] = nil }),
		accessToken(t, func(c map[string]any) { c["exp"] = noon.Unix() }),
	} {
		for range 2 {
			if user, err := guard.VerifyAccess(token); err == nil {
				t.Errorf("%v passes", user)
			}
		}
	}
}

// The cache is no larger than requested, and drops the oldest.
func TestRememberIsBounded(t *testing.T) {
	guard, _, _ := remembering(t, 4)
	users := map[string]*jotgate.User{}
	token := func(n int) string {
		return accessToken(t, func(c map[string]any) { c["jti"] = "token " + strconv.Itoa(n) })
	}
	for n := range 10 {
		user, err := guard.VerifyAccess(token(n))
		if err != nil {
			t.Fatal(err)
		}
		users[token(n)] = user
	}
	kept := 0
	for n := 9; n >= 0; n-- {
		if user, err := guard.VerifyAccess(token(n)); err != nil {
			t.Fatal(err)
		} else if user == users[token(n)] {
			kept++
		}
	}
	if kept == 0 || kept > 4 {
		t.Errorf("it kept %d of 10 tokens, and was asked for 4", kept)
	}
	if last, err := guard.VerifyAccess(token(0)); err != nil || last.Username != "alice" {
		t.Errorf("a forgotten token: %v %v", last, err)
	}
}

// A cached token can be revoked.
func TestRememberedAndRevoked(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
	go func() { _ = b.Run(t.Context()) }()
	b.user(t, "alice", nil)
	tokens, other := b.login(t, "alice"), b.login(t, "alice")
	guard, _, _ := farGuard(t, b, func(s *jotgate.GuardSettings) { s.RememberTokens = 10 })
	for range 2 {
		if _, err := guard.VerifyAccess(tokens.Access); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, err := guard.VerifyAccess(tokens.Access); return err != nil })
	if _, err := guard.VerifyAccess(other.Access); err != nil {
		t.Errorf("another session: %v", err)
	}
}

// A gate also caches tokens if that is enabled, and checks the session and
// the time of a cached token.
func TestGateRemembers(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.RememberTokens = 10 })
	b.user(t, "alice", nil)
	tokens, other := b.login(t, "alice"), b.login(t, "alice")
	first, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.VerifyAccess(tokens.Access); err != nil || again != first {
		t.Errorf("the second time: %v %v", again, err)
	}
	if _, err := b.VerifyAccess(other.Access); err != nil {
		t.Fatal(err)
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(tokens.Access); !errors.Is(err, jotgate.ErrTokenInvalid) {
		t.Errorf("after a logout: %v", err)
	}
	if _, err := b.VerifyAccess(other.Access); err != nil {
		t.Errorf("another session: %v", err)
	}
	b.clock.Advance(5 * time.Minute)
	if _, err := b.VerifyAccess(other.Access); err == nil {
		t.Error("an expired token passes")
	}
	if forgetful := newGate(t, nil); forgetful.Settings().RememberTokens != 0 {
		t.Error("a gate remembers unasked")
	}
}
