package record

import (
	"context"
	"time"
)

// Purpose is the effect of following a link.
type Purpose string

// The purposes of a row of jotgate_pending. PendingUnverified has no link: it
// marks an address that account_emailaddress cannot list as unverified,
// because that table is missing or, as created by allauth before 0.52, lists
// an address for one account only.
const (
	PendingActivation  Purpose = "activation"   // the account becomes active
	PendingEmailChange Purpose = "email_change" // Email becomes the account's address
	PendingEmailUndo   Purpose = "email_undo"   // Email becomes the account's address again
	PendingUnverified  Purpose = "unverified"
	PendingDeletion    Purpose = "deletion" // the account is not deleted; a row of jotgate_deletion
)

// Pending is a change that takes effect when its link is followed: a row of
// jotgate_pending. There is at most one for a user, a purpose and an address.
// An account awaits activation if and only if it has a row with
// PendingActivation.
type Pending struct {
	User    UserID
	Purpose Purpose
	Email   string // the address that the link is sent to
	// Nonce is random and part of what signs the link, so that no link of an
	// earlier row is valid for this one. A link cannot be made from it without
	// the secret key.
	Nonce   string
	Created time.Time
	Expires time.Time // zero: never
}

// Addresses keeps which e-mail addresses are verified, in allauth's table
// account_emailaddress, and the pending rows.
type Addresses interface {
	// SignUp is Accounts.Create for an account whose address is not verified yet:
	// in the same transaction it lists the address as unverified and, unless
	// await is nil, sets its User and inserts it.
	SignUp(ctx context.Context, a *Account, await *Pending) error
	// Verified reports whether the address is listed as verified for the
	// account. listed reports whether any address of the account is listed; if
	// not, the table does not say whether the address is verified.
	Verified(ctx context.Context, id UserID, email string) (verified, listed bool, err error)
	// Pending lists the user's rows with this purpose, newest first, at most
	// 100, including expired ones. It leaves out a row with PendingActivation if
	// a session of the user was created after it: the account was activated
	// elsewhere, and its link must not undo a later deactivation.
	Pending(ctx context.Context, user UserID, purpose Purpose) ([]Pending, error)
	// AddPending inserts p and replaces the row with the same user, purpose and
	// address; with PendingEmailChange, every such row of the user.
	AddPending(ctx context.Context, p Pending) error
	// Spend adds one to each key's counter, in one transaction, unless one of
	// them has reached limit: then it changes nothing and returns false. A
	// counter starts again at zero if nothing was added to it for window.
	Spend(ctx context.Context, keys []string, limit int, now time.Time, window time.Duration) (bool, error)
}
