package record

import (
	"context"
	"time"
)

// Deletions is an optional interface of a Store. It deletes accounts some time after
// their owners have requested it, in which they can restore them. If a Store does not
// have it, a Gate deletes accounts immediately.
type Deletions interface {
	// DueDeletions lists at most limit rows with PendingDeletion that have expired at
	// now, in order of users, beginning after the user after.
	DueDeletions(ctx context.Context, now time.Time, after UserID, limit int) ([]Pending, error)
	// DeleteDue deletes the account of such a row, as Accounts.Delete does. If the
	// account is active again or has logged in since the row was created, it deletes
	// only the row. deleted reports whether it deleted the account; it did not if the
	// row no longer exists.
	DeleteDue(ctx context.Context, p Pending) (deleted bool, err error)
}
