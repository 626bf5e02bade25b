package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/jotgate/jotgate/store"
)

//go:embed schema/*.sql
var files embed.FS

// migrate creates Django's tables if they do not exist, jotgate's own, and
// the index by e-mail. SQLite's write lock serializes processes that start
// together: the second one tries again and then finds what the first one did.
func migrate(ctx context.Context, db *sql.DB, schema store.Schema) error {
	err := migrateOnce(ctx, db, schema)
	for try := 0; err != nil && try < 5 && ctx.Err() == nil; try++ {
		time.Sleep(time.Duration(try+1) * 20 * time.Millisecond)
		err = migrateOnce(ctx, db, schema)
	}
	return err
}

func migrateOnce(ctx context.Context, db *sql.DB, schema store.Schema) error {
	if err := makeDjango(ctx, db, schema); err != nil {
		return err
	}
	own, err := fs.Sub(files, "schema")
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, db, goose.DialectSQLite3, own); err != nil {
		return err
	}
	for table, name := range allauthTables {
		if err := makeAllauth(ctx, db, schema, table, name); err != nil {
			return err
		}
	}
	return indexEmail(ctx, db, schema)
}

// makeDjango runs schema/django.sql if there is no auth_user and the schema
// has no custom user model, whose table Django creates.
func makeDjango(ctx context.Context, db *sql.DB, schema store.Schema) error {
	if found, err := exists(ctx, db, "table", schema.Users); err != nil || found || schema.Users != "auth_user" {
		return err
	}
	text, err := files.ReadFile("schema/django.sql")
	if err != nil {
		return err
	}
	return execute(ctx, db, string(text))
}

// execute runs a text of several statements in one transaction.
func execute(ctx context.Context, db *sql.DB, text string) error {
	_, err := db.ExecContext(ctx, "BEGIN IMMEDIATE;\n"+text+"\nCOMMIT;")
	if err != nil {
		_, _ = db.ExecContext(ctx, "ROLLBACK")
	}
	return err
}

// allauthTables maps tables of allauth to the files in schema that create them.
var allauthTables = map[string]string{"account_emailaddress": "allauth", "mfa_authenticator": "allauth_mfa"}

// makeAllauth runs schema/NAME.sql if there is a user table and no such table.
func makeAllauth(ctx context.Context, db *sql.DB, schema store.Schema, table, name string) error {
	if found, err := exists(ctx, db, "table", table); err != nil || found {
		return err
	}
	var typ string
	err := db.QueryRowContext(ctx, "SELECT type FROM pragma_table_info($1) WHERE name = $2", schema.Users, schema.ID).Scan(&typ)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	noted, err := exists(ctx, db, "table", "django_migrations")
	if err != nil {
		return err
	}
	text, err := store.AllauthTables(files, name, quote(schema.Users), quote(schema.ID), typ, noted)
	if err != nil {
		return err
	}
	return execute(ctx, db, text)
}

// indexEmail creates the index that finds an account by its e-mail without
// regard to case; Django has none. It is checked at each start, because a
// Django migration that rebuilds the table drops it.
func indexEmail(ctx context.Context, db *sql.DB, schema store.Schema) error {
	if found, err := exists(ctx, db, "index", "jotgate_user_email"); err != nil || found {
		return err
	}
	var n int
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM pragma_table_info($1) WHERE name = $2", schema.Users, schema.Email).Scan(&n)
	if err != nil || n == 0 {
		return err
	}
	_, err = db.ExecContext(ctx, "CREATE INDEX IF NOT EXISTS jotgate_user_email ON "+quote(schema.Users)+" (UPPER("+quote(schema.Email)+"))")
	return err
}

// exists reports whether there is such a table or index.
func exists(ctx context.Context, db *sql.DB, kind, name string) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema WHERE type = $1 AND name = $2", kind, name).Scan(&n)
	return n > 0, err
}

// quote returns the name as a quoted identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
