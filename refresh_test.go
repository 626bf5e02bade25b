package jotgate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

func TestRefreshRotates(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	first := b.login(t, "alice")
	b.clock.Advance(time.Minute)
	second, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Error("the tokens are the old ones")
	}
	if _, err := b.VerifyAccess(second.Access); err != nil {
		t.Error(err)
	}
	again, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{})
	if err != nil || again.Refresh != second.Refresh {
		t.Errorf("a retry within the grace time: %v, same token %v", err, again.Refresh == second.Refresh)
	}
	b.clock.Advance(11 * time.Second)
	if _, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenReused) {
		t.Errorf("reuse: %v", err)
	}
	if _, err := b.Refresh(t.Context(), second.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("the winner after reuse: %v", err)
	}
	if _, err := b.VerifyAccess(second.Access); err == nil {
		t.Error("an access token outlives its session")
	}
}

func TestKeepRefreshTokens(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.KeepRefreshTokens = true })
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	for range 3 {
		b.clock.Advance(time.Hour)
		got, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
		if err != nil || got.Refresh != "" || got.Access == "" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("after logout: %v", err)
	}
}

func TestRefreshRefuses(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	sign := func(change func(map[string]any)) string {
		return accessToken(t, func(c map[string]any) {
			c["token_type"], c["user_id"] = "refresh", string(alice.ID)
			delete(c, "sid") // as Django issues it
			if change != nil {
				change(c)
			}
		})
	}
	if _, err := b.Refresh(t.Context(), sign(nil), jotgate.Client{}); err != nil {
		t.Fatalf("a refresh token that Django issued: %v", err)
	}
	for _, c := range []struct {
		name  string
		token string
		want  string
	}{
		{"an access token", sign(func(c map[string]any) { c["token_type"] = "access" }), "Token has wrong type"},
		{"expired", sign(func(c map[string]any) { c["exp"] = noon.Unix() }), "Token is expired"},
		{"no jti", sign(func(c map[string]any) { delete(c, "jti") }), "Token has no id"},
		{"jti a number", sign(func(c map[string]any) { c["jti"] = 5 }), "Token is invalid"},
		{"jti too long", sign(func(c map[string]any) { c["jti"] = strings.Repeat("a", 256) }), "Token is invalid"},
		{"unknown user", sign(func(c map[string]any) { c["jti"], c["user_id"] = "new", "99" }), "No active account found for the given token."},
		{"no user", sign(func(c map[string]any) { c["jti"] = "new2"; delete(c, "user_id") }), "No active account found for the given token."},
		{"a session that never was", sign(func(c map[string]any) { c["sid"] = strings.Repeat("0", 32) }), "Token is blacklisted"},
		{"garbage", "x", "Token is invalid"},
	} {
		_, err := b.Refresh(t.Context(), c.token, jotgate.Client{})
		if err == nil || jotgate.AsError(err).Detail != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRefreshHandsCustomClaimsOn(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	token := accessToken(t, func(c map[string]any) {
		c["token_type"], c["user_id"], c["tenant"], c["n"] = "refresh", string(alice.ID), "acme", []int{1, 2}
		c["username"] = "forged"
		delete(c, "sid")
	})
	tokens, err := b.Refresh(t.Context(), token, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	tenant, _ := user.Claim("tenant")
	n, _ := user.Claim("n")
	if tenant != `"acme"` || n != "[1,2]" || user.Username != "alice" {
		t.Errorf("tenant %s, n %s, username %s", tenant, n, user.Username)
	}
}

func TestLogoutStopsEveryToken(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	one, two := b.login(t, "alice"), b.login(t, "alice")
	if err := b.Logout(t.Context(), one.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(one.Access); !errors.Is(err, jotgate.ErrTokenInvalid) && err == nil {
		t.Error("the access token lives on")
	}
	if _, err := b.Refresh(t.Context(), one.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("refresh after logout: %v", err)
	}
	if err := b.Logout(t.Context(), one.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("second logout: %v", err)
	}
	if _, err := b.VerifyAccess(two.Access); err != nil {
		t.Errorf("the other session: %v", err)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	b := newGate(t, nil)
	alice, mallory := b.user(t, "alice", nil), b.user(t, "mallory", nil)
	first, second, third := b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice")
	list, err := b.Sessions().List(t.Context(), alice.ID)
	if err != nil || len(list) != 3 || list[0].Address != "192.0.2.1" || list[0].UserAgent != "test" {
		t.Fatalf("%+v %v", list, err)
	}
	sid := func(tokens jotgate.Tokens) string { return tokens.User.Session }
	if err := b.Sessions().End(t.Context(), mallory.ID, sid(first), jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("somebody else's session: %v", err)
	}
	if err := b.Sessions().End(t.Context(), alice.ID, sid(first), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Sessions().EndAll(t.Context(), alice.ID, sid(third), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tokens jotgate.Tokens
		lives  bool
	}{"ended": {first, false}, "another": {second, false}, "kept": {third, true}} {
		if _, err := b.VerifyAccess(c.tokens.Access); (err == nil) != c.lives {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckRevokeToken(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.CheckRevokeToken = true })
	alice := b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	if got := claims(t, tokens.Access)[5]; got != "hash_password" {
		t.Errorf("claim 5 is %s", got)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accounts().Of(t.Context(), user); err != nil {
		t.Errorf("before the change: %v", err)
	}
	encoded, _ := b.Accounts().MakePassword(t.Context(), "another fine password 9")
	if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{Password: &encoded}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accounts().Of(t.Context(), user); !errors.Is(err, jotgate.ErrPasswordChanged) {
		t.Errorf("after it: %v", err)
	}
	_, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
	if err == nil || jotgate.AsError(err).Detail != jotgate.ErrPasswordChanged.Detail {
		t.Errorf("refresh: %v", err)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("second refresh: %v", err)
	}
}

// Purge deletes expired rows, and no others.
func TestPurge(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.EventRetention = 40 * 24 * time.Hour })
	alice := b.user(t, "alice", nil)
	b.login(t, "alice")
	b.clock.Advance(39 * 24 * time.Hour)
	living := b.login(t, "alice")
	count := func() (sessions, events int) {
		for _, id := range []string{living.User.Session} {
			if _, err := b.db.Sessions().Find(t.Context(), id); err == nil {
				sessions++
			}
		}
		list, err := b.db.Events().List(t.Context(), alice.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return sessions, len(list)
	}
	if rows, err := b.Purge(t.Context()); err != nil || rows != 1 {
		t.Errorf("%d rows, %v; one session has expired for longer than a month", rows, err)
	}
	if sessions, events := count(); sessions != 1 || events != 2 {
		t.Errorf("%d living sessions, %d events", sessions, events)
	}
	b.clock.Advance(2 * 24 * time.Hour)
	if rows, err := b.Purge(t.Context()); err != nil || rows != 1 {
		t.Errorf("%d rows, %v; one event is older than 40 days", rows, err)
	}
	if sessions, events := count(); sessions != 1 || events != 1 {
		t.Errorf("%d living sessions, %d events", sessions, events)
	}
	if rows, err := b.Purge(t.Context()); err != nil || rows != 0 {
		t.Errorf("once more: %d rows, %v", rows, err)
	}
}

// Revoked tokens remain revoked after a purge and a restart, however long the
// settings let an access token live.
func TestPurgeKeepsRevocations(t *testing.T) {
	long := func(s *jotgate.Settings) {
		s.AccessTokenLifetime, s.RefreshTokenLifetime = 60*24*time.Hour, 60*24*time.Hour
	}
	b := newGate(t, long)
	b.user(t, "alice", nil)
	out, lives := b.login(t, "alice"), b.login(t, "alice")
	if err := b.Logout(t.Context(), out.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(59 * 24 * time.Hour)
	if _, err := b.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := gateOn(t, b.db, func(s *jotgate.Settings) { long(s); s.Now = b.clock.Now })
	if err := again.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := again.VerifyAccess(out.Access); err == nil {
		t.Error("a token works again that was logged out")
	}
	if _, err := again.VerifyAccess(lives.Access); err != nil {
		t.Errorf("the other session: %v", err)
	}
}
