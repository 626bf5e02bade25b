package jotgate

import (
	"context"
	"time"
)

// SigningKey is a row of jotgate_key. The private part is sealed with a key
// derived from SecretKey; the database never sees it in the clear.
type SigningKey struct {
	ID        string    `json:"kid"`
	Algorithm string    `json:"alg"`
	State     KeyState  `json:"state"`
	Created   time.Time `json:"created"`
	Switched  time.Time `json:"switched,omitzero"` // when it became current
	Retired   time.Time `json:"retired,omitzero"`  // when another took its place
	Sealed    []byte    `json:"-"`                 // the private key, encrypted
}

// KeyState says what a signing key is for.
type KeyState string

// The states of a signing key, in the order it passes through them.
const (
	KeyNext    KeyState = "next"    // published, not yet signing
	KeyCurrent KeyState = "current" // signs; at most one key is current
	KeyRetired KeyState = "retired" // only verifies, until the last token it signed has expired
)

// KeyStore keeps signing keys. A Store that has these methods lets a Gate
// rotate its keys.
type KeyStore interface {
	// SigningKeys lists all keys, oldest first.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// AddSigningKey inserts a key. ErrTaken when its id exists.
	AddSigningKey(ctx context.Context, key SigningKey) error
	// SwitchSigningKey makes the key with this id, which must be KeyNext,
	// current and the current one retired, in one transaction. ErrNotFound
	// when it is not KeyNext (another node was first).
	SwitchSigningKey(ctx context.Context, id string, now time.Time) error
	// RetireSigningKey makes a key retired, whatever it was: the emergency.
	RetireSigningKey(ctx context.Context, id string, now time.Time) error
	// DeleteSigningKey removes a retired key: its tokens stop working.
	DeleteSigningKey(ctx context.Context, id string) error
}

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

// EventStore keeps the audit trail. A Store that has these methods gets every
// event that the log gets.
type EventStore interface {
	// AddEvent inserts an event; its ID is set by the store.
	AddEvent(ctx context.Context, e Event) error
	// ListEvents lists at most limit events with an id below before, newest
	// first; before 0 starts at the newest. user, when not empty, filters.
	ListEvents(ctx context.Context, user UserID, before int64, limit int) ([]Event, error)
	// PurgeEvents deletes at most limit events older than keep.
	PurgeEvents(ctx context.Context, keep time.Time, limit int) (int, error)
}
