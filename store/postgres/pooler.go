package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jotgate/jotgate/store"
)

// A connection pooler (PgBouncer, RDS Proxy, Supavisor, Neon's) in transaction
// mode gives each transaction any of its connections to the server, so that
// the state of a session is lost or meets another client. jotgate then keeps
// none: timeouts are set for each transaction (pool.limit), statements are not
// prepared under a name (pool.prepare), revocations are polled and not
// listened for (watch), and migrations lock a transaction (migrate).

// set returns the statement that sets the settings for a session, or for a
// transaction if local, and its arguments.
func set(settings map[string]string, local bool) (text string, values [][]byte) {
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		values = append(values, []byte(name), []byte(settings[name]))
		calls = append(calls, fmt.Sprintf("set_config($%d, $%d, %t)", len(values)-1, len(values), local))
	}
	return "SELECT " + strings.Join(calls, ", "), values
}

// probe opens the first connection of the pool, so that greet examines the
// server.
func (p *pool) probe(ctx context.Context) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

// examine finds out, with the first connection, the server's version and which
// of the address's parameters are settings of PostgreSQL.
func (p *pool) examine(ctx context.Context, conn *pgx.Conn) error {
	if p.examined.Load() {
		return nil
	}
	if err := readVersion(ctx, conn); err != nil {
		return err
	}
	if err := p.ignoreUnknown(ctx, conn); err != nil {
		return err
	}
	if p.pooled.Load() {
		if err := p.checkSettings(ctx, conn); err != nil {
			return err
		}
	}
	p.examined.Store(true)
	return nil
}

// errNoCancel is the error of a cancel request that is not sent.
var errNoCancel = errors.New("no cancel request is sent through a connection pooler")

// openingKey is the key in the context of a connection that is opened to run statements.
type openingKey struct{}

// opening marks the context of a connection that is opened to run statements.
func opening(ctx context.Context) context.Context { return context.WithValue(ctx, openingKey{}, true) }

// dial wraps the function that opens network connections: behind a pooler, or
// where there may be one, none is opened for a cancel request, which pgx sends
// over a connection of its own when the context of a statement ends. A pooler
// gives it to the server that runs the client's statement by then: PgBouncer
// before 1.18 could cancel another client's, and 1.18 to 1.20 could end with
// "bad server state" under load (github.com/pgbouncer/pgbouncer, 717 and 822).
// The statement ends at its timeout.
func (p *pool) dial(next pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if ctx.Value(openingKey{}) == nil && (p.pooled.Load() || !p.examined.Load()) {
			return nil, errNoCancel
		}
		return next(ctx, network, address)
	}
}

// isDirect reports whether the process that runs the statements is the one
// that announced itself at the login.
func isDirect(conn *pgx.Conn, pid string) bool { return pid == fmt.Sprint(conn.PgConn().PID()) }

// readVersion checks the server's version.
func readVersion(ctx context.Context, conn *pgx.Conn) error {
	var number int
	var text string
	row := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_version')")
	if err := row.Scan(&number, &text); err != nil {
		return err
	}
	return checkVersion(number, text)
}

// ignoreUnknown drops the parameters that are not settings which a client of
// PostgreSQL can change (ssl and max_connections are settings of the server):
// they were meant for another program.
func (p *pool) ignoreUnknown(ctx context.Context, conn *pgx.Conn) error {
	unknown, err := texts(ctx, conn, `SELECT name FROM unnest($1::text[]) AS given(name) WHERE name NOT LIKE '%.%' AND (current_setting(name, true) IS NULL
OR EXISTS (SELECT 1 FROM pg_settings AS s WHERE lower(s.name) = lower(given.name) AND s.context NOT IN ('user', 'superuser')))`,
		slices.Sorted(maps.Keys(p.settings)))
	for _, name := range unknown {
		delete(p.settings, name)
	}
	if len(unknown) > 0 {
		p.log.InfoContext(ctx, "the database address has parameters that neither jotgate nor PostgreSQL knows, or that no client can set: they are ignored", "parameters", unknown)
	}
	return err
}

// checkSettings examines the settings of the address that a pooler does not
// carry to the server. A wrong search_path would make other tables of the same
// names be used; the timeouts are set by limit.
func (p *pool) checkSettings(ctx context.Context, conn *pgx.Conn) error {
	if err := p.checkPath(ctx, conn); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.settings)) {
		switch name {
		case statementTimeout, lockTimeout, idleTimeout, "search_path":
		default:
			p.log.WarnContext(ctx, "behind a connection pooler this setting of the database address has no effect: set it with ALTER ROLE", "setting", name)
		}
	}
	return nil
}

