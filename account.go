package jotgate

// Changes of accounts.

import (
	"context"
	"errors"
	"maps"

	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// Accounts finds and changes the accounts of a gate. Gate.Accounts returns it.
// It is safe for concurrent use.
type Accounts struct{ gate *Gate }

// Accounts returns the operations on accounts other than logins and
// registrations.
func (g *Gate) Accounts() Accounts { return Accounts{g} }

// ByID finds an account by its key. The error is ErrNotFound if there
// is none.
func (as Accounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	return as.gate.users.UserByID(ctx, id)
}

// CheckPassword compares the password with the account's, as a login does: in
// the hash pool, upgrading an outdated hash. Errors: ErrWrongPassword,
// ErrBusy, ErrUnavailable.
func (as Accounts) CheckPassword(ctx context.Context, a *record.Account, password string) error {
	ok, err := as.gate.users.CheckPassword(ctx, a, password)
	if err == nil && !ok {
		return ErrWrongPassword
	}
	return err
}

// SetPassword sets a new password and ends the account's sessions except keep
// (unless Settings.KeepSessionsOnPasswordChange). a must be the account as it
// was read. Check the current password first (CheckPassword). Errors: 400 if
// the rules reject the password (field password); ErrWrongPassword if the
// password was changed in the meantime; ErrBusy, ErrForbidden,
// ErrUnavailable.
func (as Accounts) SetPassword(ctx context.Context, a *record.Account, password, keep string, client Client) error {
	err := as.gate.replacePassword(ctx, a, password, keep, record.Change{}, client)
	if errors.Is(err, ErrNotFound) {
		return ErrWrongPassword.Because(err)
	}
	return err
}

// replacePassword adds a new password to the change and applies it, if the
// stored password is still the one that was read. Otherwise the error is
// ErrNotFound.
func (g *Gate) replacePassword(ctx context.Context, a *record.Account, password, keep string, change record.Change, client Client) error {
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := g.acceptPassword(a, password); err != nil {
		return err
	}
	encoded, err := g.makePassword(ctx, password)
	if err != nil {
		return err
	}
	change.Password, change.IfPassword, change.At = &encoded, &a.Password, g.now()
	change.Forget = []record.Purpose{record.PendingEmailChange} // may be requested with the old password
	if !g.settings.KeepSessionsOnPasswordChange {
		change.EndSessions, change.KeepSession = record.EndedByPassword, keep
	}
	return g.change(ctx, a, change, record.Event{Name: "password", Session: keep}, client)
}

// SetUsername sets a new login name. If users log in by e-mail, it is an
// address, which takes effect as with SetEmail. The account's sessions except
// keep end, and every token without a session that was issued until then is
// void; with Settings.UserIDField "username" keep ends, too. Errors: 400 if the
// name is not valid (field username), 429 as with SetEmail, ErrTaken,
// ErrForbidden, ErrUnavailable.
func (as Accounts) SetUsername(ctx context.Context, a *record.Account, username, keep string, client Client) error {
	return as.gate.replaceUsername(ctx, a, username, record.Change{KeepSession: keep}, client)
}

func (g *Gate) replaceUsername(ctx context.Context, a *record.Account, username string, change record.Change, client Client) error {
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if g.loginIsEmail() {
		return g.replaceLogin(ctx, a, username, change, client)
	}
	name, err := names.Username(username)
	if err != nil {
		return fieldError("username", err.Error())
	}
	change.Username, change.IfPassword = &name, &a.Password
	return g.change(ctx, a, change, record.Event{Name: "username"}, client)
}

// replaceLogin is replaceUsername if users log in by e-mail.
func (g *Gate) replaceLogin(ctx context.Context, a *record.Account, email string, change record.Change, client Client) error {
	if err := names.CheckEmail(email); err != nil {
		return fieldError("username", err.Error())
	}
	if err := g.checkSimilar(ctx, email, a.ID); err != nil {
		return err
	}
	other, err := g.db.Accounts().ByLogin(ctx, email)
	switch {
	case err == nil && other.ID != a.ID:
		return ErrTaken
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil && !g.settings.ImmediateEmailChange:
		return g.awaitEmail(ctx, a, email, change, client)
	}
	undo, err := g.undo(ctx, a)
	if err != nil {
		return err
	}
	change.Username, change.Email, change.IfPassword = &email, &email, &a.Password
	if email != a.Email {
		change.Await = undo
	} else {
		change.Email = nil
	}
	return g.change(ctx, a, change, record.Event{Name: "username"}, client)
}

// UserFields lists the further columns of the user table that users set and
// see, as the store's schema names them.
func (as Accounts) UserFields() []record.UserField {
	if as.gate.ownUsers() {
		return nil
	}
	return as.gate.model().Fields
}

// SetFields changes further columns of the user table, in the row and in a.
// Errors: 400, by field, if the table cannot hold a value or another account
// has it; ErrNotFound, ErrForbidden, ErrUnavailable.
func (as Accounts) SetFields(ctx context.Context, a *record.Account, fields map[string]any, client Client) error {
	if as.gate.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := as.gate.change(ctx, a, record.Change{Fields: fields}, record.Event{Name: "profile"}, client); err != nil {
		return err
	}
	maps.Copy(a.Fields, fields)
	return nil
}

// Delete deletes the account; its sessions end and its tokens stop
// working. Errors: ErrNotFound, ErrForbidden, ErrUnavailable.
func (as Accounts) Delete(ctx context.Context, a *record.Account, client Client) error {
	if as.gate.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := as.gate.db.Accounts().Delete(ctx, a.ID); err != nil {
		return err
	}
	as.gate.pullRevocations(ctx)
	as.gate.event(ctx, record.Event{Name: "delete", User: a.ID, Detail: a.Username}, client)
	return nil
}

// change changes the row, reads the revocations that this causes and records
// the event.
func (g *Gate) change(ctx context.Context, a *record.Account, change record.Change, e record.Event, client Client) error {
	change.At = or(change.At, g.now())
	if err := g.db.Accounts().Change(ctx, a.ID, change); err != nil {
		return err
	}
	// A change of the username, which may be the address, ends sessions, too.
	if change.EndSessions != "" || change.IsActive != nil && !*change.IsActive || change.Username != nil || change.Email != nil {
		g.pullRevocations(ctx)
	}
	e.User = a.ID
	g.event(ctx, e, client)
	return nil
}

var errOwnUsers = errors.New("the accounts are kept by Settings.Users, not by the store")
