package gauge

// The measurements that put load on the server.

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// verify measures verifying a token, without HTTP.
func (m *measurement) verify(ctx context.Context, limit time.Duration) error {
	var err error
	if m.site, err = open(ctx, m.Store, m.Hasher, m.narrow); err != nil {
		return err
	}
	if err := errors.Join(m.site.populate(ctx), m.site.enter(ctx)); err != nil {
		return err
	}
	m.Verify, err = repeat(ctx, 1, limit, func(context.Context, int) error {
		_, err := m.site.gate.VerifyAccess(m.site.tokens[0].Access)
		return err
	})
	return err
}

// checks measures the request that a proxy sends before it forwards another.
func (m *measurement) checks(ctx context.Context, limit time.Duration) (err error) {
	m.Checks, err = repeat(ctx, clients, limit, func(ctx context.Context, client int) error {
		return m.site.get(ctx, client, "/auth/check")
	})
	return err
}

// refreshes measures rotating sessions, one for each client.
func (m *measurement) refreshes(ctx context.Context, limit time.Duration) (err error) {
	m.Refreshes, err = repeat(ctx, clients, limit, m.site.refresh)
	return err
}

// reads measures one reader without other load.
func (m *measurement) reads(ctx context.Context, limit time.Duration) (err error) {
	m.Reads, err = m.site.read(ctx, limit)
	return err
}

// read measures reading the account of the first client.
func (s *site) read(ctx context.Context, limit time.Duration) (Load, error) {
	return repeat(ctx, 1, limit, func(ctx context.Context, client int) error { return s.get(ctx, client, "/auth/users/me/") })
}

// narrowFlood hashes on all processors but one, if there are several.
func (m *measurement) narrowFlood(ctx context.Context, limit time.Duration) error {
	return m.flood(ctx, m.narrow, limit)
}

// wideFlood hashes on all processors, with a new server.
func (m *measurement) wideFlood(ctx context.Context, limit time.Duration) error {
	err := m.site.close()
	if err != nil {
		return err
	}
	if m.site, err = open(ctx, m.Store, m.Hasher, m.wide); err != nil {
		return err
	}
	if err := m.site.enter(ctx); err != nil {
		return err
	}
	return m.flood(ctx, m.wide, limit)
}

// flood measures one reader while the other clients log in without pause.
func (m *measurement) flood(ctx context.Context, concurrency int, limit time.Duration) error {
	f := Flood{Concurrency: concurrency, Clients: clients - 1}
	ctx, cancel := context.WithCancel(ctx)
	var logins, refused atomic.Int64
	var failed atomic.Pointer[error]
	var running sync.WaitGroup
	began := time.Now()
	for client := 1; client < clients; client++ {
		running.Go(func() {
			for ctx.Err() == nil {
				switch ok, err := m.site.login(ctx, client); {
				case ok:
					logins.Add(1)
				case err == nil:
					refused.Add(1)
				case ctx.Err() == nil:
					failed.CompareAndSwap(nil, &err)
					return
				}
			}
		})
	}
	var err error
	if f.Reader, err = m.site.read(ctx, limit); err == nil {
		err = waitFor(ctx, &logins, int64(2*concurrency+1), &failed)
	}
	took := time.Since(began).Seconds()
	f.Logins, f.Refused = float64(logins.Load())/took, float64(refused.Load())/took
	cancel()
	running.Wait()
	if cause := failed.Load(); err == nil && cause != nil {
		err = *cause
	}
	m.Floods = append(m.Floods, f)
	return err
}

// waitFor waits until enough logins have succeeded.
func waitFor(ctx context.Context, logins *atomic.Int64, enough int64, failed *atomic.Pointer[error]) error {
	for logins.Load() < enough && failed.Load() == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// repeat lets n clients repeat the work until the time is over, each at least three
// times. The first error ends it.
func repeat(ctx context.Context, n int, limit time.Duration, work func(ctx context.Context, client int) error) (Load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, n)
	began := time.Now()
	end := began.Add(limit)
	var running sync.WaitGroup
	for client := range n {
		running.Go(func() {
			for now := time.Now(); ctx.Err() == nil && (now.Before(end) || len(took[client]) < 3); {
				if err := work(ctx, client); err != nil {
					cancel(err)
					return
				}
				next := time.Now()
				took[client] = append(took[client], next.Sub(now))
				now = next
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return Load{}, err
	}
	var all []time.Duration
	for _, list := range took {
		all = append(all, list...)
	}
	return loadOf(n, all, time.Since(began)), nil
}
