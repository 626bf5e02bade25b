package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// pool holds the connections and what is known about their health.
type pool struct {
	db     *sql.DB
	config *pgx.ConnConfig
	now    func() time.Time // the real clock, regardless of Options.Now
	// lost is when a connection was last found broken, in nanoseconds of Unix
	// time: connections last used before are checked before their next use.
	lost atomic.Int64
}

// A connection that was idle for longer than idleBeforeCheck, or that was
// last used before another one was lost, is pinged before its next use and
// must respond within checkTimeout.
const (
	idleBeforeCheck = time.Second
	checkTimeout    = 500 * time.Millisecond
)

func newPool(config *pgx.ConnConfig, options Options) *pool {
	p := &pool{config: config, now: time.Now}
	p.db = newDB(config, options.MaxConns, p.check)
	return p
}

// check runs before a connection is used again. If it returns ErrBadConn,
// database/sql takes another connection.
func (p *pool) check(ctx context.Context, conn *pgx.Conn) error {
	data, now := conn.PgConn().CustomData(), p.now()
	used, _ := data["jotgate.used"].(time.Time)
	data["jotgate.used"] = now
	if now.Sub(used) <= idleBeforeCheck && used.UnixNano() > p.lost.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if conn.Ping(ctx) != nil {
		return driver.ErrBadConn
	}
	return nil
}

// tries is how often an operation is attempted if its connection was lost
// before anything was done, or if the server aborted the transaction.
const tries = 4

// ExecContext implements store.Queryer outside a transaction.
func (p *pool) ExecContext(ctx context.Context, text string, args ...any) (result sql.Result, err error) {
	err = p.again(ctx, func() error { result, err = p.db.ExecContext(ctx, text, args...); return err })
	return result, err
}

// QueryContext implements store.Queryer outside a transaction.
func (p *pool) QueryContext(ctx context.Context, text string, args ...any) (rows *sql.Rows, err error) {
	err = p.again(ctx, func() error { rows, err = p.db.QueryContext(ctx, text, args...); return err })
	return rows, err
}

// again retries ask if the connection turns out to be broken. ask must not
// change anything.
func (p *pool) again(ctx context.Context, ask func() error) error {
	err := ask()
	for try := 1; try < tries && p.broken(ctx, err); try++ {
		err = ask()
	}
	return err
}

// broken reports whether ask may be retried because err is about the
// connection, and records the time of the failure.
func (p *pool) broken(ctx context.Context, err error) bool {
	var refusal *jotgate.Error
	if err == nil || errors.As(err, &refusal) || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	if c := code(err); c != "" && !strings.HasPrefix(c, "08") && !strings.HasPrefix(c, "57P") {
		return false
	}
	p.lost.Store(p.now().UnixNano())
	return ctx.Err() == nil // otherwise there was no response in time, and no caller waits any more
}

// write is store.Driver.Write.
func (p *pool) write(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	err := p.once(ctx, do)
	for try := 1; try < tries && ctx.Err() == nil && givenUp(err); try++ {
		time.Sleep(time.Duration(try) * 5 * time.Millisecond)
		err = p.once(ctx, do)
	}
	return err
}

// givenUp reports a transaction that PostgreSQL asks the client to retry
// (serialization_failure, deadlock_detected).
func givenUp(err error) bool {
	c := code(err)
	return c == "40001" || c == "40P01"
}

// once runs one transaction.
func (p *pool) once(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	var tx *sql.Tx
	err := p.again(ctx, func() (err error) { tx, err = p.db.BeginTx(ctx, nil); return err })
	if err != nil {
		return err
	}
	if err := do(ctx, tx); err != nil {
		_ = tx.Rollback()
		p.broken(ctx, err)
		return err
	}
	err = tx.Commit()
	p.broken(ctx, err)
	return err
}
