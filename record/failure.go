package record

import (
	"context"
	"time"
)

// Failure is the number of failed password checks for one key (an account, or an
// account and a network), and the time of the newest, for package throttle: a row of
// jotgate_failure. The zero Failure means that there are none.
type Failure struct {
	Count int
	Last  time.Time
}

// Forgiveness describes which failures a successful login removes: those of one account
// from one network, and no others. Own, Pair and Total are the keys of counters.
// Different accounts whose names have the same throttle.AccountKey share the counters
// Pair and Total.
type Forgiveness struct {
	Own   string // failures of this account from this network
	Pair  string // failures of all names with the same AccountKey, from this network
	Total string // failures of all names with the same AccountKey, from every network
	// Share is the maximum that the failures from one network have added to Total
	// (throttle.Lockout.Share).
	Share int
	// Forget is the time before which failures do not count: if the newest failure in
	// Own is older, Own counts as 0, as in Failures.Add.
	Forget time.Time
}

// Failures counts failed password checks, for all nodes together. The counters survive a
// restart.
type Failures interface {
	// Find returns the counters that exist among keys.
	Find(ctx context.Context, keys []string) (map[string]Failure, error)
	// Add adds one to the counter of each key, up to one million. A counter whose
	// newest failure is before forget starts again at 0.
	Add(ctx context.Context, keys []string, now, forget time.Time) error
	// Forgive removes the counter Own and subtracts its count from Pair, and what that
	// count has added to Total from Total, in one transaction, so that only one of
	// several concurrent callers subtracts it.
	Forgive(ctx context.Context, f Forgiveness) error
	// RememberNetwork records that the account has logged in from the network. known
	// reports whether that was recorded before.
	RememberNetwork(ctx context.Context, user UserID, network string, now time.Time) (known bool, err error)
	// KnownNetwork reports whether the account has logged in from the network.
	KnownNetwork(ctx context.Context, user UserID, network string) (bool, error)
	// Purge deletes at most limit counters whose newest failure is before keep, except
	// those of wrong codes of a second factor ("mfa|user|kind"), and at most limit
	// networks from which no login was recorded in the 400 days before keep. It
	// returns the number of rows.
	Purge(ctx context.Context, keep time.Time, limit int) (int, error)
}
