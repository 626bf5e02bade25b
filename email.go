package jotgate

// The e-mail address of an account: whether it is verified, and how it changes.

import (
	"cmp"
	"context"

	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// SetEmail changes the account's e-mail address. The new address takes effect when its
// owner follows the link that SetEmail sends to it (Links.ConfirmEmail); until then the
// account is unchanged.
//
// If email is empty, or with Settings.ImmediateEmailChange, the address changes
// immediately, in the row and in a. If activate is also true, an active account becomes
// inactive until its owner follows the link in a message to the new address.
//
// If users log in by e-mail, the username changes with the address, all sessions of the
// account end then, and email cannot be empty.
//
// Errors: 400 (field email); 429 if too many messages were sent about this account or
// to this address; ErrTaken if users log in by e-mail and another account has the address;
// ErrNotFound, ErrForbidden, ErrUnavailable.
func (as Accounts) SetEmail(ctx context.Context, a *record.Account, email string, activate bool, client Client) error {
	if as.gate.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := as.gate.emailFree(ctx, a, email); err != nil {
		return err
	}
	if err := checkEmail(email); err != nil {
		return err
	}
	if email == "" && as.gate.loginIsEmail() {
		return fieldError("email", "This field may not be blank.")
	}
	if email != "" && !as.gate.settings.ImmediateEmailChange {
		return as.gate.awaitEmail(ctx, a, email, record.Change{}, client)
	}
	return as.gate.setEmail(ctx, a, email, activate && email != "", client)
}

// checkEmail returns an error about the field email for a text that is not an address.
// An account may have none.
func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	if err := names.CheckEmail(email); err != nil {
		return fieldError("email", err.Error())
	}
	return nil
}

// emailFree returns an error about the field email if the user table allows an
// address only once and another account has this one.
func (g *Gate) emailFree(ctx context.Context, a *record.Account, email string) error {
	if email == "" || !g.model().EmailIsUnique {
		return nil
	}
	list, err := g.db.Accounts().ByEmail(ctx, email)
	for _, other := range list {
		if other.ID != a.ID && other.Email == email {
			return fieldError("email", "user with this email already exists.")
		}
	}
	return err
}

// setEmail changes the address immediately. An inactive account remains
// inactive: activate only renews the activation that it already awaits.
func (g *Gate) setEmail(ctx context.Context, a *record.Account, email string, activate bool, client Client) error {
	change := g.withEmail(record.Change{At: g.now()}, email)
	if activate && !a.IsActive {
		list, err := g.pending(ctx, record.MessageActivation, a)
		if err != nil {
			return err
		}
		change.Settle, activate = list, len(list) > 0
	}
	undo, err := g.undo(ctx, a)
	if err != nil {
		return err
	}
	change.Await = undo
	if activate {
		if err := g.budget(ctx, record.MessageActivation, email, a.ID); err != nil {
			return err
		}
		no := false
		change.IsActive, change.IfActive = &no, &a.IsActive
		change.Await = append(change.Await, g.newPending(record.PendingActivation, email))
	}
	if err := g.change(ctx, a, change, record.Event{Name: "email"}, client); err != nil {
		return err
	}
	a.Email, a.Username, a.IsActive = email, cmp.Or(deref(change.Username), a.Username), a.IsActive && !activate
	if activate {
		g.enqueue(ctx, g.message(record.MessageActivation, a))
	}
	return nil
}

// awaitEmail applies change and sends a link to email; following it makes
// email the account's address.
func (g *Gate) awaitEmail(ctx context.Context, a *record.Account, email string, change record.Change, client Client) error {
	if g.db.Outbox() == nil {
		return ErrUnavailable.Because(errNoOutbox)
	}
	if err := g.budget(ctx, record.MessageEmailChange, email, a.ID); err != nil {
		return err
	}
	p := g.newPending(record.PendingEmailChange, email)
	p.Expires = p.Created.Add(g.settings.PasswordResetTimeout)
	change.IfPassword, change.Await = &a.Password, []record.Pending{p}
	if err := g.change(ctx, a, change, record.Event{Name: "email", Detail: "requested"}, client); err != nil {
		return err
	}
	l := g.message(record.MessageEmailChange, a)
	l.To = email
	g.enqueue(ctx, l)
	return nil
}

