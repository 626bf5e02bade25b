package store

import (
	"context"
	"sync"
	"time"

	"github.com/jotgate/jotgate/metrics"
)

// What a Store counts, and what it reads for those who watch it.

// observe records the duration of an operation that began at this time.
func (s *Store) observe(operation string, began time.Time) {
	s.driver.Metrics.Observe(metrics.DBQueries, s.driver.Now().Sub(began), operation)
}

// meter reads figures from the database when the metrics are read. It does so at
// most once in meterAge, and counts sessions once a minute, so that it costs little
// however many ask.
type meter struct {
	db *Store

	mu      sync.Mutex
	asked   time.Time // when figures were last read
	counted time.Time // when sessions were
	figures figures
}

const (
	meterAge   = 10 * time.Second
	countEvery = time.Minute
	upTimeout  = time.Second
	// maxCounted bounds what is counted row by row.
	maxCounted = 100_000
	// A counter of failures delays logins with this many, and for this long after the
	// newest, unless the program has changed the defaults of throttle.Lockout.
	delayingFailures = 5
	delayingTime     = 15 * time.Minute
)

// figures is what a meter has read.
type figures struct {
	up       bool
	outbox   []waiting
	lockouts int64
	sessions int64
	known    bool // the figures were read at least once and the database is up
}

// waiting is the e-mails of one kind that wait to be sent.
type waiting struct {
	kind   string
	number int64
	oldest time.Time
}

// measure is a collector of package metrics.
func (m *meter) measure(ctx context.Context, set metrics.Set) {
	for name, pool := range m.db.driver.Pools() {
		set(metrics.DBMaxConns, float64(pool.MaxOpenConnections), name)
		set(metrics.DBOpenConns, float64(pool.OpenConnections), name)
		set(metrics.DBUsedConns, float64(pool.InUse), name)
		set(metrics.DBIdleConns, float64(pool.Idle), name)
		set(metrics.DBWaits, float64(pool.WaitCount), name)
		set(metrics.DBWaitTime, pool.WaitDuration.Seconds(), name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.read(ctx)
	if !m.figures.up {
		set(metrics.DBUp, 0)
		return
	}
	set(metrics.DBUp, 1)
	if !m.figures.known {
		return
	}
	set(metrics.Sessions, float64(m.figures.sessions))
	set(metrics.Lockouts, float64(m.figures.lockouts))
	for _, w := range m.figures.outbox {
		set(metrics.OutboxPending, float64(w.number), w.kind)
		set(metrics.OutboxOldest, max(0, m.db.driver.Now().Sub(w.oldest).Seconds()), w.kind)
	}
}

// read asks the database whether it responds, and reads the figures if they are
// older than meterAge. A database that does not respond is asked nothing else.
func (m *meter) read(ctx context.Context) {
	if m.figures.up = m.responds(ctx); !m.figures.up {
		m.figures.known = false
		return
	}
	now := m.db.driver.Now()
	if m.figures.known && now.Sub(m.asked).Abs() < meterAge {
		return
	}
	sessions, count := m.figures.sessions, !m.figures.known || now.Sub(m.counted).Abs() >= countEvery
	err := m.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		if m.figures.outbox, err = all(ctx, q, scanWaiting,
			"SELECT kind, COUNT(*), MIN(created) FROM jotgate_outbox GROUP BY kind"); err != nil {
			return err
		}
		if _, err = one(ctx, q, []any{&m.figures.lockouts}, `SELECT COUNT(*) FROM
(SELECT 1 FROM jotgate_failure WHERE latest > $1 AND count >= $2 LIMIT 10000) AS f`, now.Add(-delayingTime).UnixMicro(), delayingFailures); err != nil {
			return err
		}
		if count {
			sessions, err = m.countSessions(ctx, q, now)
		}
		return err
	})
	m.figures.known = err == nil
	if m.asked = now; count && err == nil {
		m.counted, m.figures.sessions = now, sessions
	}
}

func scanWaiting(rows rowScanner) (w waiting, err error) {
	err = rows.Scan(&w.kind, &w.number, instant{&w.oldest})
	return w, err
}

// responds reports whether a query succeeds within upTimeout.
func (m *meter) responds(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	return m.db.driver.Read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{new(int)}, "SELECT 1")
		return err
	}) == nil
}

// countSessions counts the sessions that have not ended, up to maxCounted. If there
// are more, it returns the estimate of the database's statistics, if there is one.
func (m *meter) countSessions(ctx context.Context, q Queryer, now time.Time) (n int64, err error) {
	_, err = one(ctx, q, []any{&n}, `SELECT COUNT(*) FROM
(SELECT 1 FROM jotgate_session WHERE ended IS NULL AND expires > $1 LIMIT $2) AS s`, now.UnixMicro(), maxCounted)
	if err != nil || n < maxCounted || m.db.driver.Estimate == "" {
		return n, err
	}
	var estimate *int64
	if _, err = one(ctx, q, []any{&estimate}, m.db.driver.Estimate, "jotgate_session"); err == nil && estimate != nil {
		n = max(n, *estimate)
	}
	return n, err
}
