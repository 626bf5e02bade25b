package jotgate

// What was read with an account (record.Account.Related), so that a page makes one
// query. It is forgotten when the account changes.

import (
	"context"
	"slices"
	"time"

	"github.com/jotgate/jotgate/record"
)

// listFactors lists the factors of an account, without a query if they were read with
// it.
func (g *Gate) listFactors(ctx context.Context, a *record.Account) ([]record.Factor, error) {
	if a.Related != nil {
		return slices.Clone(a.Related.Factors), nil
	}
	return g.factors.ListFactors(ctx, a.ID)
}

// accountByID returns an account, with its Related if the Store can read that by the
// same query. Errors: ErrNotFound, ErrUnavailable.
func (g *Gate) accountByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	if sessions, ok := g.db.Sessions().(record.PageSessions); ok && !g.ownUsers() {
		return sessions.AccountWithRelated(ctx, id)
	}
	return g.users.UserByID(ctx, id)
}

// pendingRows lists the account's rows with a purpose, without a query if they were
// read with it.
func (g *Gate) pendingRows(ctx context.Context, a *record.Account, purpose record.Purpose) (list []record.Pending, err error) {
	if a.Related == nil {
		return g.db.Addresses().Pending(ctx, a.ID, purpose)
	}
	for _, p := range a.Related.Pending {
		if p.Purpose == purpose {
			list = append(list, p)
		}
	}
	return list, nil
}

// lastEnding returns when all sessions of the account ended last, in Unix
// microseconds, or 0: a value that each such event changes, also one at a node whose
// clock is behind. What is sealed for a user contains it.
func (g *Gate) lastEnding(ctx context.Context, a *record.Account) (*int64, error) {
	var at time.Time
	if a.Related != nil {
		at = a.Related.NotBefore
	} else {
		var err error
		if at, err = g.db.Sessions().NotBefore(ctx, a.ID, ""); err != nil {
			return nil, err
		}
	}
	if at.IsZero() {
		return new(int64), nil
	}
	return new(max(0, at.UnixMicro())), nil
}
