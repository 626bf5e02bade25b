package jotgate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// foreign returns a token of this type as Django issues it, without a
// session.
func foreign(t *testing.T, a *record.Account, kind string, issued, expires time.Time) string {
	t.Helper()
	token, err := jwt.Sign(key(t), map[string]any{
		"token_type": kind, "exp": expires.Unix(), "iat": issued.Unix(), "jti": kind + issued.String(), "user_id": string(a.ID),
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Everything that ends all sessions of a user also ends the tokens that
// Django issued: at this gate, at a guard in another process and after a
// restart, for as long as they could live. Later ones work, and so does the
// session that is kept.
func TestEndingEverythingEndsTokensWithoutASession(t *testing.T) {
	for name, end := range map[string]func(b *bench, a *record.Account, keep string) error{
		"a new password": func(b *bench, a *record.Account, keep string) error {
			return b.Accounts().SetPassword(t.Context(), a, "a new one, long enough", keep, jotgate.Client{})
		},
		"log out everywhere else": func(b *bench, a *record.Account, keep string) error {
			return b.Sessions().EndAll(t.Context(), a.ID, keep, jotgate.Client{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations = true })
			alice := b.user(t, "alice", nil)
			month := noon.Add(30 * 24 * time.Hour)
			access, refresh := foreign(t, alice, "access", noon, month), foreign(t, alice, "refresh", noon, month)
			kept := b.login(t, "alice")
			far, _, _ := farGuard(t, b, nil)
			user, err := b.VerifyAccess(kept.Access)
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{access, refresh} {
				if err := b.Sessions().VerifyToken(t.Context(), token); err != nil {
					t.Fatalf("before: %v", err)
				}
			}
			if err := end(b, alice, user.Session); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { _, err := far.VerifyAccess(access); return err != nil })
			for _, guard := range []*jotgate.Guard{b.Guard, far} {
				if _, err := guard.VerifyAccess(access); !errors.Is(err, jotgate.ErrTokenInvalid) {
					t.Errorf("Django's access token: %v", err)
				}
				if _, err := guard.VerifyAccess(kept.Access); err != nil {
					t.Errorf("the session that is kept: %v", err)
				}
			}
			if _, err := b.Refresh(t.Context(), kept.Refresh, jotgate.Client{}); err != nil {
				t.Errorf("the session that is kept: %v", err)
			}
			refused := func(g *jotgate.Gate, at string) {
				t.Helper()
				if _, err := g.Refresh(t.Context(), refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
					t.Errorf("%s: Django's refresh token: %v", at, err)
				}
				for _, token := range []string{access, refresh} {
					if err := g.Sessions().VerifyToken(t.Context(), token); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
						t.Errorf("%s: verified: %v", at, err)
					}
				}
			}
			refused(b.Gate, "immediately")
			b.clock.Advance(29 * 24 * time.Hour)
			if _, err := b.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			again := gateOn(t, b.db, func(s *jotgate.Settings) { s.Now = b.clock.Now })
			if err := again.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			refused(again.Gate, "a month later, after a purge and a new start")
			later := foreign(t, alice, "access", b.clock.Now(), month)
			if _, err := again.VerifyAccess(later); err != nil {
				t.Errorf("a token of later: %v", err)
			}
		})
	}
}

// A revoked token of Django's does not become valid again when its session is
// purged, however long it lives.
func TestPurgeRevivesNothing(t *testing.T) {
	for name, use := range map[string]bool{"never used": false, "used": true} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, nil)
			alice := b.user(t, "alice", nil)
			token := foreign(t, alice, "refresh", noon, noon.Add(90*24*time.Hour))
			last := token
			if use {
				tokens, err := b.Refresh(t.Context(), token, jotgate.Client{})
				if err != nil {
					t.Fatal(err)
				}
				last = tokens.Refresh
			}
			if err := b.Logout(t.Context(), last, jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
			for range 8 {
				b.clock.Advance(11 * 24 * time.Hour)
				if _, err := b.Purge(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
					t.Fatalf("after %v: %v", b.clock.Now().Sub(noon), err)
				}
			}
		})
	}
}

// A token that is older than revocations are kept is rejected: its revocation
// may have been dropped.
func TestTokensOlderThanTheRevocationList(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.ForeignTokenLifetime = time.Hour })
	alice := b.user(t, "alice", nil)
	token := foreign(t, alice, "access", noon, noon.Add(3*time.Hour))
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{time.Hour, nil}, {time.Hour + 2*time.Second, jotgate.ErrTokenInvalid}} {
		b.clock.Advance(noon.Add(c.after).Sub(b.clock.Now()))
		if _, err := b.VerifyAccess(token); !errors.Is(err, c.want) {
			t.Errorf("after %v: %v, want %v", c.after, err, c.want)
		}
	}
}
