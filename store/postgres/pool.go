package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store"
)

// pool holds the connections and what is known about their health.
type pool struct {
	db  *sql.DB
	now func() time.Time // the real clock, regardless of Options.Now
	log *slog.Logger
	*address
	migrationTimeout time.Duration
	progress         func(doing string)
	made             bool // this program has made the user table; set before the pool is shared
	// pooled is set once a pooler was found between this process and the
	// server. It is never reset.
	pooled atomic.Bool
	// examined is set when the first connection has shown what the server is
	// like: see examine. Until then there may be a pooler.
	examined atomic.Bool
	// silent is set once the server was found to have no announcements. It is
	// never reset.
	silent atomic.Bool
	// lost is when a connection was last found broken, in nanoseconds of Unix
	// time: connections last checked before are checked before their next use.
	lost atomic.Int64
	// readOnly is when a new connection was last read-only. No other one is
	// opened for retryWriter only to find a server that can be written.
	readOnly atomic.Int64
	capacity capacity
	// repeating has room for the one operation that is repeated after a conflict
	// with other transactions.
	repeating chan struct{}
	metrics   *metrics.Registry
}

// A connection that was not checked for longer than checkEvery, or that was
// last checked before another one was lost, is checked before its next use and
// must respond within checkTimeout.
const (
	checkEvery   = time.Second
	checkTimeout = 500 * time.Millisecond
	retryWriter  = 250 * time.Millisecond
)

// newPool returns a pool that opens connections when they are needed.
func newPool(a *address, options Options) *pool {
	p := &pool{
		address: a, now: time.Now, log: options.Logger, repeating: make(chan struct{}, 1),
		migrationTimeout: options.MigrationTimeout, progress: options.Progress, metrics: options.Metrics,
	}
	p.pooled.Store(a.pooler)
	p.config.DialFunc = p.dial(p.config.DialFunc)
	p.db = sql.OpenDB(connector{
		pool: p, writable: p.connector(pgconn.ValidateConnectTargetSessionAttrsReadWrite), any: p.connector(a.config.ValidateConnect),
	})
	p.capacity.max = options.MaxConns
	p.resize(options.MaxConns)
	p.db.SetConnMaxIdleTime(5 * time.Minute)
	p.db.SetConnMaxLifetime(time.Hour)
	return p
}

// connector prefers a server that can be written: of several hosts in the
// address, or of several servers behind one. If there is none, reads still
// work.
type connector struct {
	pool          *pool
	writable, any driver.Connector
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx = opening(ctx)
	conn, err := c.pool.open(ctx, c.writable)
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return c.any.Connect(ctx)
	}
	return conn, err
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.any.Driver() }

func (p *pool) connector(validate pgconn.ValidateConnectFunc) driver.Connector {
	config := p.config.Copy()
	if p.config.ValidateConnect == nil {
		config.ValidateConnect = validate
	} // otherwise the address says which servers to use (target_session_attrs)
	return stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(p.prepare), stdlib.OptionAfterConnect(p.greet),
		stdlib.OptionResetSession(p.check), stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
}

// connect opens a connection outside the pool.
func (p *pool) connect(ctx context.Context) (*pgx.Conn, error) {
	config := p.config.Copy()
	_ = p.prepare(ctx, config)
	conn, err := pgx.ConnectConfig(opening(ctx), config)
	if err != nil {
		return nil, err
	}
	return conn, p.greet(ctx, conn)
}

// prepare runs before each connection is opened.
func (p *pool) prepare(_ context.Context, config *pgx.ConnConfig) error {
	if !p.pooled.Load() {
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	}
	return nil
}

// facts is what a connection's CustomData holds under the key "jotgate".
type facts struct {
	checked  time.Time
	prepares bool // sends named prepared statements, which a pooler loses
}

func factsOf(conn *pgx.Conn) *facts {
	data := conn.PgConn().CustomData()
	f, ok := data["jotgate"].(*facts)
	if !ok {
		f = &facts{}
		data["jotgate"] = f
	}
	return f
}

