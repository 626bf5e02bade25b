package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/store"
)

// emailIndex names the index that finds an account by its e-mail without
// regard to case, and its columns. Django has none, and its own iexact lookups
// also use this one.
func emailIndex(schema store.Schema) string {
	return " jotgate_user_email ON " + pgx.Identifier{schema.Users}.Sanitize() + " (UPPER(" + pgx.Identifier{schema.Email}.Sanitize() + "))"
}

// indexEmail creates the index on a table that Django created, concurrently
// with other work. jotgate works without it: if the database user may not
// create an index on Django's table, or the table is busy, or another node
// creates it at the same moment, it is left for later (Store.Facts reports
// that); an incomplete one is created again.
func (p *pool) indexEmail(ctx context.Context, schema store.Schema) error {
	missing, broken, err := p.lacksIndex(ctx, schema)
	if err != nil || !missing {
		return err
	}
	p.progress("creating an index")
	p.log.InfoContext(ctx, "creating the index jotgate_user_email; other statements are not blocked", "table", schema.Users)
	if err = p.createIndex(ctx, schema, broken); postponesIndex(err) || errors.Is(err, context.DeadlineExceeded) {
		p.log.WarnContext(ctx, "the index jotgate_user_email was not created: jotgate works without it, see jotgate doctor", "cause", err)
		return nil
	}
	return err
}

func (p *pool) createIndex(ctx context.Context, schema store.Schema, broken bool) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	ctx, cancel, err := p.liftTimeouts(ctx, conn)
	defer cancel()
	if err == nil && broken {
		_, err = conn.Exec(ctx, "DROP INDEX CONCURRENTLY jotgate_user_email", pgx.QueryExecModeSimpleProtocol)
	}
	if err == nil {
		_, err = conn.Exec(ctx, "CREATE INDEX CONCURRENTLY"+emailIndex(schema), pgx.QueryExecModeSimpleProtocol)
	}
	return err
}

// liftTimeouts lifts the limits of a session for the creation of an index, which
// cannot be part of a transaction. A pooler loses such settings; then the
// context limits the wait.
func (p *pool) liftTimeouts(ctx context.Context, conn *pgx.Conn) (context.Context, context.CancelFunc, error) {
	if p.pooled.Load() {
		ctx, cancel := context.WithTimeout(ctx, p.migrationTimeout)
		return ctx, cancel, nil
	}
	_, err := conn.Exec(ctx, "SET statement_timeout = 0; SET lock_timeout = '10s'")
	return ctx, func() {}, err
}

// lacksIndex reports whether this user can and should create the index, and
// whether there is an incomplete one that nobody is creating now.
func (p *pool) lacksIndex(ctx context.Context, schema store.Schema) (missing, broken bool, err error) {
	var may, building bool
	var valid sql.NullBool
	err = p.read(ctx, func(ctx context.Context, q store.Queryer) error {
		return scanRow(ctx, q, []any{&may, &valid, &building}, `SELECT
EXISTS (SELECT 1 FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2
  AND NOT attisdropped AND pg_has_role(c.relowner, 'USAGE')),
(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('jotgate_user_email')),
EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND relation = to_regclass(quote_ident($1)) AND mode = 'ShareUpdateExclusiveLock')`,
			schema.Users, schema.Email)
	})
	broken = valid.Valid && !valid.Bool
	return err == nil && may && !valid.Bool && !(broken && building), broken, err
}

// postponesIndex reports an error after which the index is left for later: no
// right to create it, a table that is busy, a server's statement_timeout, or
// another node that creates or drops the index at the same moment.
func postponesIndex(err error) bool {
	c := code(err)
	return strings.Contains(" 42501 55P03 57014 42P07 42704 40P01 23505 ", " "+c+" ") && c != ""
}
