package record

import "context"

// Attached are events about a change, in the context of that change. A store that keeps
// events inserts them in the transaction of the change, so that either all are stored or
// nothing is.
type Attached struct {
	Events []Event
	// Stored is set by the store when it has inserted the events. If it is false after
	// the change, the caller adds them.
	Stored bool
}

type attachedKey struct{}

// To returns a context with the events, for one call of a Store that makes the change.
func (a *Attached) To(ctx context.Context) context.Context {
	return context.WithValue(ctx, attachedKey{}, a)
}

// AttachedTo returns the events in the context, or nil if there are none. For a new
// account, the store sets their User.
func AttachedTo(ctx context.Context) *Attached {
	a, _ := ctx.Value(attachedKey{}).(*Attached)
	return a
}
