package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// exhaustedTexts are in the errors of servers and poolers that have no connection left
// for a client: PostgreSQL (also with SQLSTATE 53300), PgBouncer, Supavisor.
var exhaustedTexts = []string{"no more connections allowed", "too many connections", "max clients", "maxclients", "max client connections", "query_wait_timeout"}

// isExhausted reports whether a connection was refused because there are too
// many.
func isExhausted(err error) bool {
	if code(err) == "53300" { // too_many_connections
		return true
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	message := strings.ToLower(e.Message)
	for _, words := range exhaustedTexts {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// capacity adapts the size of the pool to the number of connections that the
// server or the pooler allows: others may use them as well, and it may change.
// When one more is refused, the pool is content with those that it has; it
// grows by one with each new connection, and by one every growEvery.
type capacity struct {
	mu      sync.Mutex
	max     int // Options.MaxConns
	limit   int // 0 < limit <= max
	opening int // connections that are being opened, which database/sql counts as open
	changed time.Time
}

const (
	growEvery = time.Minute
	// growTimeout is how long one more connection through a pooler may take
	// while there are others. In session mode it waits for another client's.
	growTimeout = time.Second
)

// open opens a connection for the pool.
func (p *pool) open(ctx context.Context, connector driver.Connector) (driver.Conn, error) {
	trying, cancel := ctx, context.CancelFunc(func() {})
	if p.begin() > 0 && p.pooled.Load() {
		trying, cancel = context.WithTimeout(ctx, growTimeout)
	}
	defer cancel()
	conn, err := connector.Connect(trying)
	refused := isExhausted(err) || err != nil && ctx.Err() == nil && trying.Err() != nil
	p.end(ctx, refused, err)
	if err == nil {
		p.grow(0)
	}
	return conn, err
}

// begin notes that a connection is being opened, and returns how many others
// there are.
func (p *pool) begin() (others int) {
	c := &p.capacity
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opening++
	return p.db.Stats().OpenConnections - c.opening
}

// end notes the result of opening a connection. If there was none left, the
// pool is limited to those that are open. database/sql still counts some that
// failed, so that each failure lowers the limit by one at least: never below
// the number of those that are open, because the failed one was in the limit.
func (p *pool) end(ctx context.Context, refused bool, cause error) {
	c := &p.capacity
	c.mu.Lock()
	defer c.mu.Unlock()
	others := p.db.Stats().OpenConnections - c.opening
	c.opening--
	if !refused {
		return
	}
	if c.limit == c.max && c.max > 1 {
		p.log.WarnContext(ctx, "the database allows fewer connections than jotgate may use: the pool is limited to those that are open",
			"connection_limit", c.max, "cause", cause)
	}
	c.changed = p.now()
	p.resize(min(c.limit-1, others))
}

// grow allows one more connection if the limit has not changed for the time.
func (p *pool) grow(after time.Duration) {
	c := &p.capacity
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := p.now(); c.limit < c.max && now.Sub(c.changed) >= after {
		c.changed = now
		p.resize(c.limit + 1)
	}
}

// resize sets the limit.
func (p *pool) resize(n int) {
	n = max(n, 1)
	p.capacity.limit = n
	p.db.SetMaxOpenConns(n)
	p.db.SetMaxIdleConns(n)
}
