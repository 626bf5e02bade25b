package record

import (
	"context"
	"time"
)

// Key is a signing key, a row of jotgate_key. The private part is sealed with
// a key derived from SecretKey; the database never sees it in the clear.
type Key struct {
	ID        string    `json:"kid"`
	Algorithm string    `json:"alg"`
	State     KeyState  `json:"state"`
	Created   time.Time `json:"created"`
	Switched  time.Time `json:"switched,omitzero"` // when it became current
	Retired   time.Time `json:"retired,omitzero"`  // when another key replaced it
	Sealed    []byte    `json:"-"`                 // the private key, encrypted
}

// KeyState is the use of a signing key.
type KeyState string

// The states of a signing key, in the order in which it passes through them.
const (
	KeyNext    KeyState = "next"    // published, not yet signing
	KeyCurrent KeyState = "current" // signs; at most one key is current
	KeyRetired KeyState = "retired" // only verifies, until the last token it signed has expired
)

// Keys keeps signing keys. With a Store that has these methods, a Gate can
// rotate its keys.
type Keys interface {
	// List lists all keys, oldest first.
	List(ctx context.Context) ([]Key, error)
	// Add inserts a key. The error is jotgate.ErrTaken if its id
	// exists.
	Add(ctx context.Context, key Key) error
	// Switch makes the key with this id, which must be KeyNext, current
	// and the current one retired, in one transaction. The error is
	// jotgate.ErrNotFound if it is not KeyNext (another node was first).
	Switch(ctx context.Context, id string, now time.Time) error
	// Retire makes a key retired, whatever its state, for emergencies.
	Retire(ctx context.Context, id string, now time.Time) error
	// Delete removes a retired key. Tokens that it signed are no longer
	// valid.
	Delete(ctx context.Context, id string) error
}
