package jotgate

// Accounts that are deleted after some time, in which their owner can restore them.

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// DeleteLater makes the account inactive, ends its sessions, and sends its owner a link
// that restores it (Links.UndoDeletion). Gate.Purge deletes the account after the
// delay, unless it is active again. DeleteLater returns the time of the deletion.
//
// It deletes the account immediately and returns the zero time if that is not possible:
// if the delay is not above 0; if the account has no e-mail address; if the Store has
// no outbox or is not a record.Deletions; or if accounts cannot be inactive. Errors:
// those of Delete; ErrNotFound if the account has changed since it was read; 429 if too
// many messages were sent.
func (as Accounts) DeleteLater(ctx context.Context, a *record.Account, delay time.Duration, client Client) (time.Time, error) {
	g := as.gate
	if g.ownUsers() {
		return time.Time{}, ErrForbidden.Because(errOwnUsers)
	}
	if _, ok := g.db.(record.Deletions); !ok || delay <= 0 || a.Email == "" || g.db.Outbox() == nil {
		return time.Time{}, as.Delete(ctx, a, client)
	}
	if err := g.budget(ctx, record.MessageDeletion, a.Email, a.ID); err != nil {
		return time.Time{}, err
	}
	p := g.newPending(record.PendingDeletion, a.Email)
	p.Expires = p.Created.Add(delay)
	yes, no := true, false
	err := g.change(ctx, a, record.Change{IsActive: &no, IfActive: &yes, IfPassword: &a.Password, Await: []record.Pending{p}},
		record.Event{Name: "delete", Detail: "requested"}, client)
	switch refused := AsError(err); {
	case err != nil && refused.Status == 400: // of a user model without is_active
		return time.Time{}, as.Delete(ctx, a, client)
	case err != nil:
		return time.Time{}, err
	}
	a.IsActive = false
	l := g.message(record.MessageDeletion, a)
	l.Detail = p.Expires.UTC().Format(time.DateOnly)
	g.enqueue(ctx, l)
	return p.Expires, nil
}

// UndoDeletion restores the account for which Accounts.DeleteLater has sent the link.
// Errors: 400 if the link is not valid; ErrForbidden, ErrUnavailable.
func (ls Links) UndoDeletion(ctx context.Context, uid, token string, client Client) (*record.Account, error) {
	a, p, err := ls.gate.follow(ctx, record.MessageDeletion, uid, token)
	if err != nil {
		return nil, err
	}
	yes, no := true, false
	err = used(ls.gate.change(ctx, a, record.Change{IsActive: &yes, IfActive: &no, Settle: []record.Pending{*p}},
		record.Event{Name: "delete", Detail: "undone"}, client))
	a.IsActive = err == nil
	return a, err
}
