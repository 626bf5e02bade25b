package record

import (
	"context"
	"time"
)

// Purpose is the purpose of a pending row: the effect of following its link.
type Purpose string

// The purposes of a row of jotgate_pending. PendingUnverified has no link: it
// marks an address that account_emailaddress cannot list as unverified,
// because that table is missing or, as created by allauth before 0.52, lists
// an address for one account only.
const (
	PendingActivation  Purpose = "activation"   // the account becomes active
	PendingEmailChange Purpose = "email_change" // Email becomes the account's address
	PendingEmailUndo   Purpose = "email_undo"   // Email becomes the account's address again
	PendingUnverified  Purpose = "unverified"   // none; see above
	PendingDeletion    Purpose = "deletion"     // the account is restored; a row of jotgate_deletion
)

// Pending is a change that takes effect when its link is followed: a row of
// jotgate_pending. A user has at most one for each purpose and address. An account
// awaits activation if and only if it has a row with PendingActivation.
type Pending struct {
	User    UserID
	Purpose Purpose
	Email   string // the address to which the link is sent
	// Nonce is random. The signature of the link covers it, so that no link of an
	// earlier row is valid for this one. A link cannot be made from it without the
	// secret key.
	Nonce   string
	Created time.Time
	Expires time.Time // zero: never
}

// Addresses keeps two kinds of rows: which e-mail addresses are verified, in allauth's
// table account_emailaddress, and pending changes.
type Addresses interface {
	// SignUp creates an account, as Accounts.Create does, whose address is not
	// verified yet. In the same transaction it lists the address as unverified and, if
	// await is not nil, sets await.User and inserts await.
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
	// Spend adds one to the counter of each key, in one transaction, and returns true.
	// If one of the counters has reached limit, it changes nothing and returns false.
	// A counter starts again at zero if nothing was added to it for the duration
	// window.
	Spend(ctx context.Context, keys []string, limit int, now time.Time, window time.Duration) (bool, error)
}
