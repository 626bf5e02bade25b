package record

import (
	"context"
	"time"
)

// Failure is how often a password check failed for one key (an account, an
// account and a network, an address), for throttling: a row of
// jotgate_failure.
type Failure struct {
	Count int
	Last  time.Time
}

// Forgiveness is what a login forgives: the failures of one account from one
// network, and no others. Names that fold alike (throttle.AccountKey) share the
// counters Pair and Total, but may be different accounts.
type Forgiveness struct {
	Own   string // of this account from this network
	Pair  string // of all names that fold alike, from this network
	Total string // of all names that fold alike, from every network
	// Share is the most that one network's failures added to Total.
	Share int
	// Forget is when Own must have had its newest failure; an older one counts
	// as 0, as in AddFailure.
	Forget time.Time
}

// Failures counts failed password checks where all nodes see them. A
// Store that has these methods keeps counters over a restart.
type Failures interface {
	// Failures returns the counters that exist among keys.
	Failures(ctx context.Context, keys []string) (map[string]Failure, error)
	// AddFailure adds one to each key's counter, which starts at 0 again when
	// its last failure is before forget.
	AddFailure(ctx context.Context, keys []string, now, forget time.Time) error
	// ForgiveFailures removes the counter Own and takes its count off the others,
	// in one transaction, so that of concurrent callers one takes it off.
	ForgiveFailures(ctx context.Context, f Forgiveness) error
	// RememberNetwork notes that the account has logged in from the network, and
	// reports whether it had before.
	RememberNetwork(ctx context.Context, user UserID, network string, now time.Time) (known bool, err error)
	// KnownNetwork reports whether it has.
	KnownNetwork(ctx context.Context, user UserID, network string) (bool, error)
	// PurgeFailures deletes at most limit counters older than keep.
	PurgeFailures(ctx context.Context, keep time.Time, limit int) (int, error)
}