// ConfirmEmail follows a link of SetEmail: the address to which it was sent becomes the
// account's. If the previous address was verified, a message is sent to it, with a link
// that undoes the change within seven days (UndoEmail). Errors: 400 if the link is not
// valid; ErrTaken if users log in by e-mail and another account has the address now;
// ErrForbidden, ErrUnavailable.
func (ls Links) ConfirmEmail(ctx context.Context, uid, token string, client Client) (*record.Account, error) {
	a, p, err := ls.gate.follow(ctx, record.MessageEmailChange, uid, token)
	if err != nil {
		return nil, err
	}
	undo, err := ls.gate.undo(ctx, a)
	if err != nil {
		return nil, err
	}
	yes, before := true, *a
	change := ls.gate.withEmail(record.Change{VerifyEmail: true, IfActive: &yes, Settle: []record.Pending{*p}, Await: undo}, p.Email)
	if err := ls.gate.change(ctx, a, change, record.Event{Name: "email", Detail: "confirmed"}, client); err != nil {
		return nil, used(err)
	}
	a.Email, a.Username = p.Email, cmp.Or(deref(change.Username), a.Username)
	if len(undo) > 0 {
		ls.gate.notify(ctx, record.MessageEmailChanged, &before, "")
	}
	return a, nil
}

// UndoEmail restores the e-mail address to which a message about its change was sent.
// The user who changed it may know the password and be logged in. Therefore the
// password is replaced by a random one, all sessions end, later changes of the address
// cannot be undone, and a link for a new password is sent to the address. An account
// that an operator has deactivated remains inactive. Errors: 400 if the link is not
// valid; ErrTaken if users log in by e-mail and another account has the address now;
// ErrForbidden, ErrBusy, ErrUnavailable.
func (ls Links) UndoEmail(ctx context.Context, uid, token string, client Client) (*record.Account, error) {
	a, p, err := ls.gate.follow(ctx, record.MessageEmailChanged, uid, token)
	if err != nil {
		return nil, err
	}
	password, err := ls.gate.Accounts().MakePassword(ctx, randomHex())
	if err != nil {
		return nil, err
	}
	change := ls.gate.withEmail(record.Change{
		VerifyEmail: true, Password: &password, Settle: []record.Pending{*p},
		Forget:      []record.Purpose{record.PendingEmailChange, record.PendingActivation},
		EndSessions: record.EndedByPassword, At: ls.gate.now(),
	}, p.Email)
	if !a.IsActive { // by the change, which asked for an activation, or by an operator
		list, err := ls.gate.pending(ctx, record.MessageActivation, a)
		if err != nil {
			return nil, err
		}
		if yes := true; len(list) > 0 {
			change.IsActive, change.Settle = &yes, append(change.Settle, list...)
		}
	}
	if err := ls.gate.change(ctx, a, change, record.Event{Name: "email", Detail: "undone"}, client); err != nil {
		return nil, used(err)
	}
	a.Email, a.Username, a.Password, a.IsActive = p.Email, cmp.Or(deref(change.Username), a.Username), password, a.IsActive || change.IsActive != nil
	if a.IsActive {
		ls.gate.notify(ctx, record.MessagePasswordReset, a, "")
	}
	return a, nil
}

// undo returns the pending row that allows the account's current address to
// be restored, if that is verified.
func (g *Gate) undo(ctx context.Context, a *record.Account) ([]record.Pending, error) {
	verified, err := g.Accounts().EmailVerified(ctx, a)
	if err != nil || !verified {
		return nil, err
	}
	p := g.newPending(record.PendingEmailUndo, a.Email)
	p.Expires = p.Created.Add(undoTimeout)
	return []record.Pending{p}, nil
}
