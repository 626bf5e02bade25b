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

// Letter is a mail waiting to be sent, a row of jotgate_outbox. It names the
// kind and the account; the link is made when it is sent, so the database
// never holds one.
type Letter struct {
	ID       int64
	Kind     LetterKind
	User     UserID // empty in a decoy
	To       string // address
	Language string // of the templates, such as "en"
	Detail   string // what a template may show: the address of a new sign-in
	Created  time.Time
	Attempts int // how often sending has failed
}

// LetterKind names a letter and its templates.
type LetterKind string

// The kinds of letter. A decoy is never sent: it is stored for an address
// that nobody has, so that the answer takes as long as for one that somebody
// has.
const (
	LetterActivation      LetterKind = "activation"
	LetterConfirmation    LetterKind = "confirmation" // the account is active now
	LetterPasswordReset   LetterKind = "password_reset"
	LetterPasswordChanged LetterKind = "password_changed"
	LetterUsernameReset   LetterKind = "username_reset"
	LetterUsernameChanged LetterKind = "username_changed"
	LetterNewSignIn       LetterKind = "new_sign_in"
	LetterDecoy           LetterKind = "decoy"
)

// Outbox keeps letters until they are sent. A Store that has these methods
// lets a Gate write letters.
type Outbox interface {
	// Enqueue stores a letter, durably, before it returns.
	Enqueue(ctx context.Context, letter Letter) error
	// DueLetters takes at most limit letters whose time has come, oldest
	// first, and hides them from other senders for the lease.
	DueLetters(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]Letter, error)
	// LetterSent removes a letter.
	LetterSent(ctx context.Context, id int64) error
	// LetterFailed counts a failed attempt and sets when to try again.
	LetterFailed(ctx context.Context, id int64, retry time.Time, reason string) error
}

// Failure is how often a password check failed for one key (an account, an
// account and a network, an address), for throttling: a row of
// jotgate_failure.
type Failure struct {
	Count int
	Last  time.Time
}

// FailureStore counts failed password checks where all nodes see them. A
// Store that has these methods keeps counters over a restart.
type FailureStore interface {
	// Failures returns the counters that exist among keys.
	Failures(ctx context.Context, keys []string) (map[string]Failure, error)
	// AddFailure adds one to each key's counter, which starts at 0 again when
	// its last failure is before forget.
	AddFailure(ctx context.Context, keys []string, now, forget time.Time) error
	// ForgetFailures removes counters.
	ForgetFailures(ctx context.Context, keys []string) error
	// RememberNetwork notes that the account has logged in from the network.
	RememberNetwork(ctx context.Context, user UserID, network string, now time.Time) error
	// KnownNetwork reports whether it has.
	KnownNetwork(ctx context.Context, user UserID, network string) (bool, error)
	// PurgeFailures deletes at most limit counters older than keep.
	PurgeFailures(ctx context.Context, keep time.Time, limit int) (int, error)
}
