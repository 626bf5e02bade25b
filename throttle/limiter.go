// The limiter: DRF's sliding window for each key, in bounded memory.

package throttle

import (
	"cmp"
	"container/list"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

const (
	shardCount   = 64
	defaultBytes = 32 << 20
	longestKey   = 128 // longer keys are replaced by their digest
	keyCost      = 256 // bytes of one key without its text and times: map, list, struct
	timeCost     = 8   // bytes that one remembered time takes
	spillLimit   = 256 // the most that one spill bucket allows in a period
)

// Options configure a Limiter. The zero value has the defaults.
type Options struct {
	// MaxBytes is the maximum memory for keys and times, in addition to 128 KiB for
	// the spill buckets (see Limiter). At least 64 KiB. Default: 32 MiB, enough for
	// about 100,000 networks in one period.
	MaxBytes int
	// Clock returns the time. If it is set back, time does not pass for the Limiter
	// until the clock has caught up. Default: time.Now.
	Clock func() time.Time
}

func (o Options) withDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultBytes)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

// Limiter allows each key Rate.Count requests in any interval of the length
// Rate.Period. Create one with NewLimiter. It is safe for concurrent use, and its
// counts are exact however many goroutines call it; above 4096 it allows up to a
// 4096th less.
//
// Its memory is bounded. If the memory is full, keys are not removed before their
// requests have expired, because a client could otherwise reset its count by
// filling the table. Instead, new keys are counted in one of 64 spill buckets,
// which a secret hash selects. All keys of a bucket share the rate of one key (at
// most 256 requests in a period); keys in the table are not affected. A key that
// moves from a bucket to the table can make twice its requests in that period.
type Limiter struct {
	rate   Rate
	clock  func() time.Time
	start  time.Time
	seed   maphash.Seed
	shards [shardCount]shard
}

// shard is one part of the table. Its list is ordered by the newest time of
// each history, so what expires first is at the front.
type shard struct {
	mu     sync.Mutex
	keys   map[string]*list.Element // of *history
	order  list.List
	budget int // bytes left
	latest time.Duration
	spill  history
}

// NewLimiter returns a Limiter. It returns an error if the rate is outside the
// bounds of Rate, or if Options.MaxBytes is not 0 and below 64 KiB.
func NewLimiter(rate Rate, o Options) (*Limiter, error) {
	o = o.withDefaults()
	if o.MaxBytes < 64<<10 {
		return nil, fmt.Errorf("throttle: MaxBytes is %d, want at least 65536", o.MaxBytes)
	}
	if err := rate.valid(); err != nil {
		return nil, err
	}
	l := &Limiter{rate: rate, clock: o.Clock, start: o.Clock(), seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].keys = map[string]*list.Element{}
		l.shards[i].budget = o.MaxBytes / shardCount
	}
	return l, nil
}

// Rate returns the rate of the Limiter.
func (l *Limiter) Rate() Rate { return l.rate }

// Allow counts a request of the key and returns ok as true, or rejects it and
// returns how long to wait until the next one can be accepted. The wait is zero if
// ok is true; otherwise it is above zero and at most the rate's period. A rejected
// request is not counted. Any string can be a key, including "".
func (l *Limiter) Allow(key string) (wait time.Duration, ok bool) {
	if len(key) > longestKey {
		key = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(key)))
	}
	s := &l.shards[maphash.String(l.seed, key)%shardCount]
	s.mu.Lock()
	defer s.mu.Unlock()
	// The clock is read under the lock, so that times in a history never fall.
	s.latest = max(s.latest, l.clock().Sub(l.start))
	return s.allow(key, l.rate)
}

func (s *shard) allow(key string, rate Rate) (time.Duration, bool) {
	if rate.Count == 0 {
		return rate.Period, false
	}
	s.forget(rate)
	if e := s.entry(key); e != nil {
		h := e.Value.(*history)
		if wait, ok := s.refused(h, rate.Count, rate.Period); !ok {
			return wait, false
		}
		if grow := timeCost * h.growth(rate.Count); grow <= s.budget {
			s.budget -= grow
			h.push(s.latest, rate.Count)
			s.order.MoveToBack(e)
			return 0, true
		}
	}
	return s.allowSpill(min(rate.Count, spillLimit), rate.Period)
}

// allowSpill counts a request of a key without a history in the common bucket.
func (s *shard) allowSpill(limit int, period time.Duration) (time.Duration, bool) {
	if wait, ok := s.refused(&s.spill, limit, period); !ok {
		return wait, false
	}
	s.spill.push(s.latest, limit)
	return 0, true
}

// refused removes what has expired from h and reports ok if a request fits below
// limit. The wait is DRF's: until the oldest counted request has expired.
func (s *shard) refused(h *history, limit int, period time.Duration) (time.Duration, bool) {
	h.drop(s.latest - period)
	if h.count(limit) < limit {
		return 0, true
	}
	return period - (s.latest - h.oldest()), false
}

// entry finds the history of key, or makes one if there is room for it and its
// first time. It returns nil if there is none.
func (s *shard) entry(key string) *list.Element {
	if e := s.keys[key]; e != nil {
		return e
	}
	cost := keyCost + len(key)
	if cost+timeCost > s.budget {
		return nil
	}
	s.budget -= cost
	e := s.order.PushBack(&history{key: key})
	s.keys[key] = e
	return e
}

// forget removes a few keys whose requests have all expired. It frees more keys
// than one request can add, so that the table empties by itself, and no single
// request pays for clearing all of it.
func (s *shard) forget(rate Rate) {
	for range 4 {
		e := s.order.Front()
		if e == nil {
			return
		}
		if e.Value.(*history).newest > s.latest-rate.Period {
			return
		}
		s.remove(e)
	}
}

// remove removes a key and returns its bytes to the budget.
func (s *shard) remove(e *list.Element) {
	h := s.order.Remove(e).(*history)
	delete(s.keys, h.key)
	s.budget += keyCost + len(h.key) + timeCost*len(h.times)
}
