package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"modernc.org/sqlite"
)

// backupPages is the number of pages that one step copies; the context is
// checked between steps.
const backupPages = 1024

// backup copies the database with SQLite's online backup, as it was at the
// time of the call. The copy is made inside a read transaction, which does
// not block writers in write-ahead mode; without one, each write would
// restart the copy. The file must not exist; it is created with mode 0600,
// and removed again if the copy fails.
func backup(ctx context.Context, read *sql.DB, file string) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("the backup file cannot be made: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file)
		}
	}()
	return copyTo(ctx, read, file)
}

// copyTo copies into an existing file, inside a read transaction.
func copyTo(ctx context.Context, read *sql.DB, file string) error {
	conn, err := read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1"); err != nil {
		return err
	}
	copied := conn.Raw(func(c any) error { return copyFrom(ctx, c, file) })
	_, ended := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return errors.Join(copied, ended)
}

// copyFrom copies from a driver connection.
func copyFrom(ctx context.Context, conn any, file string) error {
	source, ok := conn.(interface {
		NewBackup(string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("the SQLite driver has no online backup")
	}
	b, err := source.NewBackup(file)
	if err != nil {
		return err
	}
	return errors.Join(copyPages(ctx, b), b.Finish())
}

// copyPages steps until everything is copied or ctx is done.
func copyPages(ctx context.Context, b *sqlite.Backup) error {
	for ctx.Err() == nil {
		if more, err := b.Step(backupPages); err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}
