package record

import (
	"context"
	"time"
)

// Deletions deletes the accounts whose owners have asked for it, after the time in
// which they can restore them. A Store with these methods is asked for the accounts
// that are due; without them accounts are deleted immediately.
type Deletions interface {
	// DueDeletions lists at most limit rows with PendingDeletion that expire at or
	// before now and belong to a user after the given one, in the order of users.
	DueDeletions(ctx context.Context, now time.Time, after UserID, limit int) ([]Pending, error)
	// DeleteDue deletes the account of such a row as Accounts.Delete does, unless it
	// is active again or has logged in since the row was created: then it deletes only
	// the row. It returns false if the account was not deleted, also if the row is
	// gone.
	DeleteDue(ctx context.Context, p Pending) (deleted bool, err error)
}
