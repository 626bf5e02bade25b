package jotgate

// The password of an account: rules, checks and changes.

import (
	"context"
	"errors"
	"fmt"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
)

// CheckPassword compares the password with the account's, as a login does: it waits for
// the hash pool, and replaces an outdated hash. Errors: ErrWrongPassword, ErrBusy,
// ErrUnavailable.
func (as Accounts) CheckPassword(ctx context.Context, a *record.Account, password string) error {
	ok, err := as.gate.users.CheckPassword(ctx, a, password)
	if err == nil && !ok {
		return ErrWrongPassword
	}
	return err
}

// PasswordProblems returns the reasons why a password cannot be the new one of the
// account, by Settings.PasswordRules, PasswordMinLengthWithoutMFA and
// BreachedPasswords, or nil if it can. For an account that does not exist yet, a.ID is
// empty. If the list of breached passwords cannot be read, its check is left out, and
// the event password_unchecked is recorded. SetPassword and Register make the same
// checks; the cause of their error is a strength.Error. The error is ErrUnavailable.
func (as Accounts) PasswordProblems(ctx context.Context, a *record.Account, password string) ([]strength.Problem, error) {
	return as.gate.passwordProblems(ctx, a, password)
}

// SetPassword sets a new password and ends the account's sessions except the one with
// the id keep (none, with Settings.KeepSessionsOnPasswordChange). Call CheckPassword
// first: this method does not ask for the current password. a must be as it was read.
// Errors: 400 (field password) if the rules reject the password; ErrWrongPassword if
// the password has changed since a was read; ErrBusy, ErrForbidden, ErrUnavailable.
func (as Accounts) SetPassword(ctx context.Context, a *record.Account, password, keep string, client Client) error {
	_, err := as.gate.replacePassword(ctx, a, password, keep, record.Change{}, client)
	if errors.Is(err, ErrNotFound) {
		return ErrWrongPassword.Because(err)
	}
	return err
}

// replacePassword adds a new password to the change and applies it, if the
// stored password is still the one that was read. Otherwise the error is
// ErrNotFound. It returns the new hash.
func (g *Gate) replacePassword(ctx context.Context, a *record.Account, password, keep string, change record.Change, client Client) (string, error) {
	if g.ownUsers() {
		return "", ErrForbidden.Because(errOwnUsers)
	}
	if err := g.acceptPassword(ctx, a, password); err != nil {
		return "", err
	}
	encoded, err := g.makePassword(ctx, password)
	if err != nil {
		return "", err
	}
	change.Password, change.IfPassword, change.At = &encoded, &a.Password, g.now()
	change.Forget = []record.Purpose{record.PendingEmailChange} // may be requested with the old password
	if !g.settings.KeepSessionsOnPasswordChange {
		change.EndSessions, change.KeepSession = record.EndedByPassword, keep
	}
	return encoded, g.change(ctx, a, change, record.Event{Name: "password", Session: keep}, client)
}

// acceptPassword checks a new password. The cause of its error is a
// strength.Error, if that is why.
func (g *Gate) acceptPassword(ctx context.Context, a *record.Account, password string) error {
	if len(password) > passwd.MaxPassword {
		return fieldError("password", fmt.Sprintf("Ensure this field has no more than %d characters.", passwd.MaxPassword))
	}
	problems, err := g.passwordProblems(ctx, a, password)
	if err != nil || len(problems) == 0 {
		return err
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Message
	}
	return fieldError("password", texts...).Because(strength.Error(problems))
}

// makePassword hashes a password. One that cannot be hashed is an error of
// the client.
func (g *Gate) makePassword(ctx context.Context, password string) (string, error) {
	encoded, err := g.Accounts().MakePassword(ctx, password)
	if errors.Is(err, passwd.ErrPassword) {
		return "", fieldError("password", "This password cannot be used.")
	}
	return encoded, err
}

// MakePassword returns the hash of a new password, as it is stored. It waits for the
// hash pool. It does not check the password; see AcceptPassword. Errors: ErrBusy,
// passwd.ErrPassword.
func (as Accounts) MakePassword(ctx context.Context, password string) (encoded string, err error) {
	poolErr := as.gate.hash(ctx, "", func() { encoded, err = as.gate.hasher.Make(password) })
	if poolErr != nil {
		return "", poolErr
	}
	return encoded, err
}