// checkPath compares the search_path of the address with the server's.
func (p *pool) checkPath(ctx context.Context, conn *pgx.Conn) error {
	path, ok := p.settings["search_path"]
	if !ok {
		return nil
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	const schemas = "SELECT current_schemas(false)"
	var have, want []string
	err = errors.Join(tx.QueryRow(ctx, schemas).Scan(&have),
		tx.QueryRow(ctx, "SELECT set_config('search_path', $1, true)", path).Scan(new(string)),
		tx.QueryRow(ctx, schemas).Scan(&want))
	if err == nil && !slices.Equal(have, want) {
		err = fmt.Errorf("behind a connection pooler the search_path %s of the address has no effect: "+
			"remove it and run ALTER ROLE … SET search_path, or connect to PostgreSQL directly", path)
	}
	return err
}

// texts returns a column of texts.
func texts(ctx context.Context, conn *pgx.Conn, text string, args ...any) ([]string, error) {
	rows, err := conn.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// describe returns facts for the doctor: which server this is, whether there
// is a pooler before it, and in which mode that works.
func (p *pool) describe(ctx context.Context) ([]store.Fact, error) {
	trying, cancel := ctx, context.CancelFunc(func() {})
	if p.pooled.Load() {
		trying, cancel = context.WithTimeout(ctx, 2*growTimeout)
	}
	defer cancel()
	conn, err := p.connect(trying)
	if p.pooled.Load() && noneLeft(ctx, err) {
		return []store.Fact{{About: "connection", Found: "through a connection pooler, which has one connection only, at " + hosts(p.config), Fix: "raise its default_pool_size"}}, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeConn(ctx, conn)
	version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	f := store.Fact{OK: true, About: "connection", Found: fmt.Sprintf("directly to PostgreSQL %s at %s", version, hosts(p.config))}
	if p.pooled.Load() {
		mode, err := p.mode(ctx, conn)
		if err != nil {
			return nil, err
		}
		f.Found = fmt.Sprintf("through %s, %s, at %s (PostgreSQL %s)", p.poolerName(ctx), mode, hosts(p.config), version)
		f.Fix = "jotgate uses no session state here: no prepared statements, no LISTEN (revocations of other nodes are polled every 500 ms), timeouts in each transaction"
		if mode == inStatementMode {
			f.OK, f.Fatal, f.Fix = false, true, "set pool_mode = transaction: statement mode has no transactions, without which jotgate cannot work"
			return []store.Fact{f}, nil
		}
	}
	if p.silent.Load() {
		f.Fix = "the server has no announcements (LISTEN, NOTIFY): revocations of other nodes are polled every 500 ms"
	}
	_, readOnly, err := ask(ctx, conn.PgConn())
	if readOnly {
		f.OK, f.Fatal = false, true
		f.Found += ", which is read-only"
		f.Fix = "give the address of the primary, or several hosts and target_session_attrs=read-write; tokens can be verified meanwhile, but no login works"
	}
	return []store.Fact{f}, err
}

const inStatementMode = "in statement mode"

// statementMode reports the refusal of a transaction by a pooler in statement
// mode.
func statementMode(err error) bool {
	return code(err) == "08P01" && strings.Contains(err.Error(), "statement pooling")
}

// mode finds out how a pooler shares its connections: in transaction mode two
// clients get the same one in turn, or one client gets several. No transaction
// is open while another one begins, because the pooler may have one connection
// only.
func (p *pool) mode(ctx context.Context, conn *pgx.Conn) (string, error) {
	first, err := p.process(ctx, conn)
	for try := 0; err == nil && try < 3; try++ {
		var second, again string
		if second, err = p.processOfAnother(ctx); err != nil {
			break
		}
		if again, err = p.process(ctx, conn); err == nil && (second == first || again != first) {
			return "in transaction mode", nil
		}
	}
	switch {
	case statementMode(err):
		return inStatementMode, nil
	case noneLeft(ctx, err):
		return "in session mode, with no connection for a second client", nil
	}
	return "in session mode", err
}

// noneLeft reports whether there was no connection left, or none became free
// before an inner deadline.
func noneLeft(ctx context.Context, err error) bool {
	return isExhausted(err) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
}

// processOfAnother is process on a new connection.
func (p *pool) processOfAnother(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*growTimeout)
	defer cancel()
	conn, err := p.connect(ctx)
	if err != nil {
		return "", err
	}
	defer closeConn(ctx, conn)
	return p.process(ctx, conn)
}

// process returns the server's process that runs a transaction.
func (p *pool) process(ctx context.Context, conn *pgx.Conn) (pid string, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, tx.Rollback(ctx)) }()
	pid, _, err = ask(ctx, conn.PgConn())
	return pid, err
}

// poolerName asks for PgBouncer's console, which only some users may see.
func (p *pool) poolerName(ctx context.Context) string {
	config := p.config.Copy()
	config.Database = "pgbouncer"
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.ValidateConnect = nil
	conn, err := pgx.ConnectConfig(opening(ctx), config)
	if err == nil {
		defer closeConn(ctx, conn)
		var version string
		if err = conn.QueryRow(ctx, "SHOW VERSION").Scan(&version); err == nil {
			return version
		}
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "08P01" { // the only SQLSTATE that PgBouncer itself uses for errors
		return "PgBouncer"
	}
	return "a connection pooler"
}

// where names the server for an operator.
func (p *pool) where() string { return where(p.config) }

func where(config *pgx.ConnConfig) string { return "PostgreSQL at " + hosts(config) }

// hosts lists the hosts of the address, each with its port.
func hosts(config *pgx.ConnConfig) string {
	list := []string{fmt.Sprintf("%s:%d", config.Host, config.Port)}
	for _, f := range config.Fallbacks {
		if host := fmt.Sprintf("%s:%d", f.Host, f.Port); !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	return strings.Join(list, " or ")
}
