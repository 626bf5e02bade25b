package jotgate

// Events: the log and the audit trail.

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// eventPatience is how long an answer waits for its event to be stored.
const eventPatience = 2 * time.Second

// event tells the log and, where the store keeps one, the audit trail.
func (g *Gate) event(ctx context.Context, e record.Event, client Client) {
	e.Time, e.Address, e.UserAgent = g.now(), client.Address, cut(client.UserAgent, 512)
	e.Detail = cut(e.Detail, 256)
	g.logEvent(ctx, e)
	events, ok := g.db.(record.Events)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, eventPatience)
	defer cancel()
	if err := events.AddEvent(ctx, e); err != nil {
		g.log.WarnContext(ctx, "an event was not stored", "event", e.Name, "cause", err)
	}
}

// logEvent writes an event to the log alone.
func (g *Gate) logEvent(ctx context.Context, e record.Event) {
	g.log.InfoContext(ctx, e.Name, "user_id", e.User, "sid", e.Session, "address", e.Address, "detail", e.Detail)
}
