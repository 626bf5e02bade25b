package jotgate

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// hashPool limits the concurrency, the memory and the queue length of
// password hashing. Nothing else waits for it, so a flood of logins delays
// only other logins. It is safe for concurrent use.
type hashPool struct {
	slots   *semaphore.Weighted
	memory  *semaphore.Weighted
	total   int64        // bytes in memory
	pending atomic.Int64 // calls that are waiting or hashing
	hashing atomic.Int64 // calls that are hashing
	used    atomic.Int64 // bytes that these use
	limit   int64        // of pending
}

// newHashPool returns a pool; a limit of zero or less selects its default.
func newHashPool(concurrency, queue int, memory int64) *hashPool {
	if concurrency <= 0 {
		concurrency = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if queue <= 0 {
		queue = 64 * concurrency
	}
	if memory <= 0 {
		memory = 256 << 20
	}
	return &hashPool{
		slots:  semaphore.NewWeighted(int64(concurrency)),
		memory: semaphore.NewWeighted(memory),
		total:  memory,
		limit:  int64(concurrency + queue),
	}
}

// do runs hash, which needs this many bytes, as soon as the limits allow. It
// returns ErrBusy without running hash if the queue is full or ctx ends while
// waiting.
func (p *hashPool) do(ctx context.Context, bytes int64, hash func()) error {
	if p.pending.Add(1) > p.limit {
		p.pending.Add(-1)
		return ErrBusy
	}
	defer p.pending.Add(-1)
	if err := p.slots.Acquire(ctx, 1); err != nil {
		return ErrBusy.Because(err)
	}
	defer p.slots.Release(1)
	// A hash larger than the whole budget runs alone.
	bytes = min(bytes, p.total)
	if err := p.memory.Acquire(ctx, bytes); err != nil {
		return ErrBusy.Because(err)
	}
	defer p.memory.Release(bytes)
	p.hashing.Add(1)
	defer p.hashing.Add(-1)
	p.used.Add(bytes)
	defer p.used.Add(-bytes)
	hash()
	return nil
}
