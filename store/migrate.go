package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

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
