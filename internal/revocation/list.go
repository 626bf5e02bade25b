// Package revocation keeps the list of revoked sessions and users that every
// request is checked against, and carries it from a gate to guards in other
// processes.
//
// A gate creates a [List], adds the pages of the database's feed with AddPage,
// and may serve it: [List.NextPage] and [Sign] make the pages of the feed over
// HTTP. A guard in another process fills its own List with a [Follower].
package revocation

import (
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/record"
)

// List reports whether a token's session or user has been revoked. It is kept
// in memory, and remains small because an entry is needed only as long as an
// access token issued before it could live: Sweep drops the others, and a token
// that is older than the list reaches back must be rejected (Covers). It is safe
// for concurrent use; reading takes one shared lock.
type List struct {
	mu       sync.RWMutex
	now      func() time.Time
	sessions map[[16]byte]int64       // sid → the last second in which one of its tokens may have been issued
	users    map[record.UserID]cutoff // by the value of the user id claim
	byName   bool                     // the user id claim holds the username
	lifetime int64                    // how long sessions are kept; seconds
	foreign  int64                    // how long users are kept; seconds
	reach    [2]atomic.Int64          // see Covers
	changes  atomic.Uint64            // counts the entries about users
	empty    atomic.Bool              // nothing is revoked: no lock is taken
	complete atomic.Int64             // when the list was last known to be complete, Unix microseconds
	cursor   record.RevocationCursor  // position in the database's feed
	added    chan struct{}            // closed and replaced when an entry is added
	log      *log                     // nil unless the list is served
}

// cutoff describes which tokens of a user are revoked, in Unix seconds.
type cutoff struct {
	all         int64  // access tokens issued before this second
	sessionless int64  // tokens without a session issued before or in this second
	issued      int64  // the last second in which such a token may have been issued
	change      uint64 // the value of List.changes after the last entry
}

// Settings holds the options of a List.
type Settings struct {
	// Sessions is how long entries about sessions are kept: the lifetime of an
	// access token and the leeway. Users is the same for entries about users, who
	// may also have tokens of other issuers; at least Sessions.
	Sessions, Users time.Duration
	// ByUsername says that the user id claim of tokens holds the username.
	ByUsername bool
	// Served makes NextPage available.
	Served bool
	Now    func() time.Time
}

// NewList returns an empty list.
func NewList(s Settings) *List {
	l := &List{
		now:      s.Now,
		sessions: map[[16]byte]int64{},
		users:    map[record.UserID]cutoff{},
		byName:   s.ByUsername,
		lifetime: int64(s.Sessions/time.Second) + 1,
		added:    make(chan struct{}),
	}
	l.foreign = max(l.lifetime, int64(s.Users/time.Second)+1)
	l.empty.Store(true)
	if s.Served {
		l.log = new(log)
	}
	return l
}

