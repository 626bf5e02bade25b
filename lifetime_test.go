package jotgate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

// A session that is refreshed repeatedly for a year ends with its lifetime,
// and none of its tokens is valid for longer.
func TestSessionLifetime(t *testing.T) {
	for _, c := range []struct {
		name              string
		lifetime, refresh time.Duration // settings
		step              time.Duration // between two refreshes
		want              time.Duration // 0: it does not end
	}{
		{"default", 0, 0, 23 * time.Hour, 30 * 24 * time.Hour},
		{"default, refresh tokens that live longer", 0, 40 * 24 * time.Hour, 39 * 24 * time.Hour, 40 * 24 * time.Hour},
		{"shorter than a refresh token", 90 * time.Minute, 0, 50 * time.Minute, 90 * time.Minute},
		{"without end", -1, 0, 23 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newGate(t, func(s *jotgate.Settings) { s.SessionLifetime, s.RefreshTokenLifetime = c.lifetime, c.refresh })
			b.user(t, "alice", nil)
			tokens := b.login(t, "alice")
			var err error
			for b.clock.Now().Before(noon.AddDate(1, 0, 0)) {
				b.mustEnd(t, tokens, c.want)
				b.clock.Advance(c.step)
				var next jotgate.Tokens
				if next, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
					break
				}
				tokens = next
			}
			over := b.clock.Now().Sub(noon)
			if c.want == 0 && err != nil || c.want != 0 && (over < c.want || over >= c.want+c.step) {
				t.Fatalf("it ended after %v: %v", over, err)
			}
			if c.want == 0 {
				return
			}
			if !errors.Is(err, jotgate.ErrTokenExpired) {
				t.Error(err)
			}
			if _, err := b.VerifyAccess(tokens.Access); err == nil {
				t.Error("an access token outlives its session's lifetime")
			}
			b.login(t, "alice")
		})
	}
}

// mustEnd fails the test if a token is valid for longer than the session may
// live.
func (b *bench) mustEnd(t *testing.T, tokens jotgate.Tokens, life time.Duration) {
	t.Helper()
	for _, token := range []string{tokens.Access, tokens.Refresh} {
		if exp := expiry(t, token); life != 0 && exp.After(noon.Add(life)) {
			t.Fatalf("a token expires %v after the login", exp.Sub(noon))
		}
	}
}

func TestSessionLifetimeIsChecked(t *testing.T) {
	for life, ok := range map[time.Duration]bool{-1: true, 0: true, 5 * time.Minute: true, 5*time.Minute - 1: false, time.Millisecond: false} {
		gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, SessionLifetime: life}, nil)
		if (err == nil) != ok {
			t.Errorf("%v: %v", life, err)
		}
		if life < 0 && gate.Settings().SessionLifetime >= 0 {
			t.Error("what a gate says of its settings makes another gate")
		}
	}
}

// A shorter lifetime also applies to existing sessions.
func TestSessionLifetimeIsShortened(t *testing.T) {
	for _, keep := range []bool{false, true} {
		b := newGate(t, func(s *jotgate.Settings) { s.KeepRefreshTokens = keep })
		b.user(t, "alice", nil)
		tokens := b.login(t, "alice")
		strict := gateOn(t, b.db, func(s *jotgate.Settings) { s.KeepRefreshTokens, s.SessionLifetime = keep, time.Hour })
		b.clock.Advance(time.Hour - time.Second)
		strict.clock.Advance(time.Hour - time.Second)
		if err := strict.Sessions().VerifyToken(t.Context(), tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(time.Second)
		strict.clock.Advance(time.Second)
		if err := strict.Sessions().VerifyToken(t.Context(), tokens.Refresh); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
			t.Errorf("verified: %v", err)
		}
		if _, err := strict.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
			t.Errorf("refreshed: %v", err)
		}
		if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
			t.Errorf("with the default: %v", err)
		}
	}
}

// A session that Django started counts from its token's iat; without one,
// from its first use by jotgate.
func TestSessionLifetimeOfDjangosTokens(t *testing.T) {
	for _, c := range []struct {
		name string
		iat  time.Duration // before noon; 0: none
		want error
	}{
		{"issued in time", 59 * time.Minute, nil},
		{"issued long ago", time.Hour, jotgate.ErrTokenBlacklisted},
		{"without iat", 0, nil},
	} {
		b := newGate(t, func(s *jotgate.Settings) { s.SessionLifetime = time.Hour })
		alice := b.user(t, "alice", nil)
		token := accessToken(t, func(claims map[string]any) {
			claims["token_type"], claims["user_id"], claims["iat"] = "refresh", string(alice.ID), noon.Add(-c.iat).Unix()
			if delete(claims, "sid"); c.iat == 0 {
				delete(claims, "iat")
			}
		})
		if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// expiry returns the time in a token's exp.
func expiry(t *testing.T, token string) time.Time {
	t.Helper()
	_, payload, err := jwt.DecodeUnverified(token)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range payload.Members() {
		if m.Name == "exp" {
			exp, _ := m.Value.(jwt.Raw).Int()
			return time.Unix(exp, 0)
		}
	}
	t.Fatal("no exp")
	return time.Time{}
}
