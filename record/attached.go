package record

import "context"

// Attached is an event about a change, in the context of that change. A store that keeps
// events inserts it in the transaction of the change, so that either both are stored or
// neither is.
type Attached struct {
	Event Event
	// Stored is set by the store when it has inserted the event. If it is false after
	// the change, the caller adds the event.
	Stored bool
}

type attachedKey struct{}

// To returns a context with the event, for one call of a Store that makes the change.
func (a *Attached) To(ctx context.Context) context.Context {
	return context.WithValue(ctx, attachedKey{}, a)
}

// AttachedTo returns the event in the context, or nil if there is none. For a new
// account, the store sets Event.User.
func AttachedTo(ctx context.Context) *Attached {
	a, _ := ctx.Value(attachedKey{}).(*Attached)
	return a
}
