// Package postgres opens a store in a PostgreSQL database, version 13 or newer.
//
// Call [Open], pass the store to jotgate.New, and close it at the end of the program:
//
//	db, err := postgres.Open(ctx, "postgres://jotgate:…@db.example.com/site?sslmode=verify-full", postgres.Options{})
//	defer db.Close()
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//
// The tables are created if they do not exist, and Django's tables are used if they
// exist. Django and any number of jotgate nodes may use the same database concurrently.
// The zero Options are the safe choice; encrypt the connection with sslmode=verify-full
// unless the server is on the same machine.
//
// # How it is tuned
//
// The pool has at most Options.MaxConns connections through pgx and database/sql, each
// with a statement timeout and a lock timeout. When one connection is found broken or
// read-only, the others are checked before their next use. If the server restarts, or
// its standby is promoted, only the requests at that moment get ErrUnavailable. A
// transaction that PostgreSQL has aborted (deadlock, serialization) is repeated. A
// connection pooler is detected; behind one, no state of a session is used.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/internal/migration"
)

// Options configure Open. The zero value is the safe choice.
type Options struct {
	// Schema names the tables of the users. Default: Django's auth_user.
	Schema store.Schema
	// MaxConns is the maximum number of connections in the pool. Default: the
	// parameter connection_limit of the dsn, or 16.
	MaxConns int
	// ConnectTimeout limits how long connecting may take. Default: 3 seconds.
	ConnectTimeout time.Duration
	// StatementTimeout and LockTimeout limit how long a statement may run, and how
	// long it may wait for a lock, as PostgreSQL's settings of the same names. An
	// operation may last store.Timeout, or StatementTimeout if that is longer.
	// Default: 5 seconds, 3 seconds.
	StatementTimeout, LockTimeout time.Duration
	// MigrationTimeout limits how long Open waits for another node that
	// migrates the database, and for statements that block a migration.
	// Default: 60 seconds.
	MigrationTimeout time.Duration
	// Logger receives what Open waits for, which parameters of the dsn are ignored,
	// and whether there is a connection pooler. Default: slog.Default().
	Logger *slog.Logger
	// Metrics counts the operations of the Store. Default: none.
	Metrics *metrics.Registry
	// Progress is called when Open begins a step, with a text that may be public,
	// such as "waiting for another node that migrates the database". Default: none.
	Progress func(doing string)
	// Now is the clock, for tests. Default: time.Now.
	Now func() time.Time
	// Inspect opens the database without creating or migrating anything, and
	// without an error for missing tables. Only Store.Facts may be used then.
	Inspect bool
}

// oldest is the oldest server version with which jotgate was tested, as
// server_version_num.
const oldest = 130000

// Open connects to the database, checks the version of the server and, unless
// options.Inspect is set, creates and migrates the tables. dsn is a URL or key=value
// pairs, as in libpq. Parameters that hosting platforms add for other programs are
// understood or ignored (docs/high-availability.md). The caller closes the store. An
// error says in one sentence what is wrong; it is jotgate.ErrUnavailable if the problem
// may be temporary.
func Open(ctx context.Context, dsn string, options Options) (*store.Store, error) {
	a, err := parseAddress(dsn, &options)
	if err != nil {
		return nil, err
	}
	p := newPool(a, options)
	s, err := open(ctx, p, options)
	if err != nil {
		return nil, errors.Join(temporary(explain(a.config, err)), p.db.Close())
	}
	return s, nil
}

func open(ctx context.Context, p *pool, options Options) (*store.Store, error) {
	p.progress("connecting to the database")
	if err := p.probe(ctx); err != nil {
		return nil, err
	}
	if err := p.probeAnnouncements(ctx); err != nil {
		return nil, err
	}
	if !options.Inspect {
		if err := migrate(ctx, p, options.Schema.Resolve()); err != nil {
			return nil, err
		}
	}
	return store.New(ctx, newDriver(p, &options), options.Schema, options.Inspect)
}

