package record

import (
	"context"
	"time"
)

// Key is a row of jotgate_key. The private part is sealed with a key
// derived from SecretKey; the database never sees it in the clear.
type Key struct {
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

// Keys keeps signing keys. A Store that has these methods lets a Gate
// rotate its keys.
type Keys interface {
	// SigningKeys lists all keys, oldest first.
	SigningKeys(ctx context.Context) ([]Key, error)
	// AddSigningKey inserts a key. jotgate.ErrTaken when its id exists.
	AddSigningKey(ctx context.Context, key Key) error
	// SwitchSigningKey makes the key with this id, which must be KeyNext,
	// current and the current one retired, in one transaction. jotgate.ErrNotFound
	// when it is not KeyNext (another node was first).
	SwitchSigningKey(ctx context.Context, id string, now time.Time) error
	// RetireSigningKey makes a key retired, whatever it was: the emergency.
	RetireSigningKey(ctx context.Context, id string, now time.Time) error
	// DeleteSigningKey removes a retired key: its tokens stop working.
	DeleteSigningKey(ctx context.Context, id string) error
}
