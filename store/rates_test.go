package store_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// Two nodes that receive 400 requests of one client at the same time, and as many of
// others, accept at most 62 of a rate of 60.
func TestSharedRates(t *testing.T) {
	both(t, func(w *world) {
		rate := throttle.Rate{Count: 60, Period: 24 * time.Hour} // no request expires while the test runs
		ctx, cancel := context.WithCancel(w.ctx)
		var running, clients sync.WaitGroup
		var passed, others atomic.Int32
		for node := range 2 {
			counter := shared.New(store.Rates(w.open()), shared.Options{Timeout: wait.Limit})
			running.Go(func() { _ = counter.Run(ctx) })
			wait.Until(t, "the counter runs", func() bool {
				return counter.Allow("x", "", throttle.Rate{Period: time.Hour}) > 0 // a rate of 0 rejects all
			})
			for i := range 200 {
				clients.Go(func() {
					if counter.Allow("login", "192.0.2.1", rate) == 0 {
						passed.Add(1)
					}
					if counter.Allow("login", strconv.Itoa(node)+" "+strconv.Itoa(i), rate) == 0 {
						others.Add(1)
					}
				})
			}
		}
		clients.Wait()
		cancel()
		running.Wait()
		if n := passed.Load(); n < 60 || n > 62 || others.Load() != 400 {
			t.Errorf("%d accepted of one client, want 60 to 62; %d of 400 others", n, others.Load())
		}
		db := w.open()
		if n, err := store.Rates(db).Purge(w.ctx, 1000); n != 0 || err != nil {
			t.Errorf("purged %d, %v, before they expire", n, err)
		}
		if _, err := w.raw.ExecContext(w.ctx, "UPDATE jotgate_rate SET expires = 1"); err != nil {
			t.Fatal(err)
		}
		if n, err := store.Rates(db).Purge(w.ctx, 100); n != 100 || err != nil {
			t.Errorf("purged %d, %v, want 100", n, err)
		}
	})
}