// checkVersion rejects a server older than the tested ones; number is its
// server_version_num.
func checkVersion(number int, text string) error {
	if number < oldest {
		return fmt.Errorf("the server is PostgreSQL %s: jotgate needs 13 or newer", text)
	}
	return nil
}

// rights is store.Driver.Rights.
func rights(users string) []string {
	return []string{
		"INSERT INTO jotgate_session SELECT * FROM jotgate_session WHERE FALSE",
		`WITH e AS (INSERT INTO jotgate_event (made, event) SELECT 0, '' WHERE FALSE RETURNING 1)
UPDATE jotgate_session AS s SET jti = s.jti FROM ` + identifier(users) + " WHERE FALSE",
	}
}

// capacityProbe is store.Driver.Capacity. The text cannot be compressed.
var capacityProbe = []string{
	`INSERT INTO jotgate_setting (name, value) SELECT 'capacity', string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 2000)
ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`,
	"DELETE FROM jotgate_setting WHERE name = 'capacity'",
}

// newDriver returns the store.Driver of PostgreSQL.
func newDriver(p *pool, options *Options) store.Driver {
	return store.Driver{
		Name: "postgres", Pending: migration.Pending(files, dialect), Read: p.read, Write: p.write, Locks: true, Timeout: options.StatementTimeout, Now: options.Now,
		Time:    func(t time.Time) any { return t.UTC().Truncate(time.Microsecond) },
		UUID:    func(s string) any { return s },
		Columns: columns,
		Rules:   rules,
		References: `SELECT r.relname, a.attname, a.attnotnull FROM pg_constraint AS c
JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = to_regclass(quote_ident($1)) AND pg_table_is_visible(r.oid) ORDER BY 1, 2`,
		Index:    "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1)) AND indisvalid",
		Trigrams: "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('jotgate_user_trigrams') AND indisvalid AND indrelid = to_regclass(quote_ident($1))",
		Estimate: "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(quote_ident($1)) AND reltuples >= 0",
		Notify:   p.notify(),
		Clock:    clock, Later: "GREATEST",
		Horizon: `SELECT (SELECT system_identifier FROM pg_control_system()) || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '-' || epoch,
txid_current_snapshot()::text, ` + clock + ` FROM jotgate_epoch`,
		Transaction: "txid",
		Unseen: `txid >= $1 AND txid < $3 AND NOT txid_visible_in_snapshot(txid, $2::text::txid_snapshot)
AND txid_visible_in_snapshot(txid, $4::text::txid_snapshot)`,
		InForce:  `$5::bigint > 0 AND (txid_visible_in_snapshot(txid, $1::text::txid_snapshot) OR txid >= txid_snapshot_xmax(txid_current_snapshot()))`,
		Taken:    func(err error) bool { return code(err) == "23505" || code(err) == "23P01" },
		Rejected: isRejected,
		Cast:     "SELECT CAST($1::text AS %s) IS NULL",
		Violated: violated,
		Referred: func(err error) bool { return code(err) == "23503" },
		Explain:  func(err error) error { return explain(p.config, err) },
		Watch:    p.watch,
		Facts:    p.describe,
		Touch:    "SELECT 1 FROM jotgate_epoch FOR UPDATE",
		Rights:   rights(options.Schema.Resolve().Users),
		Capacity: capacityProbe,
		Full:     func(err error) bool { return code(err) == "53100" },
		Reason:   reason,
		Pools:    func() map[string]sql.DBStats { return map[string]sql.DBStats{"postgres": p.db.Stats()} },
		Metrics:  p.metrics,
		Close:    p.db.Close,
	}
}

