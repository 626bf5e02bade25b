package record

import (
	"context"
	"time"
)

// Key is a signing key, a row of jotgate_key. Its private part is encrypted with a key
// derived from jotgate.Settings.SecretKey, so that the database never contains it in
// plain text.
type Key struct {
	ID        string    `json:"kid"`
	Algorithm string    `json:"alg"`
	State     KeyState  `json:"state"`
	Created   time.Time `json:"created"`
	Switched  time.Time `json:"switched,omitzero"` // when it became current
	Retired   time.Time `json:"retired,omitzero"`  // when another key replaced it
	Sealed    []byte    `json:"-"`                 // the encrypted private key
}

// KeyState says what a signing key is used for.
type KeyState string

// The states of a signing key, in the order in which it passes through them.
const (
	KeyNext    KeyState = "next"    // published, not yet signing
	KeyCurrent KeyState = "current" // signs; at most one key is current
	KeyRetired KeyState = "retired" // only verifies, until the last token it signed has expired
)

// Keys keeps signing keys. If Store.Keys returns one, a Gate can rotate its keys.
type Keys interface {
	// List lists all keys, oldest first.
	List(ctx context.Context) ([]Key, error)
	// Add inserts a key. The error is jotgate.ErrTaken if its id exists.
	Add(ctx context.Context, key Key) error
	// Switch changes the key with this id from KeyNext to KeyCurrent, and the current
	// one to KeyRetired, in one transaction. The error is jotgate.ErrNotFound if the
	// key is not KeyNext, such as when another node has switched first.
	Switch(ctx context.Context, id string, now time.Time) error
	// Retire changes a key to KeyRetired, whatever its state, for emergencies.
	Retire(ctx context.Context, id string, now time.Time) error
	// Delete removes a retired key. The tokens that it signed are no longer valid.
	Delete(ctx context.Context, id string) error
}
