package jotgate

// One change of an account's row, and what follows from it.

import (
	"cmp"
	"context"

	"github.com/jotgate/jotgate/record"
)

// change changes the row, with the event, and reads the revocations that this causes.
func (g *Gate) change(ctx context.Context, a *record.Account, change record.Change, e record.Event, client Client) error {
	change.At = cmp.Or(change.At, g.now())
	e.User = a.ID
	if err := g.recorded(ctx, &e, client, func(ctx context.Context) error {
		return g.db.Accounts().Change(ctx, a.ID, change)
	}); err != nil {
		return err
	}
	a.Related = nil
	// A change of the username, which may be the address, ends sessions, too.
	if change.EndSessions != "" || change.IsActive != nil && !*change.IsActive || change.Username != nil || change.Email != nil {
		g.pullRevocations(ctx)
	}
	return nil
}

func (g *Gate) newPending(purpose record.Purpose, email string) record.Pending {
	return record.Pending{Purpose: purpose, Email: email, Nonce: randomHex(), Created: g.now()}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