// columns is store.Driver.Columns.
//
// A domain is shown as its type, and may forbid NULL as the column may. NULL is
// no value that every account can have if a unique index takes it for equal.
const columns = `SELECT named.value, attname, CASE typtype WHEN 'd' THEN format_type(typbasetype, typtypmod) ELSE format_type(atttypid, atttypmod) END,
(attnotnull OR typnotnull OR EXISTS (SELECT 1 FROM pg_index AS i WHERE indrelid = attrelid AND indisunique AND attnum = ANY (indkey) AND to_jsonb(i)->>'indnullsnotdistinct' = 'true'))
AND NOT atthasdef AND attidentity = '' AND typdefault IS NULL, NOT (attnotnull OR typnotnull)
FROM json_array_elements_text(CAST(CAST($1 AS text) AS json)) AS named JOIN pg_attribute ON attrelid = to_regclass(quote_ident(named.value))
JOIN pg_type AS t ON t.oid = atttypid WHERE attnum > 0 AND NOT attisdropped ORDER BY named.value, attnum`

// clock is the server's current time in microseconds, not the time at which
// the transaction began.
const clock = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint"

// isRejected is store.Driver.Rejected: data exceptions, violated constraints,
// and what a trigger of the site's raises.
func isRejected(err error) bool {
	c := code(err)
	return strings.HasPrefix(c, "22") || strings.HasPrefix(c, "23") || c == "P0001"
}

// violated is store.Driver.Violated.
func violated(err error) []string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return nil
	}
	return []string{e.ConstraintName}
}

// code returns PostgreSQL's SQLSTATE, or "".
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// explain is store.Driver.Explain.
func explain(config *pgx.ConnConfig, err error) error {
	where := where(config)
	switch c := code(err); {
	case strings.HasPrefix(c, "28"):
		return fmt.Errorf("%s refuses the user %s: %w", where, config.User, err)
	case c == "3D000":
		return fmt.Errorf("%s has no database %s, create it first: %w", where, config.Database, err)
	case c == "42501":
		return fmt.Errorf("%s does not allow the user %s to do this: %w", where, config.User, err)
	case c == "53100":
		return fmt.Errorf("%s has no room left on its disk: %w", where, err)
	case c == "25006":
		return fmt.Errorf("%s is read-only: %w", where, err)
	case c == "08P01" && strings.Contains(err.Error(), "startup parameter"):
		return fmt.Errorf("the connection pooler at %s refuses a parameter of the address: set it with ALTER ROLE: %w", hosts(config), err)
	case statementMode(err):
		return fmt.Errorf("the connection pooler at %s is in statement mode, which has no transactions: set pool_mode = transaction: %w",
			hosts(config), err)
	case passing(err):
		return fmt.Errorf("%s cannot be used now: %w", where, err)
	}
	return err
}

// passing reports whether an error may be temporary: no connection, a server
// that starts or stops or is read-only, no resources (SQLSTATE 25006, classes
// 08, 53, 57).
func passing(err error) bool {
	if statementMode(err) {
		return false
	}
	var connect *pgconn.ConnectError
	c := code(err)
	return c == "" && errors.As(err, &connect) || c == "25006" || strings.HasPrefix(c, "08") || strings.HasPrefix(c, "53") || strings.HasPrefix(c, "57")
}

// temporary turns such errors into ErrUnavailable.
func temporary(err error) error {
	var refusal *jotgate.Error
	if !passing(err) || errors.As(err, &refusal) {
		return err
	}
	return jotgate.ErrUnavailable.Because(err)
}

// rules is store.Driver.Rules.
const rules = `SELECT TRUE, c.relname, COALESCE(a.attname, ''), pg_get_indexdef(i.indexrelid) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) AS k(n) LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.n AND k.n > 0
WHERE i.indrelid = to_regclass(quote_ident($1)) AND (i.indisunique OR i.indisexclusion)
UNION ALL SELECT FALSE, '', attname, COALESCE((SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), '')
FROM pg_attribute JOIN pg_type AS t ON t.oid = atttypid WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND typtype IN ('d', 'e')
UNION ALL SELECT FALSE, r.relname, a.attname, '' FROM pg_constraint AS f JOIN pg_class AS r ON r.oid = f.confrelid
JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) WHERE f.contype = 'f' AND f.conrelid = to_regclass(quote_ident($1))
UNION ALL SELECT FALSE, '', '', pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = to_regclass(quote_ident($1))`
