// Package lockout delays password checks after repeated failures, by the delays of
// package throttle and the counters of a record.Failures. All endpoints that check
// passwords share the counters, which are in the database, so that no endpoint
// gives a second budget.
//
//	err := tries.TryLogin(ctx, username, network, func() (record.UserID, error) {
//		tokens, err = gate.Login(ctx, username, password, client)
//		return tokens.User.ID, err
//	})
//
// An attempt that is being hashed counts as a failure until it has succeeded, so
// that of a hundred concurrent ones only the free ones are hashed. These are counted
// in this process: n processes may hash n times as many at the same time.
package lockout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Lockout decides whether a password is checked. It is safe for concurrent use.
type Lockout struct {
	policy throttle.Lockout
	gate   *jotgate.Gate
	store  record.Failures
	seed   maphash.Seed
	shards [64]shard
}

// shard counts the attempts in progress, for a part of the accounts. slot is held
// during a database query, so waiting for it has a timeout.
type shard struct {
	slot   chan struct{} // full while begin handles an attempt of the shard
	mu     sync.Mutex
	trying map[string]int // by counter
}

// slotTimeout is how long an attempt waits for its slot.
const slotTimeout = 3 * time.Second

// enter waits for the shard's slot.
func (s *shard) enter(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, slotTimeout)
	defer cancel()
	select {
	case s.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return jotgate.ErrUnavailable.Because(errors.New("other tries wait for the database"))
	}
}

func (s *shard) leave() { <-s.slot }

// add adds n to the number of attempts in progress.
func (s *shard) add(n int, keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if s.trying[key] += n; s.trying[key] == 0 {
			delete(s.trying, key)
		}
	}
}

// underWay returns the number of attempts in progress.
func (s *shard) underWay(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trying[key]
}

// New returns a Lockout that keeps failures in the gate's store. If the store does
// not support this, failures are kept in the memory of this process.
func New(gate *jotgate.Gate, policy throttle.Lockout) *Lockout {
	l := &Lockout{policy: policy, gate: gate, seed: maphash.MakeSeed()}
	if db := gate.Store(); db != nil {
		l.store = db.Failures()
	}
	if l.store == nil {
		l.store = &memory{seed: maphash.MakeSeed()}
	}
	for i := range l.shards {
		l.shards[i].slot, l.shards[i].trying = make(chan struct{}, 1), map[string]int{}
	}
	return l
}

// TryLogin is Try for a login.
func (l *Lockout) TryLogin(ctx context.Context, login, network string, check func() (record.UserID, error)) (newNetwork bool, err error) {
	checked := false
	newNetwork, err = l.Try(ctx, login, network, func() (record.UserID, error) {
		checked = true
		return check()
	})
	if err != nil && !checked && jotgate.AsError(err).Status == http.StatusTooManyRequests {
		l.gate.Settings().Metrics.Count(metrics.Logins, "locked")
	}
	return newNetwork, err
}

// Try runs check, which checks a password for the account of this login name,
// unless there were too many failures: then it returns an error with status 429 and
// check does not run. A failure is ErrNoActiveAccount or ErrWrongPassword; other
// errors do not count. After a success, for which check returns the user, newNetwork
// reports whether the user had not logged in from this network before.
func (l *Lockout) Try(ctx context.Context, login, network string, check func() (record.UserID, error)) (newNetwork bool, err error) {
	t := l.attempt(login, network)
	if err := t.begin(ctx); err != nil {
		return false, err
	}
	user, err := check()
	if err := t.end(context.WithoutCancel(ctx), err); err != nil {
		return false, err
	}
	if err != nil {
		return false, err
	}
	return t.forgive(ctx, user, t.spent > 0)
}

// Forgive deletes the failures from this network and records that the user has
// logged in from there. It is for a login or a password reset. It reports whether
// the network is new for the user.
func (l *Lockout) Forgive(ctx context.Context, login, network string, user record.UserID) (newNetwork bool, err error) {
	return l.attempt(login, network).forgive(ctx, user, true)
}

// forgive is Forgive, but deletes failures only if failed is set, which it is not
// if begin found none. One that was added since then may count.
func (t *attempt) forgive(ctx context.Context, user record.UserID, failed bool) (newNetwork bool, err error) {
	if failed {
		if err := t.store.Forgive(ctx, record.Forgiveness{
			Own: t.own, Pair: t.pair, Total: t.total, Share: t.policy.Share(math.MaxInt), Forget: t.now().Add(-t.forget()),
		}); err != nil {
			return false, err
		}
	}
	known, err := t.store.RememberNetwork(ctx, user, t.network, t.now())
	return !known, err
}

