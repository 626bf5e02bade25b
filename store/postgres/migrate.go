package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/jotgate/jotgate/store"
)

//go:embed schema/*.sql
var files embed.FS

// lockKey is the advisory lock that serializes the migrations of several
// nodes: "jotgate" in ASCII.
const lockKey = 0x6a6f7467617465

// migrate creates Django's tables if they do not exist, jotgate's own, and
// the index by e-mail, on connections without a statement timeout. If several
// nodes start together, one migrates and the others wait.
func migrate(ctx context.Context, config *pgx.ConnConfig, schema store.Schema) error {
	patient := config.Copy()
	patient.RuntimeParams["statement_timeout"] = "0"
	patient.RuntimeParams["lock_timeout"] = "10000"
	patient.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	db := newDB(patient, 3, func(context.Context, *pgx.Conn) error { return nil })
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := lock(ctx, conn); err != nil {
		return err
	}
	err = migrateLocked(ctx, db, schema)
	_, unlock := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(lockKey))
	return errors.Join(err, unlock)
}

// lock retries until it has the lock. Waiting inside PostgreSQL would hold a
// snapshot, and CREATE INDEX CONCURRENTLY on the other node would wait for
// that snapshot to end.
func lock(ctx context.Context, conn *sql.Conn) error {
	for {
		var got bool
		if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", int64(lockKey)).Scan(&got); err != nil || got {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func migrateLocked(ctx context.Context, db *sql.DB, schema store.Schema) error {
	if err := makeDjango(ctx, db, schema); err != nil {
		return err
	}
	own, err := fs.Sub(files, "schema")
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, db, goose.DialectPostgres, own); err != nil {
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
	var found bool
	err := db.QueryRowContext(ctx, "SELECT to_regclass(quote_ident($1)) IS NOT NULL", schema.Users).Scan(&found)
	if err != nil || found || schema.Users != "auth_user" {
		return err
	}
	text, err := files.ReadFile("schema/django.sql")
	if err != nil {
		return err
	}
	// Without arguments pgx sends the whole text as one simple query, and
	// PostgreSQL runs that as one transaction.
	_, err = db.ExecContext(ctx, string(text), pgx.QueryExecModeSimpleProtocol)
	return err
}

// allauthTables maps tables of allauth to the files in schema that create them.
var allauthTables = map[string]string{"account_emailaddress": "allauth", "mfa_authenticator": "allauth_mfa"}

// makeAllauth runs schema/NAME.sql if there is a user table and no such table.
func makeAllauth(ctx context.Context, db *sql.DB, schema store.Schema, table, name string) error {
	found, noted, typ, err := lookForTable(ctx, db, schema, table)
	if err != nil || found || !typ.Valid {
		return err
	}
	text, err := store.AllauthTables(files, name, pgx.Identifier{schema.Users}.Sanitize(), pgx.Identifier{schema.ID}.Sanitize(), typ.String, noted)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, text, pgx.QueryExecModeSimpleProtocol)
	return err
}

// lookForTable reports whether a table exists, whether Django records its
// migrations here, and the type of the user table's key, which is NULL if there
// is no user table.
func lookForTable(ctx context.Context, db *sql.DB, schema store.Schema, table string) (found, noted bool, typ sql.NullString, err error) {
	err = db.QueryRowContext(ctx, `SELECT to_regclass(quote_ident($3)) IS NOT NULL, to_regclass('django_migrations') IS NOT NULL,
(SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2 AND NOT attisdropped)`,
		schema.Users, schema.ID, table).Scan(&found, &noted, &typ)
	return found, noted, typ, err
}

// indexEmail creates the index that finds an account by its e-mail without
// regard to case. Django has none, and its own iexact lookups also use this
// one. It is created concurrently with other work. If the database user may
// not create an index on Django's table, jotgate works without it
// (Store.Facts reports that); an incomplete one is created again.
func indexEmail(ctx context.Context, db *sql.DB, schema store.Schema) error {
	var column bool
	var valid sql.NullBool
	err := db.QueryRowContext(ctx, `SELECT
EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2 AND NOT attisdropped),
(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('jotgate_user_email'))`, schema.Users, schema.Email).Scan(&column, &valid)
	if err != nil || !column || valid.Bool {
		return err
	}
	if valid.Valid {
		if _, err := db.ExecContext(ctx, "DROP INDEX CONCURRENTLY jotgate_user_email"); err != nil {
			return tolerate(err)
		}
	}
	_, err = db.ExecContext(ctx, "CREATE INDEX CONCURRENTLY jotgate_user_email ON "+
		pgx.Identifier{schema.Users}.Sanitize()+" (UPPER("+pgx.Identifier{schema.Email}.Sanitize()+"))")
	return tolerate(err)
}

// tolerate ignores errors after which a missing index can be created later:
// no right to create it (insufficient_privilege), or a table that is busy
// (lock_not_available).
func tolerate(err error) error {
	if c := code(err); c == "42501" || c == "55P03" {
		return nil
	}
	return err
}
