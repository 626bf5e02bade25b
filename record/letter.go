package record

import (
	"context"
	"time"
)

// Letter is a mail waiting to be sent, a row of jotgate_outbox. It names the
// kind and the account; the link is made when it is sent, so the database
// never holds one.
type Letter struct {
	ID       int64
	Kind     LetterKind
	User     UserID // empty in a decoy, and in a message about several accounts, those with the address To
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
	LetterEmailChange     LetterKind = "email_change"  // to the new address, which its link makes the account's
	LetterEmailChanged    LetterKind = "email_changed" // to the address before, with a link to undo it
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