// Revoked reports whether a token of this session and user, issued at iat, is
// revoked. sid is empty for a token without a session.
func (l *List) Revoked(sid string, user record.UserID, iat int64) bool {
	if l.empty.Load() {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if id, ok := sessionKey(sid); ok {
		if _, hit := l.sessions[id]; hit {
			return true
		}
	}
	cut, hit := l.users[user]
	// iat counts whole seconds. For a token with a session that was issued in the
	// second of the revocation, only the session counts, so that a user who
	// immediately logs in again gets a valid token; a token without one
	// (Django's) is rejected.
	return hit && (iat < cut.all || sid == "" && iat <= cut.sessionless)
}

// Changes returns the number of entries about users so far, for ChangedSince.
func (l *List) Changes() uint64 { return l.changes.Load() }

// ChangedSince reports whether an entry about the user was added after Changes
// returned this number. What a caller has read of the user before may then be
// outdated.
func (l *List) ChangedSince(user record.UserID, changes uint64) bool {
	if l.changes.Load() == changes {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.users[user].change > changes
}

// Reach sets the times for which the source of the list keeps entries about
// sessions and about users, in seconds; see Covers. A gate is its own source:
// call Reach with Lifetimes.
func (l *List) Reach(sessions, users int64) {
	l.reach[0].Store(sessions)
	l.reach[1].Store(users)
}

// Lifetimes returns how long entries about sessions and about users are kept,
// in seconds.
func (l *List) Lifetimes() (sessions, users int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.lifetime, l.foreign
}

// Covers reports whether the list reaches back to the time at which a token was
// issued (Unix seconds; 0 if it has no iat). If not, the token may have been
// revoked and the entry dropped. Only a token that lives longer than the gate's
// or, without a session, longer than Settings.ForeignTokenLifetime, can be that
// old. Before Reach is called, Covers returns true.
func (l *List) Covers(sid string, issued, expires int64) bool {
	source := &l.reach[0]
	if sid == "" {
		source = &l.reach[1]
	}
	reach := source.Load()
	switch {
	case reach == 0 || issued != 0 && expires-issued <= reach:
		return true
	case issued == 0: // the lifetime is unknown, but not shorter than the remaining time
		return expires-l.now().Unix() <= reach
	}
	return l.now().Unix()-issued <= reach
}

// FreshAt returns the second from which on access tokens of this user are not
// revoked.
func (l *List) FreshAt(user record.UserID) int64 {
	if l.empty.Load() {
		return 0
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.users[user].all
}

// Add adds entries and reports whether any of them was new; adding one twice
// changes nothing.
func (l *List) Add(entries ...record.Revocation) (added bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.add(entries)
}

// add is Add; the caller holds the lock.
func (l *List) add(entries []record.Revocation) (added bool) {
	now := l.now().Unix()
	for _, e := range entries {
		if l.byName {
			e.User = record.UserID(e.Username)
		}
		// The token's lifetime begins by the clock of its issuer and ends by the
		// clock of this node, which may be hours apart: the entry is kept for a
		// lifetime after the later of both.
		issued := max(now, e.Made.Unix())
		if l.addOne(e, issued) {
			added = true
			l.log.append(e, issued)
		}
	}
	if added {
		l.log.changed()
		l.empty.Store(false)
		close(l.added)
		l.added = make(chan struct{})
	}
	return added
}

// addOne adds an entry and reports whether it was new.
func (l *List) addOne(e record.Revocation, issued int64) (fresh bool) {
	if id, ok := sessionKey(e.Session); ok {
		if _, known := l.sessions[id]; !known {
			l.sessions[id], fresh = issued, true
		}
	}
	if e.User == "" || e.NotBefore.IsZero() {
		return fresh
	}
	at, cut := e.NotBefore.Unix(), l.users[e.User]
	if at > cut.sessionless {
		cut.sessionless, fresh = at, true
	}
	if !e.Sessionless && at > cut.all {
		cut.all, fresh = at, true
	}
	if fresh {
		cut.issued = max(cut.issued, issued, at)
	}
	if cut.issued > 0 { // also if it is not new: two changes may have the same second
		cut.change = l.changes.Add(1)
		l.users[e.User] = cut
	}
	return fresh
}

// AddPage adds a page of the database's feed. Concurrent readers may each add a
// page; the cursor never moves back, unless the database did (another epoch).
// The entries and the cursor change together: a request that waits would
// otherwise get the entries with the cursor before them, and then the same
// entries again.
func (l *List) AddPage(page record.RevocationPage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(page.Entries)
	next := page.Next
	if next.Epoch == l.cursor.Epoch && !next.Seen.Covers(l.cursor.Seen) {
		return
	}
	l.cursor = record.RevocationCursor{Epoch: next.Epoch, Seen: next.Seen}
	l.log.changed()
}

// Cursor returns the position of the next page in the database's feed.
func (l *List) Cursor() record.RevocationCursor {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.cursor
}

// Rewind makes the next page list all entries that are still needed.
func (l *List) Rewind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cursor.Seen = record.Horizon{}
	l.log.changed()
}

// ReadBack returns how long after its time an entry about a session, and one
// about a user, is read by a node that starts: its lifetime and a minute, since
// with Settings.KeepRefreshTokens a session records at most once a minute that
// it issued another token.
func (l *List) ReadBack() (sessions, users time.Duration) {
	s, u := l.Lifetimes()
	return time.Duration(s)*time.Second + time.Minute, time.Duration(u)*time.Second + time.Minute
}

// maxTime is 9999-12-31T23:59:59Z, the last second both databases can hold.
const maxTime = 253402300799

// extend sets the minimum time for which entries about sessions and about users
// are kept, in seconds.
func (l *List) extend(sessions, users int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lifetime = max(l.lifetime, min(sessions, maxTime))
	l.foreign = max(l.foreign, l.lifetime, min(users, maxTime))
	l.log.changed()
}

// Sweep drops the entries that can no longer apply to any token that has not
// expired.
func (l *List) Sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, issued := range l.sessions {
		if issued+l.lifetime < now.Unix() {
			delete(l.sessions, id)
		}
	}
	for id, cut := range l.users {
		if cut.issued+l.foreign < now.Unix() {
			delete(l.users, id)
		}
	}
	l.log.sweep(now.Unix()-l.lifetime, now.Unix()-l.foreign)
	l.log.changed()
	l.empty.Store(len(l.sessions) == 0 && len(l.users) == 0)
}

// Len returns the number of revoked sessions and users in the list.
func (l *List) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.sessions) + len(l.users)
}

// SetComplete records that the list has every revocation made before t.
func (l *List) SetComplete(t time.Time) { l.complete.Store(t.UnixMicro()) }

// Age returns how long before now the list was last known to be complete, or
// the maximum Duration before the first time. It is negative if the clock was
// set back.
func (l *List) Age(now time.Time) time.Duration {
	complete := l.complete.Load()
	if complete == 0 {
		return time.Duration(1<<63 - 1)
	}
	return now.Sub(time.UnixMicro(complete))
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
