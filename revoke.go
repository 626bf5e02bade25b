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
// drops the rest, and a token that is older than what is held is refused (see
// covers). Safe for concurrent use; reading takes one shared lock.
type revocations struct {
	mu       sync.RWMutex
	clock    func() time.Time
	sessions map[[16]byte]int64       // sid → the last second in which a token of it may have been issued
	users    map[record.UserID]cutoff // by what the user id claim holds
	byName   bool                     // that is the username
	lifetime int64                    // how long sessions are held: of an access token, with leeway; seconds
	foreign  int64                    // how long users are held: of a token that another issuer made; seconds
	known    [2]atomic.Int64          // see covers
	empty    atomic.Bool              // nothing is revoked: no lock is taken
	heard    atomic.Int64             // when the feed was last known to be complete, Unix microseconds
	cursor   record.RevocationCursor  // of the database's feed
	news     chan struct{}            // closed, and replaced, when an entry is added
	log      *feedLog                 // nil unless a feed is served
}

// cutoff is what is revoked of a user, in Unix seconds.
type cutoff struct {
	all         int64 // access tokens issued before it
	sessionless int64 // tokens without a session issued before it or in this second
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
	cut, hit := r.users[user]
	// iat counts whole seconds. Within the second of the revocation a token
	// with a session is judged by its session alone, so that a user who logs
	// in again immediately gets in; one without (Django's) is refused.
	return hit && (iat < cut.all || sid == "" && iat <= cut.sessionless)
}

// cover sets how long entries about sessions and about users are held at least
// by whatever fills r, in seconds.
func (r *revocations) cover(sessions, users int64) {
	r.known[0].Store(sessions)
	r.known[1].Store(users)
}

// covers reports whether what is held reaches back to the time at which the
// token was issued: if not, it may have been revoked and the entry dropped. Only
// a token that lives longer than jotgate's, or than
// Settings.ForeignTokenLifetime without a session, can be that old. Without a
// feed there is nothing to be covered by.
func (r *revocations) covers(sid string, s *stamp, now func() time.Time) bool {
	held := &r.known[0]
	if sid == "" {
		held = &r.known[1]
	}
	reach := held.Load()
	switch {
	case reach == 0 || s.issued != 0 && s.expires-s.issued <= reach:
		return true
	case s.issued == 0: // the age is not known: at most what a setting says
		return s.expires-now().Unix() <= reach
	}
	return now().Unix()-s.issued <= reach
}

// freshAt is the second from which on tokens of this user are not revoked.
func (r *revocations) freshAt(user record.UserID) int64 {
	if r.empty.Load() {
		return 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.users[user].all
}

// add takes in entries of the feed and reports whether they said something new;
// adding one twice changes nothing.
func (r *revocations) add(entries ...record.Revocation) (added bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock().Unix()
	for _, e := range entries {
		if r.byName {
			e.User = record.UserID(e.Username)
		}
		// The token's life begins with its issuer's clock and ends by this node's,
		// which may be hours apart: the entry stays for a lifetime after the later.
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

// addOne reports whether the entry said something new.
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

// take adds a page of the database's feed. Concurrent readers may each bring a
// page; the cursor never goes back, unless the database did (another epoch).
func (r *revocations) take(page record.RevocationPage) {
	r.add(page.Entries...)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := page.Next
	if next.Epoch == r.cursor.Epoch && !next.Seen.Covers(r.cursor.Seen) {
		return
	}
	r.cursor = record.RevocationCursor{Epoch: next.Epoch, Seen: next.Seen}
}

// after is where the next page of the database's feed begins.
func (r *revocations) after() record.RevocationCursor {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.cursor
}

// rewind makes the next page list everything that is in force.
func (r *revocations) rewind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor.Seen = record.Horizon{}
}

// keep is how long after its time an entry is read by a node that starts: as
// long as an access token lives, and a minute, within which
// Settings.KeepRefreshTokens does not note that a session issued another token.
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

// keepFor makes entries about sessions and about users stay at least so many
// seconds.
func (r *revocations) keepFor(sessions, users int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lifetime = max(r.lifetime, min(sessions, maxTime))
	r.foreign = max(r.foreign, r.lifetime, min(users, maxTime))
}

// sweep forgets what no living token can still be refused by.
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
