package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/internal/migration"
)

// The indexes that Django does not make.

// identifier quotes a name.
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// indexes are the indexes that Django does not make. Its own iexact lookups also
// use the first one.
func indexes(schema store.Schema) []migration.Index {
	return migration.Indexes(migration.Names{Users: schema.Users, ID: schema.ID, Email: schema.Email, Groups: schema.UserGroups}, identifier, true)
}

// searchIndexes are those of the searches of package admin: by trigrams, which need
// the extension pg_trgm, whose schema need not be in the search_path, and by the
// beginning of the e-mail address.
func searchIndexes(schema store.Schema, extension string, columns []string) []migration.Index {
	var trigrams []string
	for _, c := range columns {
		trigrams = append(trigrams, identifier(c)+" "+identifier(extension)+".gin_trgm_ops")
	}
	return []migration.Index{{
		Name: "jotgate_user_trigrams", Table: schema.Users, Column: schema.Username,
		Definition: "USING gin (" + strings.Join(trigrams, ", ") + ")",
	}}
}

// makeIndexes creates the indexes on tables that Django created, concurrently with
// other work. jotgate works without them: if the database user may not create an
// index on Django's table, or the table is busy, or another node creates it at the
// same moment, it is left for later (Store.Facts reports that); an incomplete one
// is created again.
func (p *pool) makeIndexes(ctx context.Context, schema store.Schema) error {
	list := indexes(schema)
	extension, columns, err := p.searchColumns(ctx, schema)
	if err != nil {
		return err
	}
	if len(columns) > 0 {
		list = append(list, searchIndexes(schema, extension, columns)...)
	}
	for _, index := range list {
		if err := p.makeIndex(ctx, index); err != nil {
			return err
		}
	}
	return nil
}

// searchColumns returns the schema of the extension pg_trgm and the columns of the
// index of trigrams, or none if the extension does not exist and cannot be created
// by this user.
func (p *pool) searchColumns(ctx context.Context, schema store.Schema) (extension string, columns []string, err error) {
	var text, found sql.NullString
	find := func(ctx context.Context, q store.Queryer) error {
		return scanRow(ctx, q, []any{&found, &text}, `SELECT (SELECT nspname FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace WHERE extname = 'pg_trgm'),
(SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND NOT attisdropped
AND attname IN ($2, $3, 'first_name', 'last_name'))`, schema.Users, schema.Username, schema.Email)
	}
	err = p.read(ctx, find)
	if err == nil && text.Valid && !found.Valid && p.write(ctx, func(ctx context.Context, q store.Queryer) error {
		return execute(ctx, q, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
	}) == nil {
		err = p.read(ctx, find)
	}
	if !found.Valid {
		return "", nil, err // a search then compares the beginning, and says so
	}
	return found.String, strings.Fields(text.String), err
}

func (p *pool) makeIndex(ctx context.Context, index migration.Index) error {
	missing, broken, err := p.lacksIndex(ctx, index)
	if err != nil || !missing {
		return err
	}
	p.progress("creating an index")
	if !p.made {
		p.log.InfoContext(ctx, "creating the index "+index.Name+"; other statements are not blocked", "table", index.Table)
	}
	if err = p.createIndex(ctx, index, broken); code(err) == "42P07" {
		return nil // another node has created it
	} else if postponesIndex(err) || errors.Is(err, context.DeadlineExceeded) {
		p.log.WarnContext(ctx, "the index "+index.Name+" was not created: jotgate works without it, see jotgate doctor", "cause", err)
		return nil
	}
	return err
}

// createIndex uses a connection of the pool, which may have no other one, and
// restores its settings afterwards, or closes it.
func (p *pool) createIndex(ctx context.Context, index migration.Index, broken bool) error {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var failed error
	err = conn.Raw(func(c any) error {
		conn := c.(*stdlib.Conn).Conn()
		if failed = p.createIndexOn(ctx, conn, index, broken); failed != nil || !p.pooled.Load() && p.configure(ctx, conn.PgConn()) != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	if errors.Is(err, driver.ErrBadConn) {
		err = nil
	}
	return errors.Join(failed, err)
}

func (p *pool) createIndexOn(ctx context.Context, conn *pgx.Conn, index migration.Index, broken bool) error {
	ctx, cancel, err := p.liftTimeouts(ctx, conn)
	defer cancel()
	if err == nil && broken {
		_, err = conn.Exec(ctx, "DROP INDEX CONCURRENTLY "+index.Name, pgx.QueryExecModeSimpleProtocol)
	}
	if err == nil {
		_, err = conn.Exec(ctx, index.Create(identifier, "CONCURRENTLY"), pgx.QueryExecModeSimpleProtocol)
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
// whether there is an incomplete one that is not being created now.
func (p *pool) lacksIndex(ctx context.Context, index migration.Index) (missing, broken bool, err error) {
	var may, building bool
	var valid sql.NullBool
	err = p.read(ctx, func(ctx context.Context, q store.Queryer) error {
		return scanRow(ctx, q, []any{&may, &valid, &building}, `SELECT
EXISTS (SELECT 1 FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2
  AND NOT attisdropped AND pg_has_role(c.relowner, 'USAGE')),
(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($3)),
EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND relation = to_regclass(quote_ident($1)) AND mode = 'ShareUpdateExclusiveLock')`,
			index.Table, index.Column, index.Name)
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
