// Package queue hands out what is due in a queue of the store: e-mails and webhooks.
//
// A row is leased when it is taken, by a conditional UPDATE, so that of several nodes one
// has it. A node that ends before it records the outcome loses nothing: the row is due
// again when its lease ends.
package queue

import (
	"context"
	"sync"
	"time"
)

// Queue takes items of the type T and handles them.
type Queue[T any] struct {
	// Take leases at most Batch items that are due.
	Take  func(ctx context.Context) ([]T, error)
	Batch int
	// Handle handles an item and records the outcome. Its context is not cancelled with
	// that of Step: what is cut off may have succeeded, and would be done twice.
	Handle func(ctx context.Context, item T)
}

// Step takes the items that are due, at most Batch, handles them concurrently and returns
// how many there were. The error is that of Take.
func (q Queue[T]) Step(ctx context.Context) (int, error) {
	items, err := q.Take(ctx)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	for _, item := range items {
		all.Go(func() { q.Handle(context.WithoutCancel(ctx), item) })
	}
	all.Wait()
	return len(items), nil
}

// Drain repeats Step while there are probably more items, until the context ends.
func (q Queue[T]) Drain(ctx context.Context) error {
	for ctx.Err() == nil {
		if n, err := q.Step(ctx); err != nil || n < q.Batch {
			return err
		}
	}
	return nil
}

// Poll calls do, and again after each pause, until the context ends; it then returns the
// context's error. failed gets the errors of do before that.
func Poll(ctx context.Context, pause time.Duration, do func(context.Context) error, failed func(error)) error {
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		if !wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// wait reports whether the pause ended before the context did.
func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
