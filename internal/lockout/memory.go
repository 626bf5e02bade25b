package lockout

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

// memory counts failures in a table of fixed size, for stores that do not keep
// them. Keys with the same index share a count, so delays may be too long but never
// too short.
type memory struct {
	mu     sync.Mutex
	seed   maphash.Seed
	counts []record.Failure // made for the first key
}

func (m *memory) at(key string) *record.Failure {
	if m.counts == nil {
		m.counts = make([]record.Failure, 1<<14)
	}
	return &m.counts[maphash.String(m.seed, key)%uint64(len(m.counts))]
}

func (m *memory) Find(_ context.Context, keys []string) (map[string]record.Failure, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make(map[string]record.Failure, len(keys))
	for _, key := range keys {
		found[key] = *m.at(key)
	}
	return found, nil
}

func (m *memory) Add(_ context.Context, keys []string, now, forget time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		f := m.at(key)
		if f.Last.Before(forget) {
			f.Count = 0
		}
		f.Count, f.Last = min(f.Count+1, 1<<20), now
	}
	return nil
}

func (m *memory) Forgive(_ context.Context, f record.Forgiveness) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, pair, total := m.at(f.Own), m.at(f.Pair), m.at(f.Total)
	n := min(own.Count, pair.Count)
	if own.Last.Before(f.Forget) {
		n = 0
	}
	total.Count = max(0, total.Count-min(pair.Count, f.Share)+min(pair.Count-n, f.Share))
	pair.Count -= n
	*own = record.Failure{}
	return nil
}

// RememberNetwork reports every network as new: memory does not keep networks.
func (m *memory) RememberNetwork(context.Context, record.UserID, string, time.Time) (bool, error) {
	return false, nil
}

func (m *memory) KnownNetwork(context.Context, record.UserID, string) (bool, error) {
	return false, nil
}

func (m *memory) Purge(context.Context, time.Time, int) (int, error) { return 0, nil }
