package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A conflict with other transactions is repeated until the context ends, any
// other failure a few times.
func TestRetry(t *testing.T) {
	for name, c := range map[string]struct {
		code     string
		failures int // before the first success
		want     int // attempts; 0 if the context ends
	}{
		"no failure":                     {"40001", 0, 1},
		"many conflicts":                 {"40001", 50, 51},
		"many deadlocks":                 {"40P01", 50, 51},
		"nothing but conflicts":          {"40001", 1 << 30, 0},
		"a lost connection":              {"08006", tries - 1, tries},
		"nothing but lost connections":   {"08006", 1 << 30, tries},
		"an error that cannot be helped": {"42703", 1 << 30, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				p := &pool{now: time.Now, repeating: make(chan struct{}, 1)}
				attempts := 0
				err := p.retry(ctx, func() (bool, error) {
					if attempts++; attempts > c.failures {
						return false, nil
					}
					return true, &pgconn.PgError{Code: c.code}
				})
				if succeeds := c.want == c.failures+1; (err == nil) != succeeds {
					t.Errorf("error %v", err)
				}
				if ended := ctx.Err() != nil; ended != (c.want == 0) || !ended && attempts != c.want {
					t.Errorf("%d attempts, the context ended: %v; want %d", attempts, ended, c.want)
				}
				if len(p.repeating) != 0 {
					t.Error("the place for the next one is still taken")
				}
			})
		})
	}
}

// Operations in conflict are repeated one at a time.
func TestRetryOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pool{now: time.Now, repeating: make(chan struct{}, 1)}
		var running, most atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				first := true
				err := p.retry(t.Context(), func() (bool, error) {
					if first {
						first = false
						return true, &pgconn.PgError{Code: "40001"}
					}
					most.Store(max(most.Load(), running.Add(1)))
					time.Sleep(time.Millisecond)
					running.Add(-1)
					return true, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() != 1 {
			t.Errorf("%d at a time", most.Load())
		}
	})
}

// Waiting for another operation ends with the context.
func TestRetryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pool{now: time.Now, repeating: make(chan struct{}, 1)}
		p.repeating <- struct{}{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		conflict := &pgconn.PgError{Code: "40001"}
		if err := p.retry(ctx, func() (bool, error) { return true, conflict }); !errors.Is(err, conflict) || ctx.Err() == nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
	})
}
