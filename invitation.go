package jotgate

// Invitations: links in e-mails with which new accounts are created.

import (
	"context"
	"strconv"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

// Invitation returns the invitation of a link, without accepting it. Errors: 400 if the
// link is not valid; ErrForbidden, ErrUnavailable.
func (ls Links) Invitation(ctx context.Context, uid, token string) (*record.Invitation, error) {
	g := ls.gate
	if g.ownUsers() {
		return nil, ErrForbidden.Because(errOwnUsers)
	}
	defer padTime(ctx)()
	invitations, ok := g.db.Addresses().(record.Invitations)
	text, err := signing.DecodeUID(uid)
	id, wrong := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || wrong != nil || id <= 0 {
		return nil, errLink
	}
	i, err := invitations.FindInvitation(ctx, id, "", g.now())
	if err != nil {
		return nil, used(err)
	}
	if !g.invitationTokens(i).Check(invited(i), token, g.now()) {
		return nil, errLink
	}
	return i, nil
}

// AcceptInvitation creates the account of an invitation, with its verified e-mail
// address and in its groups, even if sign-up is closed. The link works once, also if
// several clients follow it concurrently. r.Email and r.Activate are ignored. Errors:
// 400 if the link is not valid; those of Register.
func (ls Links) AcceptInvitation(ctx context.Context, uid, token string, r Registration, client Client) (*record.Account, error) {
	i, err := ls.Invitation(ctx, uid, token)
	if err != nil {
		return nil, err
	}
	g := ls.gate
	if err := g.mayRegister(); err != nil {
		return nil, ErrSignupClosed.Because(err)
	}
	r.Email, r.Activate = i.Email, false
	a, err := g.prepareAccount(ctx, r)
	if err != nil {
		return nil, err
	}
	e := record.Event{Name: "register", Detail: "invitation " + strconv.FormatInt(i.ID, 10)}
	err = g.recorded(ctx, &e, client, func(ctx context.Context) error {
		err := g.db.Addresses().(record.Invitations).AcceptInvitation(ctx, i, a, g.now())
		e.User = a.ID
		return err
	})
	if err != nil {
		return nil, g.whyTaken(ctx, a, used(err))
	}
	return a, nil
}
