// Delays after failed logins: how long until the next attempt is accepted.

package throttle

import "time"

// Policy describes the delay after a number of failures: no delay for the first
// few, then one that doubles with each failure up to a maximum, and none again
// after a time without failures. A field that is zero or less has its default.
type Policy struct {
	// Free is the number of attempts without a delay. Default: 5.
	Free int
	// First is the delay after Free failures. Default: 1 second.
	First time.Duration
	// Max is the longest delay. Default: 15 minutes.
	Max time.Duration
	// Forget is the time without a failure after which earlier failures do not
	// count any more; rows that are older may be deleted. It must be longer than
	// Max. Default: 24 hours.
	Forget time.Duration
}

// withDefaults fills in what is not set.
func (p Policy) withDefaults() Policy {
	return Policy{
		Free:   positive(p.Free, 5),
		First:  positive(p.First, time.Second),
		Max:    positive(p.Max, 15*time.Minute),
		Forget: positive(p.Forget, 24*time.Hour),
	}
}

// positive returns v, or the default if v is not above zero.
func positive[T int | time.Duration](v, byDefault T) T {
	if v > 0 {
		return v
	}
	return byDefault
}

// Wait returns the time from now until the next attempt is accepted: zero means
// immediately. failures is the number of failures so far, and last the time of the
// newest. The wait is never longer than Max, even if last is in the future because
// a clock was set back.
func (p Policy) Wait(failures int, last, now time.Time) time.Duration {
	p = p.withDefaults()
	since := max(now.Sub(last), 0)
	if since >= p.Forget {
		return 0
	}
	return max(p.delay(failures)-since, 0)
}

// delay returns the time that must pass after the last of this many failures. It
// adds up step by step and stops at Max, so that no count overflows it.
func (p Policy) delay(failures int) time.Duration {
	if failures < p.Free {
		return 0
	}
	d := min(p.First, p.Max)
	for ; failures > p.Free && d < p.Max; failures-- {
		d += min(d, p.Max-d)
	}
	return d
}

// Tally is the state of one counter in the database: the number of failures and
// the time of the newest. The zero Tally means that there are no failures.
type Tally struct {
	Failures int
	Last     time.Time
}

// Lockout is the two policies for a login. The zero Lockout is the safe choice:
// each network has 5 attempts without delay, then delays of up to 15 minutes; all
// networks from which the account has never logged in have 20 attempts together,
// then delays of up to 5 minutes.
//
// Thus an attacker with one network can try 14 passwords in ten minutes and at
// most 110 in a day; one with any number of networks, at most 65 in ten minutes and
// 560 in a day.
type Lockout struct {
	// Network delays one network's attempts at one account.
	Network Policy
	// Account delays the attempts of all unknown networks at one account.
	// It has other defaults: Free is 20, and Max is 5 minutes.
	Account Policy
}

// account returns the account's policy with its defaults.
func (l Lockout) account() Policy {
	l.Account.Free = positive(l.Account.Free, 20)
	l.Account.Max = positive(l.Account.Max, 5*time.Minute)
	return l.Account
}

// Wait returns the time from now until an attempt at the account is accepted: zero
// means immediately. network is the tally of this network for this account.
// account is the sum of Share over all the account's networks, with the time of
// the newest failure from any of them. known reports whether the account has logged
// in from this network before; if so, account is ignored.
func (l Lockout) Wait(network, account Tally, known bool, now time.Time) time.Duration {
	wait := l.Network.Wait(network.Failures, network.Last, now)
	if known {
		return wait
	}
	return max(wait, l.account().Wait(account.Failures, account.Last, now))
}

// Share returns how much the failures of one network add to the account's tally:
// at most the network's free attempts. Without this bound an attacker with one
// network could, over hours, start the delay that is meant for many networks.
func (l Lockout) Share(failures int) int {
	return min(max(failures, 0), l.Network.withDefaults().Free)
}
