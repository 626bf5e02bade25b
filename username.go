package jotgate

// The login name of an account: rules and changes.

import (
	"cmp"
	"context"
	"errors"

	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// SetUsername sets a new login name. If users log in by e-mail, it is an address, which
// takes effect as with SetEmail. All sessions of the account except the one with the id
// keep end, and all tokens without a session that were issued before become void. With
// Settings.UserIDField "username", the session keep also ends. Errors: 400 (field
// username) if the name is not valid; 429 as with SetEmail; ErrTaken, ErrForbidden,
// ErrUnavailable.
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
	change.IfPassword = &a.Password
	change = g.withEmail(change, email)
	if email != a.Email {
		change.Await = undo
	} else {
		change.Email = nil
	}
	return g.change(ctx, a, change, record.Event{Name: "username"}, client)
}

// acceptUsername checks the username and normalizes it. If it is empty, or if
// users log in by e-mail, the username is the address, which may contain
// characters that other usernames may not.
func (g *Gate) acceptUsername(ctx context.Context, a *record.Account) error {
	typed := a.Username
	var err error
	if g.loginIsEmail() || typed == "" && a.Email != "" {
		typed = cmp.Or(a.Email, names.Email(typed))
		a.Username, a.Email, err = typed, typed, names.CheckEmail(typed)
	} else {
		a.Username, err = names.Username(typed)
	}
	if err != nil {
		return fieldError("username", err.Error())
	}
	switch _, err = g.db.Accounts().ByLogin(ctx, typed); {
	case err == nil:
		return ErrTaken
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return g.checkSimilar(ctx, a.Username, "")
}

// checkSimilar returns ErrTaken if another account has a similar username. The
// normal form of the name itself may be taken; SignUp reports that.
func (g *Gate) checkSimilar(ctx context.Context, name string, except record.UserID) error {
	checker := g.db.Names()
	if checker == nil {
		return nil
	}
	err := checker.Check(ctx, name, except)
	if errors.Is(err, ErrTaken) && !errors.Is(err, record.ErrSimilarName) {
		return nil
	}
	return err
}
