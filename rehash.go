package jotgate

import (
	"sync"

	"github.com/jotgate/jotgate/record"
)

// renewals notices a program that hashes passwords again after jotgate did, such
// as a Django that prefers another hasher: each such hash looks like a changed
// password and ends sessions. It is safe for concurrent use.
type renewals struct {
	mu     sync.Mutex
	users  map[record.UserID]struct{} // whose hash this process has renewed
	warned bool
}

// maxRenewals bounds the users of renewals.
const maxRenewals = 10_000

// add records that the hash of the user's password was renewed. It reports true
// once: when a user's hash had been renewed before.
func (r *renewals) add(user record.UserID) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warned {
		return false
	}
	if _, r.warned = r.users[user]; r.warned {
		r.users = nil
		return true
	}
	if r.users == nil || len(r.users) >= maxRenewals {
		r.users = map[record.UserID]struct{}{}
	}
	r.users[user] = struct{}{}
	return false
}

const rehashedWarning = "the password hash of one user had to be renewed twice: another program, such as a Django with other PASSWORD_HASHERS, " +
	"replaces the hashes of this gate's Hasher, which ends sessions at each login. Set the Hasher (--hasher) that jotgate doctor --django suggests"
