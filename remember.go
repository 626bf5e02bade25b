package jotgate

import (
	"sync"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// memory caches the users of verified tokens, so that a token that is
// presented again is neither verified nor decoded again
// (GuardSettings.RememberTokens). It caches only what cannot change: the
// signature remains valid as long as the keys are the same, and the key of an
// entry is the whole token. Times, keys and revocations are checked each
// time. A nil memory caches nothing.
//
// There are two generations of equal size; when the younger is full, the
// older is dropped.
type memory struct {
	mu         sync.RWMutex
	half       int
	leeway     int64 // seconds
	young, old map[string]remembered
}

type remembered struct {
	user *User
	keys *jwt.KeySet // the keys that verified it
}

func newMemory(size int, leeway time.Duration) *memory {
	if size <= 0 {
		return nil
	}
	return &memory{half: (size + 1) / 2, leeway: int64(leeway / time.Second), young: map[string]remembered{}}
}

// recall returns the user of a token that is still valid, or nil.
func (m *memory) recall(token string, keys *jwt.KeySet, now time.Time) *User {
	if m == nil {
		return nil
	}
	m.mu.RLock()
	found, ok := m.young[token]
	if !ok {
		found, ok = m.old[token]
	}
	m.mu.RUnlock()
	if !ok || found.keys != keys || !found.user.goodAt(now.Unix(), m.leeway) {
		return nil
	}
	return found.user
}

// add caches a user. The token is copied, because it is part of a header that
// should not be kept in memory.
func (m *memory) add(token string, user *User, keys *jwt.KeySet) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.half {
		m.young, m.old = make(map[string]remembered, m.half), m.young
	}
	m.young[string([]byte(token))] = remembered{user, keys}
}

// goodAt reports whether the token's times are valid, by the rules of
// jwt.Rules.
func (u *User) goodAt(now, leeway int64) bool {
	return now-leeway < u.expires && u.issued <= now+leeway && u.notBefore <= now+leeway
}
