package jotgate

// Links in e-mails: how they are made, and for which account one is valid.

import (
	"context"

	"github.com/jotgate/jotgate/record"
)

// Activate activates the account for which an activation link was made, and marks its
// e-mail address as verified. Errors: 400 if the link is not valid; ErrForbidden,
// ErrUnavailable.
func (ls Links) Activate(ctx context.Context, uid, token string, client Client) (*record.Account, error) {
	a, p, err := ls.gate.follow(ctx, record.MessageActivation, uid, token)
	if err != nil {
		return nil, err
	}
	yes, no := true, false
	err = used(ls.gate.change(ctx, a, record.Change{
		IsActive: &yes, IfActive: &no, IfPassword: &a.Password, Settle: []record.Pending{*p}, VerifyEmail: true,
	}, record.Event{Name: "activate"}, client))
	a.IsActive = err == nil
	return a, err
}

// ResetPassword sets a new password for the account for which a reset link was made,
// ends its sessions and marks its e-mail address as verified. The link works once, also
// if several clients follow it concurrently. If the account's address was changed in
// the last seven days, the previous address is notified. Errors: 400 if the link is not
// valid, or if the rules reject the password (field password); ErrBusy, ErrForbidden,
// ErrUnavailable.
func (ls Links) ResetPassword(ctx context.Context, uid, token, password string, client Client) (*record.Account, error) {
	a, _, err := ls.gate.follow(ctx, record.MessagePasswordReset, uid, token)
	if err != nil {
		return nil, err
	}
	now, yes := ls.gate.now(), true // djoser records a reset as a login, which invalidates the link
	_, err = ls.gate.replacePassword(ctx, a, password, "", record.Change{LastLogin: &now, IfActive: &yes, VerifyEmail: true, Reclaim: true}, client)
	if err != nil {
		return a, used(err)
	}
	ls.gate.informFormer(ctx, a)
	return a, nil
}

// ResetUsername sets a new login name for the account for which a username
// link was made. Errors: those of SetUsername, and 400 if the link is not
// valid.
func (ls Links) ResetUsername(ctx context.Context, uid, token, username string, client Client) (*record.Account, error) {
	a, _, err := ls.gate.follow(ctx, record.MessageUsernameReset, uid, token)
	if err != nil {
		return nil, err
	}
	now := ls.gate.now()
	return a, used(ls.gate.replaceUsername(ctx, a, username, record.Change{LastLogin: &now}, client))
}

// Account returns the account for which a link was made, without following the link. It
// is for a page that shows the purpose of the link before the user confirms. Errors:
// 400 if the link is not valid; ErrForbidden, ErrUnavailable.
func (ls Links) Account(ctx context.Context, kind record.MessageKind, uid, token string) (*record.Account, error) {
	a, _, err := ls.gate.follow(ctx, kind, uid, token)
	return a, err
}

// informFormer notifies the addresses that the account had in the last seven
// days that its password was reset.
func (g *Gate) informFormer(ctx context.Context, a *record.Account) {
	list, err := g.pending(ctx, record.MessageEmailChanged, a)
	if err != nil {
		g.log.WarnContext(ctx, "former addresses were not informed of a new password", "user_id", a.ID, "cause", err)
	}
	for _, p := range list {
		former := *a
		former.Email = p.Email
		g.notify(ctx, record.MessagePasswordChanged, &former, "")
	}
}
