package record

import "context"

// Attached is an event that a store which keeps events adds to the audit trail in the
// transaction of the change that it is about, so that neither is there without the other.
type Attached struct {
	Event Event
	// Stored is set by the store if it has done so. Otherwise the caller adds the event
	// after the change.
	Stored bool
}

type attachedKey struct{}

// To returns the context for a change that one call of a Store makes.
func (a *Attached) To(ctx context.Context) context.Context {
	return context.WithValue(ctx, attachedKey{}, a)
}

// AttachedTo returns the event of the change for which the context is, or nil. The store
// sets Event.User for a new account.
func AttachedTo(ctx context.Context) *Attached {
	a, _ := ctx.Value(attachedKey{}).(*Attached)
	return a
}
