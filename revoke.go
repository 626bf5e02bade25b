package jotgate

import (
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/record"
)

// revocations is the list that every request checks: it reports whether the
// token's session or user has been revoked. It is kept in memory. It remains
// small because an entry is needed only as long as an access token issued
// before it could live; sweep drops the others, and a token that is older
// than the list reaches back is rejected (see covers). It is safe for
// concurrent use; reading takes one shared lock.
type revocations struct {
	mu       sync.RWMutex
	clock    func() time.Time
	sessions map[[16]byte]int64       // sid → the last second in which one of its tokens may have been issued
	users    map[record.UserID]cutoff // by the value of the user id claim
	byName   bool                     // the user id claim holds the username
	lifetime int64                    // how long sessions are kept: an access token's lifetime and leeway; seconds
	foreign  int64                    // how long users are kept: the same for tokens of other issuers; seconds
	known    [2]atomic.Int64          // see covers
	empty    atomic.Bool              // nothing is revoked: no lock is taken
	heard    atomic.Int64             // when the feed was last known to be complete, Unix microseconds
	cursor   record.RevocationCursor  // position in the database's feed
	news     chan struct{}            // closed and replaced when an entry is added
	log      *feedLog                 // nil unless a feed is served
}

// cutoff describes which tokens of a user are revoked, in Unix seconds.
type cutoff struct {
	all         int64 // access tokens issued before this second
	sessionless int64 // tokens without a session issued before or in this second
	issued      int64 // the last second in which such a token may have been issued
}

func newRevocations(lifetime, foreign time.Duration) *revocations {
	r := &revocations{
		clock:    time.Now,
		sessions: map[[16]byte]int64{},
		users:    map[record.UserID]cutoff{},
		lifetime: int64(lifetime/time.Second) + 1,
		news:     make(chan struct{}),
	}
	r.foreign = max(r.lifetime, int64(foreign/time.Second)+1)
	r.empty.Store(true)
	return r
}

// revoked reports whether a token of this session and user, issued at iat, is
// revoked.
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
	cut, hit := r.users[user]
	// iat counts whole seconds. For a token with a session that was issued in the
	// second of the revocation, only the session counts, so that a user who
	// immediately logs in again gets a valid token; a token without one
	// (Django's) is rejected.
	return hit && (iat < cut.all || sid == "" && iat <= cut.sessionless)
}

// cover sets the minimum time for which entries about sessions and about
// users are kept by the source of r, in seconds.
func (r *revocations) cover(sessions, users int64) {
	r.known[0].Store(sessions)
	r.known[1].Store(users)
}

// covers reports whether the list reaches back to the time at which the token
// was issued. If not, the token may have been revoked and the entry dropped.
// Only a token that lives longer than jotgate's or, without a session, longer
// than Settings.ForeignTokenLifetime, can be that old. Without a feed, covers
// returns true.
func (r *revocations) covers(sid string, s *stamp, now func() time.Time) bool {
	held := &r.known[0]
	if sid == "" {
		held = &r.known[1]
	}
	reach := held.Load()
	switch {
	case reach == 0 || s.issued != 0 && s.expires-s.issued <= reach:
		return true
	case s.issued == 0: // the lifetime is unknown, but not shorter than the remaining time
		return s.expires-now().Unix() <= reach
	}
	return now().Unix()-s.issued <= reach
}

