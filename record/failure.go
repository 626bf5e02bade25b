package record

import (
	"context"
	"time"
)

// Failure is the number of failed password checks for one key (an account, an
// account and a network, an address), for throttling: a row of
// jotgate_failure.
type Failure struct {
	Count int
	Last  time.Time
}

// Forgiveness describes which failures a successful login removes: those of
// one account from one network, and no others. Names that fold to the same
// text (throttle.AccountKey) share the counters Pair and Total, but may be
// different accounts.
type Forgiveness struct {
	Own   string // of this account from this network
	Pair  string // of all names with the same folded form, from this network
	Total string // of all names with the same folded form, from every network
	// Share is the most that the failures from one network added to Total.
	Share int
	// Forget is the earliest time that the newest failure in Own may have; if it
	// is older, Own counts as 0, as in Add.
	Forget time.Time
}

// Failures counts failed password checks where all nodes see them. With a
// Store that has these methods, the counters survive a restart.
type Failures interface {
	// Find returns the counters that exist among keys.
	Find(ctx context.Context, keys []string) (map[string]Failure, error)
	// Add adds one to each key's counter, which starts again at 0 if its
	// last failure is before forget.
	Add(ctx context.Context, keys []string, now, forget time.Time) error
	// Forgive removes the counter Own and subtracts its count from the
	// others, in one transaction, so that only one of several concurrent callers
	// subtracts it.
	Forgive(ctx context.Context, f Forgiveness) error
	// RememberNetwork records that the account has logged in from the network,
	// and reports whether it had before.
	RememberNetwork(ctx context.Context, user UserID, network string, now time.Time) (known bool, err error)
	// KnownNetwork reports whether the account has logged in from the network.
	KnownNetwork(ctx context.Context, user UserID, network string) (bool, error)
	// Purge deletes at most limit counters older than keep, except those of wrong
	// codes of one kind, whose keys begin with "mfa|" and have three parts.
	Purge(ctx context.Context, keep time.Time, limit int) (int, error)
}