// greet examines a new connection. Behind a pooler the process that announced
// itself at the login is not the one that runs the statements, and no state of
// a session may be relied on: neither settings nor prepared statements, LISTEN
// and locks of a session. If greet returns an error, the connection is closed.
func (p *pool) greet(ctx context.Context, conn *pgx.Conn) (err error) {
	defer func() {
		if err != nil {
			closeConn(ctx, conn)
		}
	}()
	f := factsOf(conn)
	f.prepares = !p.pooled.Load()
	pid, readOnly, err := ask(ctx, conn.PgConn())
	if err != nil {
		return err
	}
	p.noteMode(readOnly)
	f.checked = p.now()
	direct := isDirect(conn, pid)
	if !direct {
		p.notePooler(ctx)
		if f.prepares {
			return driver.ErrBadConn // database/sql opens another one
		}
	}
	if err := p.examine(ctx, conn); err != nil || !direct {
		return err
	}
	return p.configure(ctx, conn.PgConn())
}

// notePooler records that there is a pooler.
func (p *pool) notePooler(ctx context.Context) {
	if !p.pooled.Swap(true) {
		p.log.InfoContext(ctx, "there is a connection pooler before PostgreSQL: jotgate uses no session state", "address", p.where())
	}
}

// ask returns the server's process and whether it refuses writes.
func ask(ctx context.Context, conn *pgconn.PgConn) (pid string, readOnly bool, err error) {
	result, err := conn.Exec(ctx, "SELECT pg_backend_pid(), current_setting('transaction_read_only')").ReadAll()
	if err != nil {
		return "", false, err
	}
	row := result[0].Rows[0]
	return string(row[0]), string(row[1]) == "on", nil
}

// configure sets the settings of a session on the server itself.
func (p *pool) configure(ctx context.Context, conn *pgconn.PgConn) error {
	text, values := set(p.settings, false)
	return conn.ExecParams(ctx, text, values, nil, nil, nil).Read().Err
}

// check runs before a connection is used again. If it returns ErrBadConn,
// database/sql takes another connection.
func (p *pool) check(ctx context.Context, conn *pgx.Conn) error {
	p.grow(growEvery)
	f, now := factsOf(conn), p.now()
	if f.prepares && p.pooled.Load() {
		return driver.ErrBadConn
	}
	if now.Sub(f.checked) <= checkEvery && f.checked.UnixNano() > p.lost.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	_, readOnly, err := ask(ctx, conn.PgConn())
	if err != nil || readOnly && p.mayBeWritable() {
		return driver.ErrBadConn
	}
	f.checked = now
	return nil
}

// noteMode records what a new connection is like.
func (p *pool) noteMode(readOnly bool) {
	if readOnly {
		p.readOnly.Store(p.now().UnixNano())
	}
}

// mayBeWritable reports that a new connection may reach a server that accepts
// writes, unlike the present ones: the last attempt was not just now.
func (p *pool) mayBeWritable() bool { return p.now().UnixNano()-p.readOnly.Load() > int64(retryWriter) }

// closeConn ends a connection, also if ctx is done.
func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// read is store.Driver.Read.
func (p *pool) read(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	return p.retry(ctx, func() (bool, error) { return true, do(ctx, p.db) })
}

// write is store.Driver.Write.
func (p *pool) write(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	return p.retry(ctx, func() (bool, error) { return p.once(ctx, do) })
}

// once runs one transaction, and reports whether it is certain that a failed
// one was not committed.
func (p *pool) once(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) (undone bool, err error) {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return true, err
	}
	if err = p.limit(ctx, tx); err == nil {
		err = do(ctx, tx)
	}
	if err != nil {
		_ = tx.Rollback()
		return true, err
	}
	err = tx.Commit()
	return aborted(err), err
}

// limit sets the timeouts of a transaction. Without a pooler the session has
// them.
func (p *pool) limit(ctx context.Context, tx *sql.Tx) error {
	if !p.pooled.Load() {
		return nil
	}
	text, values := set(map[string]string{
		statementTimeout: p.settings[statementTimeout], lockTimeout: p.settings[lockTimeout], idleTimeout: p.settings[idleTimeout],
	}, true)
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	_, err := tx.ExecContext(ctx, text, args...)
	return err
}