// freshAt returns the second from which on access tokens of this user are not
// revoked.
func (r *revocations) freshAt(user record.UserID) int64 {
	if r.empty.Load() {
		return 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.users[user].all
}

// add adds entries of the feed and reports whether any of them was new;
// adding one twice changes nothing.
func (r *revocations) add(entries ...record.Revocation) (added bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addAll(entries)
}

// addAll is add; the caller holds the lock.
func (r *revocations) addAll(entries []record.Revocation) (added bool) {
	now := r.clock().Unix()
	for _, e := range entries {
		if r.byName {
			e.User = record.UserID(e.Username)
		}
		// The token's lifetime begins by the clock of its issuer and ends by the
		// clock of this node, which may be hours apart: the entry is kept for a
		// lifetime after the later of both.
		issued := max(now, e.Made.Unix())
		if r.addOne(e, issued) {
			added = true
			r.log.append(e, issued)
		}
	}
	if added {
		r.empty.Store(false)
		close(r.news)
		r.news = make(chan struct{})
	}
	return added
}

// addOne adds an entry and reports whether it was new.
func (r *revocations) addOne(e record.Revocation, issued int64) (fresh bool) {
	if id, ok := sessionKey(e.Session); ok {
		if _, known := r.sessions[id]; !known {
			r.sessions[id], fresh = issued, true
		}
	}
	if e.User == "" || e.NotBefore.IsZero() {
		return fresh
	}
	at, cut := e.NotBefore.Unix(), r.users[e.User]
	if at > cut.sessionless {
		cut.sessionless, fresh = at, true
	}
	if !e.Sessionless && at > cut.all {
		cut.all, fresh = at, true
	}
	if fresh {
		cut.issued = max(cut.issued, issued, at)
		r.users[e.User] = cut
	}
	return fresh
}

// take adds a page of the database's feed. Concurrent readers may each add a
// page; the cursor never moves back, unless the database did (another epoch). The
// entries and the cursor change together: a request that waits would otherwise get
// the entries with the cursor before them, and then the same entries again.
func (r *revocations) take(page record.RevocationPage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addAll(page.Entries)
	next := page.Next
	if next.Epoch == r.cursor.Epoch && !next.Seen.Covers(r.cursor.Seen) {
		return
	}
	r.cursor = record.RevocationCursor{Epoch: next.Epoch, Seen: next.Seen}
}

// after returns the position of the next page in the database's feed.
func (r *revocations) after() record.RevocationCursor {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.cursor
}

// rewind makes the next page list all entries that are still needed.
func (r *revocations) rewind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor.Seen = record.Horizon{}
}

// keep returns how long after its time an entry is read by a node that
// starts: the lifetime of an access token and a minute, since with
// Settings.KeepRefreshTokens a session records at most once a minute that it
// issued another token.
func (r *revocations) keep() time.Duration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return time.Duration(r.lifetime)*time.Second + time.Minute
}

// keepUsers is keep for entries about users.
func (r *revocations) keepUsers() time.Duration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return time.Duration(r.foreign)*time.Second + time.Minute
}

// keepFor sets the minimum time for which entries about sessions and about
// users are kept, in seconds.
func (r *revocations) keepFor(sessions, users int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifetime = max(r.lifetime, min(sessions, maxTime))
	r.foreign = max(r.foreign, r.lifetime, min(users, maxTime))
}

// sweep drops the entries that can no longer apply to any token that has not
// expired.
func (r *revocations) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, issued := range r.sessions {
		if issued+r.lifetime < now.Unix() {
			delete(r.sessions, id)
		}
	}
	for id, cut := range r.users {
		if cut.issued+r.foreign < now.Unix() {
			delete(r.users, id)
		}
	}
	r.log.sweep(now.Unix()-r.lifetime, now.Unix()-r.foreign)
	r.empty.Store(len(r.sessions) == 0 && len(r.users) == 0)
}

// age returns how long ago the list was last known to be complete, or the
// maximum Duration before the first time.
func (r *revocations) age(now time.Time) time.Duration {
	heard := r.heard.Load()
	if heard == 0 {
		return time.Duration(1<<63 - 1)
	}
	return now.Sub(time.UnixMicro(heard))
}

// sessionKey packs a sid into 16 bytes. An entry then takes 24 bytes instead
// of 56, and comparing it does not follow a pointer.
func sessionKey(sid string) (key [16]byte, ok bool) {
	if len(sid) != 32 {
		return key, false
	}
	var text [32]byte
	copy(text[:], sid)
	n, err := hex.Decode(key[:], text[:])
	return key, err == nil && n == 16
}
