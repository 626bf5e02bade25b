// Package throttle slows down whoever asks too often: clients by rate, and
// guessers of passwords by growing delays. It holds arithmetic and one bounded
// table in memory; it reads no database and knows nothing of jotgate.
//
// # Rates
//
// A rate is written as Django REST framework writes it, "5/min". A [Limiter]
// counts each key by itself and answers with the very number of seconds that
// DRF's Retry-After shows (rest_framework/throttling.py, SimpleRateThrottle):
//
//	rate, err := throttle.ParseRate("5/min")
//	logins, err := throttle.NewLimiter(rate, throttle.Options{})
//	...
//	if wait, ok := logins.Allow(network); !ok {
//		w.Header().Set("Retry-After", throttle.RetryAfter(wait)) // and 429
//	}
//
// Every request that is let through counts, a good login too; a refused one
// does not. Ask before the password is hashed, and ask one Limiter from every
// place where a password is checked, or a sibling route gives a second budget.
// Where several rates apply, ask them all and report the longest wait.
//
// # Who is asking
//
// The key of a client is its network: [Proxies.ClientAddr] finds the address,
// [Network] makes the key (IPv4 whole, IPv6 by its /64). Without trusted
// proxies the address is the peer's, whatever the headers say. [AccountKey]
// makes the key of an account, the same for " Alice" and "ALICE".
//
// # Failed logins
//
// A Limiter forgets at a restart; failures must not. They are counted in the
// database, under the two keys above, and [Lockout.Wait] turns the counts into
// a delay. It asks for two tallies:
//
//	of the network   how often this account failed from this network since its
//	                 last success there, and when it did so last
//	of the account   the sum of Lockout.Share over all its networks, and when it
//	                 failed last from any of them
//
// A login goes like this:
//
//  1. Read both tallies and whether the account has ever logged in from this
//     network; ask Lockout.Wait.
//  2. If it says wait, answer 429 with Retry-After and change nothing: a
//     refused try is no failure, so nobody keeps a delay alive by asking.
//  3. Otherwise count the failure, and only then hash. The count must fail, and
//     the login begin anew, if the network's tally is no longer what was read:
//     one transaction, or an UPDATE that repeats the count in its WHERE. So of
//     a hundred parallel tries five are hashed, not a hundred, and a crash
//     leaves the charge standing.
//  4. After a success clear this network's tally and remember the network as
//     known. The account's sum stays: a victim's login must not refill a
//     guesser's budget. A completed password reset does the same.
//
// A store that can only add one to named counters keeps three of them: one for
// account and network; one for the account that grows only while Share of the
// first does; and one for the account that grows always, for its time.
//
// Unknown names go through the same steps with the key of the typed name, so
// that delays tell nothing about which accounts exist. Where a login name may
// be an e-mail address, key a found account by its user name, not by what was
// typed.
//
// Two delays are at work. The one per network slows a single guesser. The one
// per account adds up the guesses of many networks, and holds only for networks
// from which the account has never logged in: its owner at home is not slowed
// by strangers. One network adds at most its free tries to the account's sum,
// so a single stranger cannot start the second delay. No number of failures
// locks an account for good.
//
// # Limits of the promise
//
// Who shares a network with a guesser (one office address, one /64) shares its
// delay. Somebody who is attacked from many networks and comes from a new one
// competes for the next free moment, at most five minutes away; a password
// reset makes the new network known. A Limiter is one process's memory: two
// servers allow twice the rate, while the failures in their common database
// stay exact.
package throttle
