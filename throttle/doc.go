// Package throttle limits clients by rate, and password guessing by growing
// delays. It consists of arithmetic and one bounded table in memory; it reads no
// database and does not depend on the rest of jotgate.
//
// Two calls do the work: [Limiter.Allow] counts a request of a client, and
// [Lockout.Wait] turns counted failures into a delay. The zero Lockout and a
// Limiter without Options are safe choices.
//
// # Rates
//
// A rate is written as in Django REST framework, "5/min". A [Limiter] counts
// each key separately and returns the same number of seconds as DRF's
// Retry-After (rest_framework/throttling.py, SimpleRateThrottle):
//
//	rate, err := throttle.ParseRate("5/min")
//	logins, err := throttle.NewLimiter(rate, throttle.Options{})
//	...
//	if wait, ok := logins.Allow(network); !ok {
//		w.Header().Set("Retry-After", throttle.RetryAfter(wait)) // and 429
//	}
//
// Every accepted request counts, including a successful login; a rejected one
// does not. Call Allow before the password is hashed, and use one Limiter at every
// place that checks a password, or each route has its own budget. If several rates
// apply, call all of them and report the longest wait.
//
// # Keys
//
// The key of a client is its network: [Proxies.ClientAddr] finds the address,
// [Network] makes the key (IPv4 whole, IPv6 by its /64). Without trusted
// proxies the address is the peer's, whatever the headers say. [AccountKey]
// makes the key of an account, the same for " Alice" and "ALICE".
//
// # Failed logins
//
// A Limiter's counts are lost at a restart; those of failures must not be. They
// are kept in the database, under the two keys above, and [Lockout.Wait] turns
// them into a delay. It takes two tallies:
//
//	of the network   how often this account failed from this network since its
//	                 last success there, and when it did so last
//	of the account   the sum of Lockout.Share over all its networks, and when it
//	                 failed last from any of them
//
// A login goes like this:
//
//  1. Read both tallies and whether the account has ever logged in from this
//     network; call Lockout.Wait.
//  2. If it returns a wait, respond with 429 and Retry-After and change nothing: a
//     rejected attempt is not a failure, so further attempts do not prolong a delay.
//  3. Otherwise count the failure, and only then hash. The count must fail, and
//     the login start again, if the network's tally has changed since it was read:
//     one transaction, or an UPDATE that repeats the count in its WHERE. So of
//     a hundred parallel attempts five are hashed, not a hundred, and the failure
//     remains counted after a crash.
//  4. After a success, clear this network's tally and record the network as
//     known. The account's sum stays: a victim's login must not refill a
//     guesser's budget. A completed password reset does the same.
//
// A store that can only add one to named counters keeps three of them: one for
// account and network; one for the account that grows only while Share of the
// first does; and one for the account that grows always, for its time.
//
// Unknown names take the same steps with the key of the name as typed, so that
// delays do not disclose which accounts exist. If a login name can be an e-mail
// address, use the key of the account's username, not of what was typed.
//
// There are two delays. The one per network slows a single guesser. The one per
// account adds up the guesses of many networks, and applies only to networks from
// which the account has never logged in, so that attackers elsewhere do not slow
// down its owner. One network adds at most its free attempts to the account's sum,
// so a single attacker cannot start the second delay. No number of failures locks
// an account permanently.
//
// # What it does not do
//
// Users who share a network with a guesser (one office address, one /64) share its
// delay. A user whose account is attacked from many networks, and who logs in from
// a new one, competes with the attackers for the next attempt, at most five minutes
// away; a password reset makes the new network known. The counts of a Limiter are
// those of one process: two servers allow twice the rate, while the failures in
// their common database stay exact.
package throttle
