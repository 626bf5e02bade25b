package gauge

// What the figures say an operator should set.

import (
	"fmt"
	"math"
)

// Advice is made of a report's figures.
type Advice struct {
	Hasher          string   `json:"hasher"`                // --hasher
	HashTime        float64  `json:"hash_ms"`               // what one takes here
	HashConcurrency int      `json:"hash_concurrency"`      // --hash-concurrency
	HashMemory      int      `json:"hash_memory_mib"`       // --hash-memory
	HashQueue       int      `json:"hash_queue"`            // --hash-queue
	Logins          float64  `json:"logins_per_second"`     // to be expected with these
	LoginWait       float64  `json:"login_wait_seconds"`    // of the last one in a full queue
	ProxyTimeout    int      `json:"proxy_timeout_seconds"` // for logins, at least
	ProxyRate       int      `json:"proxy_rate_per_second"` // of other requests, at most
	Words           []string `json:"words"`                 // the same with the reasons
}

// The bounds that advice keeps to.
const (
	patience      = 10.0 // seconds that somebody who logs in may have to wait
	hashMemory    = 256  // MiB, jotgate's default
	queuePerHash  = 64   // logins that may wait for each concurrent hash, jotgate's default
	share         = 0.7  // of what was measured to be let in: the clients took their part, and bursts come
	minutes       = 5    // between two refreshes of a client, the default lifetime of an access token
	worthwhile    = 1.1  // more concurrency must serve this many times the logins …
	slowerAtMost  = 2.0  // … and a reader's p99 be no more than so many times as long
	uneven        = 1.5  // times the quickest hash, from which on the machine was not at peace
	timeoutMargin = 5    // seconds that a proxy waits longer than the server
)

// Advise says what to set.
func (r *Report) Advise() Advice {
	a := Advice{}
	r.peace(&a)
	hash, current := r.hasher(&a), r.Hashes[0]
	flood := r.concurrency(&a)
	a.HashConcurrency, a.HashTime = flood.Concurrency, hash.Quickest
	a.Logins = flood.Logins * current.Quickest / hash.Quickest
	a.memory(hash)
	a.queue()
	a.proxy(r)
	return a
}

func (a *Advice) say(format string, args ...any) {
	a.Words = append(a.Words, fmt.Sprintf(format, args...))
}

// peace warns where the machine did something else meanwhile.
func (r *Report) peace(a *Advice) {
	if h := r.Hashes[0]; h.Median > uneven*h.Quickest {
		a.say("Measure again when nothing else runs: half of the hashes took %.1f times the quickest one or more, so what is below is too low.", h.Median/h.Quickest)
	}
}

// hasher decides on the parameters.
func (r *Report) hasher(a *Advice) Hash {
	current := r.Hashes[0]
	hash := current
	switch {
	case current.Fits:
		a.say("--hasher=%s: a hash takes %.0f ms, within the %.0f to %.0f ms that it should.", current.Hasher, current.Quickest, shortest, longest)
	case current.Quickest < shortest && r.tuned != nil:
		hash = *r.tuned
		a.say("--hasher=%s: a hash takes %.0f ms in place of %.0f (%s), so that guessing costs %.1f times as much; it should take %.0f to %.0f ms.",
			hash.Hasher, hash.Quickest, current.Quickest, current.Hasher, hash.Quickest/current.Quickest, shortest, longest)
	default:
		hash = r.nearest()
		if hash.Hasher == current.Hasher {
			a.say("--hasher=%s: a hash takes %.0f ms and should take %.0f to %.0f, but nothing measured comes nearer.", current.Hasher, current.Quickest, shortest, longest)
			break
		}
		a.say("--hasher=%s: a hash takes %.0f ms in place of %.0f (%s); it should take %.0f to %.0f ms.",
			hash.Hasher, hash.Quickest, current.Quickest, current.Hasher, shortest, longest)
	}
	a.Hasher = hash.Hasher
	return hash
}

// nearest is argon2, tuned or not, where it fits or the current one is dearer
// than it; otherwise the current one.
func (r *Report) nearest() Hash {
	current := r.Hashes[0]
	for _, hash := range r.Hashes[1:] {
		if hash.Hasher != standard && (r.tuned == nil || hash.Hasher != r.tuned.Hasher) {
			continue
		}
		if hash.Fits || current.Quickest > longest && hash.Quickest < current.Quickest && hash.Quickest >= shortest {
			return hash
		}
	}
	return current
}

// concurrency decides on the number of concurrent hashes.
func (r *Report) concurrency(a *Advice) Flood {
	narrow := r.Floods[0]
	if len(r.Floods) == 1 {
		a.say("--hash-concurrency=%d: there is one processor.", narrow.Concurrency)
		return narrow
	}
	wide := r.Floods[1]
	more, slower := wide.Logins/narrow.Logins, wide.Reader.P99/narrow.Reader.P99
	figures := fmt.Sprintf("%d concurrent hashes serve %.1f times the logins of %d, and a reader's p99 is %.1f times as long", wide.Concurrency, more, narrow.Concurrency, slower)
	if more >= worthwhile && slower <= slowerAtMost {
		a.say("--hash-concurrency=%d: %s.", wide.Concurrency, figures)
		return wide
	}
	a.say("--hash-concurrency=%d, the default here: %s.", narrow.Concurrency, figures)
	return narrow
}

// memory makes room for all concurrent hashes.
func (a *Advice) memory(hash Hash) {
	need := int(math.Ceil(hash.Memory * float64(a.HashConcurrency)))
	a.HashMemory = max(hashMemory, need)
	a.say("--hash-memory=%d: %d at once need %d MiB.", a.HashMemory, a.HashConcurrency, need)
}

// queue lets nobody wait for longer than patience.
func (a *Advice) queue() {
	a.HashQueue = max(1, min(queuePerHash*a.HashConcurrency, int(patience*a.Logins)))
	a.LoginWait = float64(a.HashQueue+a.HashConcurrency) / a.Logins
	a.say("--hash-queue=%d: %.1f logins a second are answered, so the last in the queue waits %.1f s; whoever comes then is told to come back (503).",
		a.HashQueue, a.Logins, a.LoginWait)
}

// proxy is what to tell nginx, Caddy and the like.
func (a *Advice) proxy(r *Report) {
	a.ProxyTimeout = int(math.Ceil(a.LoginWait)) + timeoutMargin
	a.ProxyRate = max(1, int(share*r.Checks.PerSecond))
	a.say("In the proxy: wait for the answer to a login for %d s at least, and let in up to %.0f logins a second with a burst of %d.",
		a.ProxyTimeout, math.Ceil(a.Logins), a.HashQueue)
	a.say("In the proxy: let in up to %d other requests a second for each jotgate (%.0f %% of the %.0f that were answered).",
		a.ProxyRate, 100*share, r.Checks.PerSecond)
	a.say("%.0f refreshes a second serve about %.0f clients at a time that refresh every %d minutes, with the same margin.",
		r.Refreshes.PerSecond, share*r.Refreshes.PerSecond*60*minutes, minutes)
}
