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

// MigrationsTable is where goose notes which of jotgate's migrations ran. It
// is not goose's own name, so that an application may use goose beside it.
const MigrationsTable = "jotgate_migrations"

// Migrate brings jotgate's own tables up to date with the SQL files in files
// (NNNN_name.sql, in goose's form). dialect is goose's name for the database.
// The caller keeps other nodes from migrating at the same time. A database
// that a newer jotgate migrated is refused in one sentence.
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

// AddressTables returns the statements that create allauth's tables of e-mail
// addresses for users of this table, whose key has this name and type; names
// are quoted. files holds schema/allauth.sql and schema/allauth_migrations.sql;
// the latter is added if Django notes its migrations in the database.
func AddressTables(files fs.FS, users, id, typ string, noted bool) (string, error) {
	text, err := fs.ReadFile(files, "schema/allauth.sql")
	if err != nil || !noted {
		return addressText(string(text), users, id, typ), err
	}
	rows, err := fs.ReadFile(files, "schema/allauth_migrations.sql")
	return addressText(string(text), users, id, typ) + string(rows), err
}

func addressText(text, users, id, typ string) string {
	_, text, _ = strings.Cut(text, "\n\n") // the comment names the places, too
	return strings.NewReplacer("{users}", users, "{id}", id, "{type}", typ).Replace(text)
}
