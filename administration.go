package jotgate

// What package admin needs of a gate: it makes its changes in separate transactions,
// with their events.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Stored logs an event that a store has inserted itself, and passes it to
// Settings.OnEvent.
func (es Events) Stored(ctx context.Context, e record.Event) { es.gate.logEvent(ctx, e) }

// Make returns a new key for the algorithm (RS…, PS…, ES… or EdDSA) in the state
// record.KeyNext, with its private key encrypted, and does not store it. The error
// names an algorithm for which there are no keys.
func (ks Keys) Make(alg jwt.Algorithm) (record.Key, error) {
	if _, err := ks.gate.keyStore(); err != nil {
		return record.Key{}, err
	}
	return ks.gate.keys.NewKey(alg, ks.gate.now())
}

// AcceptPassword checks whether the rules of the settings accept a new password for the
// account (see PasswordProblems). Errors: 400 (field password) if they do not;
// ErrUnavailable.
func (as Accounts) AcceptPassword(ctx context.Context, a *record.Account, password string) error {
	return as.gate.acceptPassword(ctx, a, password)
}

// RequireStaff returns nil if the user may enter the administration: the account is
// active staff, and the user has authenticated with two factors if the account has a
// second one, or if Settings.RequireMFA or RequireMFAGroups require one. Errors:
// ErrForbidden, that of CheckAuth, ErrUnavailable.
func (fs Factors) RequireStaff(ctx context.Context, user *User, a *record.Account) error {
	g := fs.gate
	if !a.IsActive || !a.IsStaff {
		return ErrForbidden.Because(errors.New("the account is not active staff"))
	}
	level := levelOne
	has, lacks, err := g.secondFactor(ctx, a)
	if err != nil {
		return err
	}
	if has || lacks {
		level = levelTwo
	}
	return g.CheckAuth(user, ACR(level))
}
