package jotgate

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// lane is where passwords are hashed: so many at once, in so much memory,
// with a queue that has an end. Everything else a gate does goes on beside
// it, so a flood of logins slows logins only. Safe for concurrent use.
type lane struct {
	slots   *semaphore.Weighted
	memory  *semaphore.Weighted
	total   int64 // bytes; the most a single hash may ask for
	waiting atomic.Int64
	queue   int64
}

func newLane(width, queue int, memory int64) *lane {
	if width <= 0 {
		width = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if queue <= 0 {
		queue = 64 * width
	}
	if memory <= 0 {
		memory = 256 << 20
	}
	return &lane{
		slots:  semaphore.NewWeighted(int64(width)),
		memory: semaphore.NewWeighted(memory),
		total:  memory,
		queue:  int64(width + queue),
	}
}

// do runs hash, which needs so many bytes, when there is room for it. It is
// ErrBusy when the queue is full, and the context's error when the client
// left while waiting; hash did not run then.
func (l *lane) do(ctx context.Context, bytes int64, hash func()) error {
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return ErrBusy
	}
	defer l.waiting.Add(-1)
	if err := l.slots.Acquire(ctx, 1); err != nil {
		return ErrBusy.Because(err)
	}
	defer l.slots.Release(1)
	// A hash larger than the whole budget runs alone.
	bytes = min(bytes, l.total)
	if err := l.memory.Acquire(ctx, bytes); err != nil {
		return ErrBusy.Because(err)
	}
	defer l.memory.Release(bytes)
	hash()
	return nil
}
