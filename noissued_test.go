package jotgate_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// tokenWith returns a token of alice without a session, with this claim iat;
// nil leaves it out.
func tokenWith(t *testing.T, a *record.Account, kind string, iat any) string {
	t.Helper()
	claims := map[string]any{
		"token_type": kind, "exp": noon.Add(3 * time.Hour).Unix(), "jti": "0123456789abcdef", "user_id": string(a.ID), "iat": iat,
	}
	if iat == nil {
		delete(claims, "iat")
	}
	token, err := jwt.Sign(key(t), claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The operator learns what is wrong with iat; the client reads SimpleJWT's
// text in every case.
func TestTokensWithoutIssuedAt(t *testing.T) {
	revoked := func(b *bench, a *record.Account) error {
		return b.Sessions().EndAll(t.Context(), a.ID, "", jotgate.Client{})
	}
	nothing := func(*bench, *record.Account) error { return nil }
	for name, c := range map[string]struct {
		iat    any
		before func(b *bench, a *record.Account) error
		keep   time.Duration // ForeignTokenLifetime
		reason error         // nil: accepted
		detail string        // part of the error for the operator
	}{
		"missing, nothing is revoked":         {nil, nothing, 24 * time.Hour, nil, ""},
		"missing, the user's are revoked":     {nil, revoked, 24 * time.Hour, jwt.ErrMissing, "iat is missing"},
		"missing, may be older than the list": {nil, nothing, time.Hour, jwt.ErrMissing, "iat is missing"},
		"before the revocation":               {noon.Unix(), revoked, 24 * time.Hour, jotgate.ErrTokenInvalid, "revoked"},
		"after the revocation":                {noon.Unix() + 2, revoked, 24 * time.Hour, nil, ""},
		"in the future":                       {noon.Unix() + 3, revoked, 24 * time.Hour, jwt.ErrIssuedInFuture, "issued in the future"},
		"in the future, nothing is revoked":   {noon.Unix() + 3, nothing, 24 * time.Hour, jwt.ErrIssuedInFuture, "issued in the future"},
		"no number":                           {"2025-06-01T12:00:00Z", revoked, 24 * time.Hour, jwt.ErrMalformed, "malformed"},
		"a boolean, nothing is revoked":       {true, nothing, 24 * time.Hour, jwt.ErrMalformed, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			b := newGate(t, func(s *jotgate.Settings) {
				s.ServeRevocations, s.ForeignTokenLifetime = true, c.keep
				s.Logger = slog.New(slog.NewTextHandler(&logged, nil))
			})
			alice := b.user(t, "alice", nil)
			if err := c.before(b, alice); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(2 * time.Second)
			if err := b.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			far, _, _ := farGuard(t, b, nil)
			eventually(t, func() bool { return far.RevocationAge() < time.Hour })
			token := tokenWith(t, alice, "access", c.iat)
			_, here := b.VerifyAccess(token)
			_, there := far.VerifyAccess(token)
			for _, err := range []error{here, there, b.Sessions().VerifyToken(t.Context(), token)} {
				switch {
				case c.reason == nil && err == nil:
				case c.reason == nil || err == nil || !strings.Contains(err.Error(), c.detail) || strings.Contains(err.Error(), "issued before"):
					t.Errorf("%v", err)
				}
			}
			if c.reason == nil {
				return
			}
			for _, err := range []error{here, there} {
				if !errors.Is(err, c.reason) || !errors.Is(err, jotgate.ErrTokenInvalid) {
					t.Errorf("%v, want %v", err, c.reason)
				}
				if e := jotgate.AsError(err); len(e.Messages) != 1 || e.Messages[0].Message != jotgate.ErrTokenInvalid.Detail {
					t.Errorf("the client reads %+v", e)
				}
			}
			if warned := strings.Contains(logged.String(), "iat is missing"); warned != (c.keep == time.Hour) {
				t.Errorf("logged %q", &logged)
			}
		})
	}
}

// A refresh token without iat is rejected in the same way, with the reason,
// once all tokens of its user have been revoked.
func TestRefreshTokenWithoutIssuedAt(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	token := tokenWith(t, alice, "refresh", nil)
	if err := b.Sessions().VerifyToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := b.Sessions().EndAll(t.Context(), alice.ID, "", jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	err := b.Sessions().VerifyToken(t.Context(), token)
	if !errors.Is(err, jotgate.ErrTokenBlacklisted) || !errors.Is(err, jwt.ErrMissing) {
		t.Errorf("%v", err)
	}
}
