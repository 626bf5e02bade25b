// Package throttle limits how many requests a client makes, and delays logins
// after wrong passwords. It uses no database: a Limiter counts in a table of
// bounded size in memory, and a Lockout only calculates.
//
// There are two calls: [Limiter.Allow] counts a request of a client, and
// [Lockout.Wait] returns the delay that follows from a number of failures. The
// zero Lockout and the zero Options of a Limiter are the safe choice.
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
// does not. Call Allow before the password is hashed. Use the same Limiter
// wherever a password is checked: with one for each route, a client could make
// that many attempts on each of them. If several rates apply, call all of them and
// report the longest wait.
//
// # Keys
//
// The key of a client is its network: [Proxies.ClientAddr] finds the address,
// [Network] makes the key (the whole address of IPv4, the first 64 bits of IPv6).
// Without trusted proxies the address is that of the connection, whatever the
// headers say. [AccountKey] makes the key of an account, the same for " Alice" and
// "ALICE".
//
// # Failed logins
//
// The counts of a Limiter are lost when the process restarts. The counts of failed
// logins must not be lost, so the program keeps them in its database, under the
// two keys above. [Lockout.Wait] takes two of these counts, each as a [Tally]:
//
//	of the network   the failed logins of this account from this network since
//	                 the last success from there, and the time of the newest
//	of the account   the sum of Lockout.Share over all networks of the account,
//	                 and the time of the newest failure from any of them
//
// A login has these steps:
//
//  1. Read both tallies and whether the account has ever logged in from this
//     network; call Lockout.Wait.
//  2. If it returns a wait, respond with 429 and Retry-After and change nothing: a
//     rejected attempt is not a failure, so further attempts do not prolong a delay.
//  3. Otherwise count the login as a failure, and hash the password only then. If
//     the network's tally has changed since it was read, nothing may be counted
//     and the login starts again: use one transaction, or an UPDATE that has the
//     count in its WHERE clause. Thus of 100 concurrent attempts only 5 are
//     hashed, and the failure remains counted after a crash.
//  4. After a success, set this network's tally to zero and record the network as
//     known. The account's sum stays: an attacker must not get new attempts
//     because the owner logs in. A completed password reset does the same.
//
// A store that can only increment named counters keeps three of them: one for the
// account and the network; one for the account, incremented only if Share of the
// first one grows; and one for the account, incremented at every failure, which
// has the time of the newest.
//
// Unknown names take the same steps with the key of the name as typed, so that
// delays do not disclose which accounts exist. If a login name can be an e-mail
// address, use the key of the account's username, not of what was typed.
//
// There are two delays. The delay of the network limits an attacker who uses one
// network. The delay of the account limits an attacker who uses many: it counts
// the attempts from all networks, and applies only to those from which the account
// has never logged in, so that it does not delay the owner. One network adds at
// most its free attempts to the account's sum, so an attacker with one network
// cannot start the second delay. No number of failures locks an account
// permanently.
//
// # Limitations
//
// Users in the same network as an attacker (one office address, one /64) have the
// same delay. If an account is attacked from many networks and its owner logs in
// from a new one, the owner waits like the attackers, at most five minutes for
// each attempt; a password reset makes the new network known. The counts of a
// Limiter are those of one process: two servers together allow twice the rate,
// unless they also use package throttle/shared. The failures in a common database
// are exact.
package throttle
