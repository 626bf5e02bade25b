package record

import (
	"context"
	"time"
)

// Purpose says what following a link does.
type Purpose string

// The purposes of a row of jotgate_pending. PendingUnverified has no link: it
// marks an address that account_emailaddress cannot list as unverified,
// because that table is missing or, as allauth made it before 0.52, lists an
// address for one account only.
const (
	PendingActivation  Purpose = "activation"   // the account becomes active
	PendingEmailChange Purpose = "email_change" // Email becomes the account's address
	PendingEmailUndo   Purpose = "email_undo"   // Email becomes the account's address again
	PendingUnverified  Purpose = "unverified"
)

// Pending is something that waits for its link to be followed, a row of
// jotgate_pending. There is at most one for a user, a purpose and an address.
// An account awaits activation while it has a row with PendingActivation, and
// only then.
type Pending struct {
	User    UserID
	Purpose Purpose
	Email   string // the address that the link is sent to
	// Nonce is random and enters the signature of the link, so that no link of
	// an earlier row is valid for this one. A link cannot be made of it without
	// the secret key.
	Nonce   string
	Created time.Time
	Expires time.Time // zero: never
}

// Addresses keeps which e-mail addresses are verified, in allauth's table
// account_emailaddress, and what is pending.
type Addresses interface {
	// SignUp is CreateAccount for an account whose owner has not shown that the
	// address is theirs: in the same transaction it is listed as unverified
	// and await is inserted, unless it is nil; its User is set.
	SignUp(ctx context.Context, a *Account, await *Pending) error
	// EmailVerified reports whether the address is listed as verified for the
	// account. listed reports whether any address of the account is listed:
	// if not, nothing is known.
	EmailVerified(ctx context.Context, id UserID, email string) (verified, listed bool, err error)
	// ListPending lists the user's rows with this purpose, newest first, at
	// most 100, expired ones too. One with PendingActivation is left out once a
	// session of the user was created after it: the account was activated
	// elsewhere, and its link must not undo a later deactivation.
	ListPending(ctx context.Context, user UserID, purpose Purpose) ([]Pending, error)
	// AddPending inserts p in place of the row with the same user, purpose and
	// address; of PendingEmailChange in place of every such row of the user.
	AddPending(ctx context.Context, p Pending) error
	// Spend adds one to each key's counter, in one transaction, unless one of
	// them has reached limit: then it changes nothing and returns false. A
	// counter starts again once nothing was added to it for window.
	Spend(ctx context.Context, keys []string, limit int, now time.Time, window time.Duration) (bool, error)
}
