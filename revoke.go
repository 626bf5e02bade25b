package jotgate

import (
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"
)

// revocations is what every request asks: has this token's session, or its
// user, been shut out? It lives in memory. It stays small because an entry is
// of use only as long as an access token made before it could live; sweep
// drops the rest. Safe for concurrent use; reading takes one shared lock.
type revocations struct {
	mu       sync.RWMutex
	sessions map[[16]byte]int64 // sid → when it was revoked, Unix seconds
	users    map[UserID]int64   // → tokens issued before this are refused
	lifetime int64              // of an access token, with leeway; seconds
	empty    atomic.Bool        // nothing is revoked: no lock is taken
	heard    atomic.Int64       // when the feed was last known to be complete, Unix nanoseconds
	last     atomic.Int64       // the highest sequence number taken from the feed
}

func newRevocations(lifetime time.Duration) *revocations {
	r := &revocations{
		sessions: map[[16]byte]int64{},
		users:    map[UserID]int64{},
		lifetime: int64(lifetime/time.Second) + 1,
	}
	r.empty.Store(true)
	return r
}

// revoked reports whether a token of this session and user, issued at iat,
// has been shut out.
func (r *revocations) revoked(sid string, user UserID, iat int64) bool {
	if r.empty.Load() {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if id, ok := sessionKey(sid); ok {
		if _, hit := r.sessions[id]; hit {
			return true
		}
	}
	notBefore, hit := r.users[user]
	// iat counts whole seconds. Within the second of the revocation a token
	// with a session is judged by its session alone, so that a user who logs
	// in again at once gets in; one without (Django's) is refused.
	return hit && (iat < notBefore || iat == notBefore && sid == "")
}

// add takes in entries of the feed; adding one twice changes nothing.
func (r *revocations) add(entries ...Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		if id, ok := sessionKey(e.Session); ok {
			r.sessions[id] = e.Made.Unix()
		}
		if e.User != "" && !e.NotBefore.IsZero() {
			r.users[e.User] = max(r.users[e.User], e.NotBefore.Unix())
		}
		r.empty.Store(false)
	}
}

// feedPage is the most entries one question to the feed is answered with.
const feedPage = 10_000

// take adds a page of the feed and reports whether there may be another.
func (r *revocations) take(page []Revocation) bool {
	r.add(page...)
	before, last := r.last.Load(), int64(0)
	for _, e := range page {
		last = max(last, e.Seq)
	}
	r.last.Store(max(before, last))
	return len(page) >= feedPage && last > before
}

// sweep forgets what no living token can still be refused by.
func (r *revocations) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, made := range r.sessions {
		if made+r.lifetime < now.Unix() {
			delete(r.sessions, id)
		}
	}
	for id, notBefore := range r.users {
		if notBefore+r.lifetime < now.Unix() {
			delete(r.users, id)
		}
	}
	r.empty.Store(len(r.sessions) == 0 && len(r.users) == 0)
}

// size is how many entries are held.
func (r *revocations) size() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.sessions) + len(r.users)
}

// sessionKey packs a sid into 16 bytes; an entry then takes 24 bytes in place
// of 56 and comparing it does not follow a pointer.
func sessionKey(sid string) (key [16]byte, ok bool) {
	if len(sid) != 32 {
		return key, false
	}
	var text [32]byte
	copy(text[:], sid)
	n, err := hex.Decode(key[:], text[:])
	return key, err == nil && n == 16
}