func (l *Lockout) now() time.Time { return l.gate.Settings().Now() }

// attempt is one attempt: its counters and the shard they are in.
type attempt struct {
	*Lockout
	*shard
	login, network string
	// The counters: of all login names that are equal after folding; of those
	// from this network; of exactly this login name from this network. A login
	// name identifies one account, byte for byte, so a success forgives the last.
	total, pair, own string
	spent            int // failures of the pair when it began
}

func (l *Lockout) attempt(login, network string) *attempt {
	account := throttle.AccountKey(login)
	return &attempt{
		Lockout: l, shard: &l.shards[maphash.String(l.seed, account)%uint64(len(l.shards))],
		login: login, network: network, total: account, pair: account + " " + network,
		own: account + " " + network + " " + exactly(login),
	}
}

// exactly returns a digest of the login name. It is not stored in plain text,
// because users sometimes type a password in its place.
func exactly(login string) string {
	sum := sha256.Sum256([]byte(login))
	return hex.EncodeToString(sum[:16])
}

// begin rejects the attempt or records it as in progress. Attempts in progress are
// counted before the failures are read: one that fails in between counts twice,
// which is safe, but is never missed.
func (t *attempt) begin(ctx context.Context) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	pairUnderWay, totalUnderWay := t.underWay(t.pair), t.underWay(t.total)
	found, err := t.store.Find(ctx, []string{t.pair, t.total})
	if err != nil {
		return err
	}
	now := t.now()
	pair, total := tally(found[t.pair], pairUnderWay, now), tally(found[t.total], totalUnderWay, now)
	wait := t.policy.Wait(pair, total, false, now)
	if alone := t.policy.Wait(pair, total, true, now); alone < wait && t.knows(ctx) {
		wait = alone
	}
	if wait > 0 {
		t.gate.Settings().Metrics.Count(metrics.Throttled, "lockout")
		return Throttled(wait)
	}
	t.spent = pair.Failures
	t.add(1, t.pair, t.total)
	return nil
}

// tally returns a counter that includes the attempts in progress.
func tally(found record.Failure, underWay int, now time.Time) throttle.Tally {
	tally := throttle.Tally{Failures: found.Count, Last: found.Last}
	if underWay > 0 {
		tally.Failures, tally.Last = tally.Failures+underWay, now
	}
	return tally
}

// knows reports whether the user has logged in from this network. It is called only
// if an unknown network would have to wait longer than a known one.
func (t *attempt) knows(ctx context.Context) bool {
	a, err := t.gate.Store().Accounts().ByLogin(ctx, t.login)
	if err != nil {
		return false
	}
	known, err := t.store.KnownNetwork(ctx, a.ID, t.network)
	return err == nil && known
}

// end removes the attempt from those in progress and counts it if it failed. Each
// network adds only its share to the account's counter.
func (t *attempt) end(ctx context.Context, outcome error) error {
	defer t.add(-1, t.pair, t.total) // after the failure is counted, see begin
	if !errors.Is(outcome, jotgate.ErrNoActiveAccount) && !errors.Is(outcome, jotgate.ErrWrongPassword) {
		return nil
	}
	keys := []string{t.pair, t.own}
	if t.policy.Share(t.spent+1) > t.policy.Share(t.spent) {
		keys = append(keys, t.total)
	}
	now := t.now()
	return t.store.Add(ctx, keys, now, now.Add(-t.forget()))
}

// forget returns how long a failure counts.
func (l *Lockout) forget() time.Duration {
	if l.policy.Network.Forget > 0 {
		return l.policy.Network.Forget
	}
	return 24 * time.Hour
}

// Throttled returns the error for status 429, with Django REST framework's wording.
func Throttled(wait time.Duration) *jotgate.Error {
	seconds, unit := throttle.RetryAfter(wait), "seconds"
	if seconds == "1" {
		unit = "second"
	}
	return &jotgate.Error{
		Status: http.StatusTooManyRequests, RetryAfter: max(wait, time.Second),
		Detail: fmt.Sprintf("Request was throttled. Expected available in %s %s.", seconds, unit),
	}
}
