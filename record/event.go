package record

import (
	"context"
	"time"
)

// Event is one line of the audit trail, a row of jotgate_event. It never
// holds a password, a token or a link.
type Event struct {
	ID        int64     `json:"id"`
	Time      time.Time `json:"time"`
	Name      string    `json:"event"` // login, login_failed, refresh, reuse, logout, password, role, key, …
	User      UserID    `json:"user_id,omitempty"`
	Session   string    `json:"sid,omitempty"`
	Address   string    `json:"address,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Detail    string    `json:"detail,omitempty"`
}

// Events keeps the audit trail. A Store that has these methods gets every
// event that the log gets, but for two that belong to a transaction of its own
// and are inserted there: "login" by CreateSession, "reuse" by RotateSession.
type Events interface {
	// AddEvent inserts an event; its ID is set by the store.
	AddEvent(ctx context.Context, e Event) error
	// ListEvents lists at most limit events with an id below before, newest
	// first; before 0 starts at the newest. user, when not empty, filters.
	ListEvents(ctx context.Context, user UserID, before int64, limit int) ([]Event, error)
	// PurgeEvents deletes at most limit events older than keep.
	PurgeEvents(ctx context.Context, keep time.Time, limit int) (int, error)
}
