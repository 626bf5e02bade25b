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

// Failures counts failed password checks where all nodes see them. A
// Store that has these methods keeps counters over a restart.
type Failures interface {
	// Failures returns the counters that exist among keys.
	Failures(ctx context.Context, keys []string) (map[string]Failure, error)
	// AddFailure adds one to each key's counter, which starts at 0 again when
	// its last failure is before forget.
	AddFailure(ctx context.Context, keys []string, now, forget time.Time) error
	// ForgetFailures removes counters.
	ForgetFailures(ctx context.Context, keys []string) error
	// RememberNetwork notes that the account has logged in from the network, and
	// reports whether it had before.
	RememberNetwork(ctx context.Context, user UserID, network string, now time.Time) (known bool, err error)
	// KnownNetwork reports whether it has.
	KnownNetwork(ctx context.Context, user UserID, network string) (bool, error)
	// PurgeFailures deletes at most limit counters older than keep.
	PurgeFailures(ctx context.Context, keep time.Time, limit int) (int, error)
}
