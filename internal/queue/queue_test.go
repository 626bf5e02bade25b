package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Drain takes until a batch is not full, and handles each item once. What is being
// handled is not cancelled.
func TestDrain(t *testing.T) {
	items := []int{1, 2, 3, 4, 5, 6, 7}
	var mu sync.Mutex
	var handled []int
	ctx, cancel := context.WithCancel(t.Context())
	taken := 0
	q := Queue[int]{
		Batch: 3,
		Take: func(context.Context) ([]int, error) {
			n := min(3, len(items))
			batch := items[:n]
			items, taken = items[n:], taken+1
			return batch, nil
		},
		Handle: func(ctx context.Context, item int) {
			mu.Lock()
			defer mu.Unlock()
			if handled = append(handled, item); item == 7 {
				cancel()
			}
			if ctx.Err() != nil {
				t.Error(ctx.Err())
			}
		},
	}
	if err := q.Drain(ctx); err != nil || taken != 3 || len(handled) != 7 {
		t.Errorf("%d batches, %v, %v", taken, handled, err)
	}
	slices.Sort(handled)
	if !slices.Equal(handled, []int{1, 2, 3, 4, 5, 6, 7}) {
		t.Error(handled)
	}
	if err := q.Drain(ctx); err != nil || taken != 3 {
		t.Errorf("%d batches after the context ended, %v", taken, err)
	}
	failed := errors.New("failed")
	q.Take = func(context.Context) ([]int, error) { return nil, failed }
	if err := q.Drain(t.Context()); !errors.Is(err, failed) {
		t.Error(err)
	}
}

// Poll repeats after an error, and does not report that of an end.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began, calls, failures := time.Now(), 0, 0
		err := Poll(ctx, time.Second, func(context.Context) error {
			if calls++; calls == 5 {
				cancel()
			}
			return errors.New("failed")
		}, func(error) { failures++ })
		if !errors.Is(err, context.Canceled) || calls != 5 || failures != 4 || time.Since(began) != 4*time.Second {
			t.Errorf("%d calls, %d failures, %v, %v", calls, failures, time.Since(began), err)
		}
	})
}
