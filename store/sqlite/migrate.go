package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jotgate/jotgate/internal/packed"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/internal/migration"
)

//go:embed schema/*.sql
var embedded embed.FS

var files = packed.FS{FS: embedded}

// dialect is what migration.Set needs to know.
var dialect = migration.Dialect{
	Columns: columns,
	Create: `CREATE TABLE jotgate_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')), compatible_from INTEGER);
INSERT INTO jotgate_migrations (version_id, is_applied, compatible_from) VALUES (0, 1, 0)`,
	AddColumn: "ALTER TABLE jotgate_migrations ADD COLUMN compatible_from INTEGER",
	Execute:   execute,
}

// migrate creates Django's tables if they do not exist, jotgate's own, and
// the index by e-mail, in one transaction; if there is nothing to do, it only
// reads. SQLite's write lock serializes processes that start together: the
// second one waits, and then finds what the first one did.
func migrate(ctx context.Context, db *sql.DB, options Options) error {
	own, err := fs.Sub(files, "schema")
	if err != nil {
		return err
	}
	migrations, err := migration.Read(own, dialect)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	m := &migrator{q: conn, log: options.Logger, schema: options.Schema.Resolve(), own: migrations}
	if pending, err := m.pending(ctx); err != nil || !pending {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := m.run(ctx); err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// migrator migrates one database.
type migrator struct {
	q      store.Queryer
	log    *slog.Logger
	schema store.Schema
	own    *migration.Set
	made   bool // this program has made the user table
	// catalogue has what pending found; nil while tables are made.
	catalogue map[object]bool
}

// object is a table, index or trigger.
type object struct{ kind, name string }

// pending reports whether there is anything to do.
func (m *migrator) pending(ctx context.Context) (bool, error) {
	state, err := m.own.State(ctx, m.q)
	if err != nil || state.Pending {
		return err == nil, err
	}
	if state.Newer != "" {
		m.log.WarnContext(ctx, state.Newer)
	}
	if m.catalogue, err = catalogue(ctx, m.q); err != nil {
		return false, err
	}
	defer func() { m.catalogue = nil }() // what follows changes it
	for _, lacks := range []func(context.Context) (bool, error){m.lacksDjango, m.lacksAllauth, m.lacksIndex} {
		if found, err := lacks(ctx); err != nil || found {
			return found, err
		}
	}
	return false, nil
}

func (m *migrator) run(ctx context.Context) error {
	if err := m.makeDjango(ctx); err != nil {
		return err
	}
	if err := m.own.Apply(ctx, m.q); err != nil {
		return err
	}
	for _, a := range migration.Allauth {
		if err := m.makeAllauth(ctx, a.Table, a.Name); err != nil {
			return err
		}
	}
	return m.makeIndexes(ctx)
}

// lacksDjango reports whether there is no auth_user and the schema has no
// custom user model, whose table Django creates.
func (m *migrator) lacksDjango(ctx context.Context) (bool, error) {
	if m.schema.Users != "auth_user" {
		return false, nil
	}
	found, err := m.exists(ctx, "table", m.schema.Users)
	return !found, err
}

// makeDjango runs schema/django.sql if Django's tables are missing.
func (m *migrator) makeDjango(ctx context.Context) error {
	if lacks, err := m.lacksDjango(ctx); err != nil || !lacks {
		return err
	}
	text, err := files.ReadFile("schema/django.sql")
	if err != nil {
		return err
	}
	m.made = true
	return execute(ctx, m.q, string(text))
}

// execute runs a text of several statements.
func execute(ctx context.Context, q store.Queryer, text string) error {
	_, err := q.ExecContext(ctx, text)
	return err
}

// lacksAllauth reports whether there is a user table and a table of allauth's
// is missing.
func (m *migrator) lacksAllauth(ctx context.Context) (bool, error) {
	for _, a := range migration.Allauth {
		found, err := m.exists(ctx, "table", a.Table)
		if err != nil {
			return false, err
		}
		if !found {
			return m.exists(ctx, "table", m.schema.Users)
		}
	}
	return false, nil
}

// makeAllauth runs schema/NAME.sql if there is a user table and no such table.
func (m *migrator) makeAllauth(ctx context.Context, table, name string) error {
	if found, err := m.exists(ctx, "table", table); err != nil || found {
		return err
	}
	var typ string
	found, err := row(ctx, m.q, &typ, "SELECT type FROM pragma_table_info($1) WHERE name = $2", m.schema.Users, m.schema.ID)
	if err != nil || !found {
		return err
	}
	noted, err := m.exists(ctx, "table", "django_migrations")
	if err != nil {
		return err
	}
	text, err := migration.AllauthTables(files, name, quote(m.schema.Users), quote(m.schema.ID), typ, noted)
	if err != nil {
		return err
	}
	return execute(ctx, m.q, text)
}

// catalogue lists what is in the database.
func catalogue(ctx context.Context, q store.Queryer) (map[object]bool, error) {
	rows, err := q.QueryContext(ctx, "SELECT type, name FROM sqlite_schema")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[object]bool{}
	for err == nil && rows.Next() {
		var o object
		err = rows.Scan(&o.kind, &o.name)
		found[o] = true
	}
	return found, errors.Join(err, rows.Err())
}

// exists reports whether there is such a table, index or trigger.
func (m *migrator) exists(ctx context.Context, kind, name string) (bool, error) {
	if m.catalogue != nil {
		return m.catalogue[object{kind, name}], nil
	}
	return exists(ctx, m.q, kind, name)
}

// exists reports whether there is such a table, index or trigger.
func exists(ctx context.Context, q store.Queryer, kind, name string) (bool, error) {
	return row(ctx, q, new(string), "SELECT name FROM sqlite_schema WHERE type = $1 AND name = $2", kind, name)
}

// row scans the first row and reports whether there is one.
func row(ctx context.Context, q store.Queryer, dest any, text string, args ...any) (found bool, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if found = rows.Next(); found {
		err = rows.Scan(dest)
	}
	return found, errors.Join(err, rows.Err())
}

// quote returns the name as a quoted identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
