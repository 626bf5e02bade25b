package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

// MigrationsTable is the table in which goose records which of jotgate's
// migrations have run. It does not have goose's default name, so that an
// application can use goose in the same database.
const MigrationsTable = "jotgate_migrations"

// Migrate brings jotgate's own tables up to date with the SQL files in files
// (NNNN_name.sql, in goose's format). dialect is goose's name for the
// database. The caller must prevent other nodes from migrating concurrently.
// A database that a newer version of jotgate migrated is an error.
func Migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, files fs.FS) error {
	provider, err := goose.NewProvider(dialect, db, files, goose.WithTableName(MigrationsTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("reading the table %s: %w", MigrationsTable, err)
	case have > want:
		return fmt.Errorf("the database was migrated by a newer jotgate (to %d, this one knows %d): use that one", have, want)
	case have == want:
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = partial.Err
		}
		return fmt.Errorf("migrating jotgate's tables: %w", err)
	}
	return nil
}

// AllauthTables returns the statements that create tables of allauth: those in
// schema/NAME.sql. users is the table of users, id and typ are the name and
// type of its key; names are quoted. If noted is set, that is, if Django
// records its migrations in the database, those in schema/NAME_migrations.sql
// are added.
func AllauthTables(files fs.FS, name, users, id, typ string, noted bool) (string, error) {
	text, err := fs.ReadFile(files, "schema/"+name+".sql")
	if err != nil || !noted {
		return allauthText(string(text), users, id, typ), err
	}
	rows, err := fs.ReadFile(files, "schema/"+name+"_migrations.sql")
	return allauthText(string(text), users, id, typ) + string(rows), err
}

func allauthText(text, users, id, typ string) string {
	_, text, _ = strings.Cut(text, "\n\n") // the comment also contains the placeholders
	return strings.NewReplacer("{users}", users, "{id}", id, "{type}", typ).Replace(text)
}
