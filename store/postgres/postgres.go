// Package postgres opens a store in a PostgreSQL database, 13 or newer:
//
//	db, err := postgres.Open(ctx, "postgres://jotgate:…@db.example.com/site", postgres.Options{})
//
// The tables are made when they are absent and adopted when a Django made
// them; a Django and any number of jotgate nodes may use them side by side.
//
// # How it is tuned
//
// At most Options.MaxConns connections through pgx and database/sql, each with
// a statement and a lock timeout. A connection that was lost is noticed before
// the next use of its neighbours, so that a restart of the server costs the
// requests of that moment an ErrUnavailable and no more. Transactions that
// PostgreSQL gave up (deadlock, serialization) are run again.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// Options are the choices of Open. The zero value is the usual one.
type Options struct {
	// Schema says where the users are. Default: Django's auth_user.
	Schema store.Schema
	// MaxConns is how many connections the pool may hold. Default: 16.
	MaxConns int
	// ConnectTimeout is how long connecting may take. Default: 3 seconds.
	ConnectTimeout time.Duration
	// StatementTimeout and LockTimeout are PostgreSQL's settings of these
	// names. Default: 5 seconds, 3 seconds.
	StatementTimeout, LockTimeout time.Duration
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Inspect opens the database as it is: nothing is made or migrated, and
	// missing tables are no error. Only Store.Facts is of use then.
	Inspect bool
}

// oldest is the first server version that jotgate was tried with, as
// server_version_num has it.
const oldest = 130000

// Open connects, checks the version and unless options.Inspect migrates. An
// error is one sentence about what is wrong; it is jotgate.ErrUnavailable when
// it may go away by itself. dsn is a URL or key=value pairs, as libpq takes
// them.
func Open(ctx context.Context, dsn string, options Options) (*store.Store, error) {
	config, err := configure(dsn, &options)
	if err != nil {
		return nil, err
	}
	p := newPool(config, options)
	s, err := open(ctx, p, options)
	if err != nil {
		return nil, errors.Join(temporary(explain(config, err)), p.db.Close())
	}
	return s, nil
}

func open(ctx context.Context, p *pool, options Options) (*store.Store, error) {
	var version int
	var text string
	row := p.db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_version')")
	if err := row.Scan(&version, &text); err != nil {
		return nil, err
	}
	if err := checkVersion(version, text); err != nil {
		return nil, err
	}
	if !options.Inspect {
		if err := migrate(ctx, p.config, options.Schema.Resolve()); err != nil {
			return nil, err
		}
	}
	return store.New(ctx, newDriver(p, options.Now), options.Schema, options.Inspect)
}

// checkVersion refuses a server older than the ones that were tried; number is
// its server_version_num.
func checkVersion(number int, text string) error {
	if number < oldest {
		return fmt.Errorf("the server is PostgreSQL %s: jotgate needs 13 or newer", text)
	}
	return nil
}

// configure reads the address and fills in the defaults.
func configure(dsn string, o *Options) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the database address cannot be read: %w", err) // pgx leaves the password out
	}
	setDefault(&o.MaxConns, 16)
	setDefault(&o.ConnectTimeout, 3*time.Second)
	setDefault(&o.StatementTimeout, store.Timeout)
	setDefault(&o.LockTimeout, 3*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if config.ConnectTimeout == 0 || config.ConnectTimeout > o.ConnectTimeout {
		config.ConnectTimeout = o.ConnectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    "jotgate",
		"statement_timeout":                   milliseconds(o.StatementTimeout),
		"lock_timeout":                        milliseconds(o.LockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(2 * o.StatementTimeout),
	} {
		if _, given := config.RuntimeParams[name]; !given {
			config.RuntimeParams[name] = value
		}
	}
	return config, nil
}

func setDefault[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// newDriver is PostgreSQL as package store wants it.
func newDriver(p *pool, now func() time.Time) store.Driver {
	return store.Driver{
		Name: "postgres", Read: p, Write: p.write, Locks: true, Now: now,
		Time: func(t time.Time) any { return t.UTC().Truncate(time.Microsecond) },
		UUID: func(s string) any { return s },
		Columns: `SELECT attname, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef AND attidentity = ''
FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
		References: `SELECT r.relname, a.attname, a.attnotnull FROM pg_constraint AS c
JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = to_regclass(quote_ident($1)) AND pg_table_is_visible(r.oid) ORDER BY 1, 2`,
		Index:    "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1)) AND indisvalid",
		Estimate: "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(quote_ident($1)) AND reltuples >= 0",
		Notify:   "SELECT pg_notify('" + channel + "', '')",
		Clock:    clock, Later: "GREATEST",
		Horizon: `SELECT (SELECT system_identifier FROM pg_control_system()) || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '-' || epoch,
txid_current_snapshot()::text, ` + clock + ` FROM jotgate_epoch`,
		Transaction: "txid",
		Unseen: `txid >= $1 AND txid < $3 AND NOT txid_visible_in_snapshot(txid, $2::text::txid_snapshot)
AND txid_visible_in_snapshot(txid, $4::text::txid_snapshot)`,
		InForce:  `$5::bigint > 0 AND (txid_visible_in_snapshot(txid, $1::text::txid_snapshot) OR txid >= txid_snapshot_xmax(txid_current_snapshot()))`,
		Taken:    func(err error) bool { return code(err) == "23505" },
		Referred: func(err error) bool { return code(err) == "23503" },
		Explain:  func(err error) error { return explain(p.config, err) },
		Watch:    func(ctx context.Context, changed func()) error { return watch(ctx, p.config, changed) },
		Close:    p.db.Close,
	}
}

// clock is the server's clock in microseconds, as it is and not as it was when
// the transaction began.
const clock = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"

// code is PostgreSQL's SQLSTATE, or "".
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// explain is store.Driver.Explain.
func explain(config *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("PostgreSQL at %s:%d", config.Host, config.Port)
	switch c := code(err); {
	case strings.HasPrefix(c, "28"):
		return fmt.Errorf("%s refuses the user %s: %w", where, config.User, err)
	case c == "3D000":
		return fmt.Errorf("%s has no database %s, create it first: %w", where, config.Database, err)
	case c == "42501":
		return fmt.Errorf("%s does not allow the user %s to do this: %w", where, config.User, err)
	case c == "53100":
		return fmt.Errorf("%s has no room left on its disk: %w", where, err)
	case passing(err):
		return fmt.Errorf("%s cannot be used now: %w", where, err)
	}
	return err
}

// passing reports an error that may go away by itself: no connection, a server
// that starts or stops, no resources (SQLSTATE classes 08, 53, 57).
func passing(err error) bool {
	var connect *pgconn.ConnectError
	c := code(err)
	return c == "" && errors.As(err, &connect) || strings.HasPrefix(c, "08") || strings.HasPrefix(c, "53") || strings.HasPrefix(c, "57")
}

// temporary marks such errors as ErrUnavailable.
func temporary(err error) error {
	var refusal *jotgate.Error
	if !passing(err) || errors.As(err, &refusal) {
		return err
	}
	return jotgate.ErrUnavailable.Because(err)
}

// newDB opens a database/sql pool; check looks at a connection before it is
// used again.
func newDB(config *pgx.ConnConfig, limit int, check func(context.Context, *pgx.Conn) error) *sql.DB {
	db := stdlib.OpenDB(*config, stdlib.OptionResetSession(check),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
	db.SetMaxOpenConns(limit)
	db.SetMaxIdleConns(limit)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return db
}
