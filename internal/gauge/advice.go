package gauge

// Recommended settings, derived from the measurements.

import (
	"fmt"
	"math"
)

// Advice lists the recommended settings of jotgate and of a proxy before it.
type Advice struct {
	Hasher          string   `json:"hasher"`                // --hasher
	HashTime        float64  `json:"hash_ms"`               // what one hash takes here
	HashConcurrency int      `json:"hash_concurrency"`      // --hash-concurrency
	HashMemory      int      `json:"hash_memory_mib"`       // --hash-memory
	HashQueue       int      `json:"hash_queue"`            // --hash-queue
	Logins          float64  `json:"logins_per_second"`     // expected with these settings
	LoginWait       float64  `json:"login_wait_seconds"`    // of the last one in a full queue
	ProxyTimeout    int      `json:"proxy_timeout_seconds"` // for logins, at least
	ProxyRate       int      `json:"proxy_rate_per_second"` // of other requests, at most
	Words           []string `json:"words"`                 // the same in sentences, with reasons
}

// The limits for recommendations.
const (
	longestWait   = 10.0 // seconds that a login may have to wait
	hashMemory    = 256  // MiB, jotgate's default
	queuePerHash  = 64   // logins that may wait for each concurrent hash, jotgate's default
	share         = 0.7  // of the measured load to allow: the clients use processors too, and there are bursts
	minutes       = 5    // between two refreshes of a client: the default lifetime of an access token
	worthwhile    = 1.1  // more concurrency must serve this many times as many logins …
	slowerAtMost  = 2.0  // … and must not make a reader's p99 longer than this many times
	uneven        = 1.5  // median of the hash times by the quickest, above which the machine was busy
	timeoutMargin = 5    // seconds that a proxy should wait in addition
)

// Advise returns the recommended settings.
func (r *Report) Advise() Advice {
	a := Advice{}
	r.warnIfBusy(&a)
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

// warnIfBusy warns if other programs used the processors.
func (r *Report) warnIfBusy(a *Advice) {
	if h := r.Hashes[0]; h.Median > uneven*h.Quickest {
		a.say("Measure again when nothing else is running: half of the hashes took at least %.1f times as long as the quickest one, so the figures below are too low.", h.Median/h.Quickest)
	}
}

// hasher recommends parameters for hashing.
func (r *Report) hasher(a *Advice) Hash {
	current := r.Hashes[0]
	hash := current
	switch {
	case current.Fits:
		a.say("--hasher=%s: a hash takes %.0f ms, within the recommended %.0f to %.0f ms.", current.Hasher, current.Quickest, shortest, longest)
	case current.Quickest < shortest && r.tuned != nil:
		hash = *r.tuned
		a.say("--hasher=%s: a hash takes %.0f ms instead of %.0f (%s), so guessing costs %.1f times as much; %.0f to %.0f ms are recommended.",
			hash.Hasher, hash.Quickest, current.Quickest, current.Hasher, hash.Quickest/current.Quickest, shortest, longest)
	default:
		hash = r.nearest()
		if hash.Hasher == current.Hasher {
			a.say("--hasher=%s: a hash takes %.0f ms; %.0f to %.0f ms are recommended, but no other measured hasher is closer.", current.Hasher, current.Quickest, shortest, longest)
			break
		}
		a.say("--hasher=%s: a hash takes %.0f ms instead of %.0f (%s); %.0f to %.0f ms are recommended.",
			hash.Hasher, hash.Quickest, current.Quickest, current.Hasher, shortest, longest)
	}
	a.Hasher = hash.Hasher
	return hash
}

// nearest returns argon2, tuned or not, if it fits or costs less than a current
// hasher that is too slow. Otherwise it returns the current hasher.
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

// concurrency recommends the number of concurrent hashes.
func (r *Report) concurrency(a *Advice) Flood {
	narrow := r.Floods[0]
	if len(r.Floods) == 1 {
		a.say("--hash-concurrency=%d: there is one processor.", narrow.Concurrency)
		return narrow
	}
	wide := r.Floods[1]
	more, slower := wide.Logins/narrow.Logins, wide.Reader.P99/narrow.Reader.P99
	figures := fmt.Sprintf("%d concurrent hashes serve %.1f times as many logins as %d, and a reader's p99 is %.1f times as long", wide.Concurrency, more, narrow.Concurrency, slower)
	if more >= worthwhile && slower <= slowerAtMost {
		a.say("--hash-concurrency=%d: %s.", wide.Concurrency, figures)
		return wide
	}
	a.say("--hash-concurrency=%d, the default here: %s.", narrow.Concurrency, figures)
	return narrow
}

// memory recommends enough memory for all concurrent hashes.
func (a *Advice) memory(hash Hash) {
	need := int(math.Ceil(hash.Memory * float64(a.HashConcurrency)))
	a.HashMemory = max(hashMemory, need)
	a.say("--hash-memory=%d: %d concurrent hashes need %d MiB.", a.HashMemory, a.HashConcurrency, need)
}

// queue recommends a queue in which no login waits longer than longestWait.
func (a *Advice) queue() {
	a.HashQueue = max(1, min(queuePerHash*a.HashConcurrency, int(longestWait*a.Logins)))
	a.LoginWait = float64(a.HashQueue+a.HashConcurrency) / a.Logins
	a.say("--hash-queue=%d: the server handles %.1f logins a second, so the last in the queue waits %.1f s; further logins get 503 with Retry-After.",
		a.HashQueue, a.Logins, a.LoginWait)
}

// proxy recommends settings for a proxy such as nginx or Caddy.
func (a *Advice) proxy(r *Report) {
	a.ProxyTimeout = int(math.Ceil(a.LoginWait)) + timeoutMargin
	a.ProxyRate = max(1, int(share*r.Checks.PerSecond))
	a.say("In the proxy: set the timeout for logins to at least %d s, and allow up to %.0f logins a second with a burst of %d.",
		a.ProxyTimeout, math.Ceil(a.Logins), a.HashQueue)
	a.say("In the proxy: allow up to %d other requests a second for each jotgate (%.0f %% of the %.0f that it handled).",
		a.ProxyRate, 100*share, r.Checks.PerSecond)
	a.say("%.0f refreshes a second are enough for about %.0f concurrent clients that refresh every %d minutes, with the same margin.",
		r.Refreshes.PerSecond, share*r.Refreshes.PerSecond*60*minutes, minutes)
}
