package jotgate

import (
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/record"
)

// revocations is what every request asks: has this token's session, or its
// user, been shut out? It lives in memory. It stays small because an entry is
// of use only as long as an access token made before it could live; sweep
// drops the rest. Safe for concurrent use; reading takes one shared lock.
type revocations struct {
	mu       sync.RWMutex
	sessions map[[16]byte]int64      // sid → when it was revoked, Unix seconds
	users    map[record.UserID]int64 // what the user id claim holds → tokens issued before this are refused
	byName   bool                    // that is the username
	lifetime int64                   // of an access token, with leeway; seconds
	empty    atomic.Bool             // nothing is revoked: no lock is taken
	heard    atomic.Int64            // when the feed was last known to be complete, Unix microseconds
	last     atomic.Int64            // the highest sequence number taken from the database
	news     chan struct{}           // closed, and replaced, when an entry is added
	log      *feedLog                // in order of arrival, where a feed is served
}

func newRevocations(lifetime time.Duration) *revocations {
	r := &revocations{
		sessions: map[[16]byte]int64{},
		users:    map[record.UserID]int64{},
		lifetime: int64(lifetime/time.Second) + 1,
		news:     make(chan struct{}),
	}
	r.empty.Store(true)
	return r
}

// revoked reports whether a token of this session and user, issued at iat,
// has been shut out.
func (r *revocations) revoked(sid string, user record.UserID, iat int64) bool {
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
func (r *revocations) add(entries ...record.Revocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	added := false
	for _, e := range entries {
		if r.byName {
			e.User = record.UserID(e.Username)
		}
		if r.addOne(e) {
			added = true
			r.log.append(e)
		}
	}
	if added {
		r.empty.Store(false)
		close(r.news)
		r.news = make(chan struct{})
	}
}

// addOne reports whether the entry said something new.
func (r *revocations) addOne(e record.Revocation) (fresh bool) {
	if id, ok := sessionKey(e.Session); ok {
		if _, known := r.sessions[id]; !known {
			r.sessions[id], fresh = e.Made.Unix(), true
		}
	}
	if e.User != "" && !e.NotBefore.IsZero() {
		if at := e.NotBefore.Unix(); at > r.users[e.User] {
			r.users[e.User], fresh = at, true
		}
	}
	return fresh
}

// feedPage is the most entries that one question to the database is answered
// with.
const feedPage = 10_000

// take adds a page of the database's feed and reports whether there may be
// another.
func (r *revocations) take(page []record.Revocation) bool {
	r.add(page...)
	before, last := r.last.Load(), int64(0)
	for _, e := range page {
		last = max(last, e.Seq)
	}
	r.last.Store(max(before, last))
	return len(page) >= feedPage && last > before
}

// keepFor makes entries stay at least so many seconds.
func (r *revocations) keepFor(seconds int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifetime = max(r.lifetime, min(seconds, maxTime))
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
	r.log.sweep(now.Unix() - r.lifetime)
	r.empty.Store(len(r.sessions) == 0 && len(r.users) == 0)
}

// age is how long ago everything was last heard of; very long before the
// first time.
func (r *revocations) age(now time.Time) time.Duration {
	heard := r.heard.Load()
	if heard == 0 {
		return time.Duration(1<<63 - 1)
	}
	return now.Sub(time.UnixMicro(heard))
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
