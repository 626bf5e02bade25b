package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/internal/migration"
)

// Checking a backup, and replacing a database with it.

// ErrInUse is the error of Restore if another process has the database open.
var ErrInUse = errors.New("another process has the database open: stop it first")

// Check reads the whole file and returns nil if it is a complete database of jotgate.
// Otherwise the error explains in one sentence why it is not: it is not a SQLite
// database, it is damaged, a foreign key refers to a missing row, or jotgate's tables
// are missing. Check changes nothing and creates no files. It is for backups: no
// process may write to the file while Check reads it.
func Check(ctx context.Context, file string) error {
	db, err := openFile(file, "mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := check(ctx, db); err != nil {
		return explain(file, err)
	}
	return nil
}

func check(ctx context.Context, db *sql.DB) error {
	for _, question := range []func(context.Context, *sql.DB) error{isSound, refersWell, isOurs} {
		if err := question(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func isSound(ctx context.Context, db *sql.DB) error {
	var verdict string
	err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict)
	if err == nil && verdict != "ok" {
		err = fmt.Errorf("the file is damaged: %s", verdict)
	}
	return err
}

func refersWell(ctx context.Context, db *sql.DB) error {
	var table string
	err := db.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	if err == nil {
		return fmt.Errorf("a row of the table %s refers to one that is not there", table)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

func isOurs(ctx context.Context, db *sql.DB) error {
	for _, name := range []string{"jotgate_session", "jotgate_key", migration.Table} {
		if found, err := exists(ctx, db, "table", name); err != nil {
			return err
		} else if !found {
			return fmt.Errorf("this is not a database of jotgate's: it has no table %s", name)
		}
	}
	return nil
}

// idGap is how far a restore advances the next account id. Ids may have been
// assigned since the backup was made, and a token issued for one of them must
// not be valid for a new account.
const idGap = 100_000

// Restore atomically replaces the database at path with a copy of the file backup:
// after a failure, path has either the old database or the new one. The file gets
// mode 0600. schema is that of Options. Errors: that of Check for the backup;
// ErrInUse if another process has the old database open, which Restore finds by
// requesting SQLite's exclusive lock; fs.ErrExist if the database exists and replace
// is false. The next id of accounts is advanced by 100,000, so that a token for an
// account that was created after the backup is not valid for a new account.
//
// Nothing that was revoked after the backup becomes valid again. All sessions end, and
// all tokens that were issued before are revoked. Accounts that are inactive in the old
// database, keys that are retired or deleted there, and API keys, clients and
// invitations that are revoked there, are so in the new one. known is false if the old
// database could not be read: then the operator has to repeat those changes.
func Restore(ctx context.Context, backup, path string, schema store.Schema, replace bool) (known bool, err error) {
	if err := Check(ctx, backup); err != nil {
		return false, err
	}
	if _, err := os.Lstat(path); err == nil && !replace {
		return false, fs.ErrExist
	}
	schema = schema.Resolve()
	before := readWithdrawn(ctx, path, backup, schema)
	release, err := alone(ctx, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	partly := fmt.Sprintf("%s.restore-%d", path, os.Getpid())
	err = copyFile(backup, partly)
	for _, step := range []func() error{
		func() error { return moveOn(ctx, partly, schema.Users) },
		func() error { return before.repeat(ctx, partly, schema) },
		func() error { return endAll(ctx, partly, schema) },
		func() error { return takePlace(partly, path) },
	} {
		if err == nil {
			err = step()
		}
	}
	for _, left := range []string{partly, partly + "-wal", partly + "-shm"} {
		_ = os.Remove(left)
	}
	return before.known, errors.Join(err, release())
}

// alone ensures that no other connection has the database open, and keeps it
// closed to others until release. In write-ahead mode each open connection
// holds a lock, and leaving that mode needs it exclusively. Leaving it also
// empties and removes the log, so that no old log remains next to a new file.
// A file that SQLite cannot read counts as not in use.
func alone(ctx context.Context, path string) (release func() error, err error) {
	nothing := func() error { return nil }
	if _, err := os.Stat(path); err != nil {
		return nothing, err
	}
	db, err := openFile(path, "_pragma=busy_timeout(0)")
	if err != nil {
		return nothing, err
	}
	db.SetMaxOpenConns(1)
	for _, text := range []string{"PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"} {
		if _, err = db.ExecContext(ctx, text); err != nil {
			break
		}
	}
	switch code(err) & 0xff {
	case 0, notADatabase, corrupt:
		return db.Close, nil
	case busy, locked:
		return nothing, errors.Join(ErrInUse, db.Close())
	}
	return nothing, errors.Join(explain(path, err), db.Close())
}

// moveOn advances the id that the next account gets. A database without such
// ids (with UUIDs) is unchanged. It also begins a new epoch of the revocation
// feed, which invalidates all earlier cursors; a backup from a version
// without epochs gets one when it is migrated.
func moveOn(ctx context.Context, file, users string) error {
	db, err := openFile(file, "_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE sqlite_sequence SET seq = seq + $1 WHERE name = $2", idGap, users)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		err = nil
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "UPDATE jotgate_epoch SET epoch = lower(hex(randomblob(8)))")
		if err != nil && strings.Contains(err.Error(), "no such table") {
			err = nil
		}
	}
	return errors.Join(err, db.Close())
}

// copyFile copies into a new file with mode 0600 and syncs it to disk.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// takePlace renames a finished file to its final name and syncs the folder. A
// log that still exists belongs to a file that could not be read, and is
// removed.
func takePlace(file, path string) error {
	for _, log := range []string{path + "-wal", path + "-shm", path + "-journal"} {
		if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(file, path); err != nil {
		return err
	}
	return syncFolder(path)
}

// syncFolder makes a rename durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// openFile opens an existing file without changing its settings.
func openFile(file, options string) (*sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	name := &url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: options}
	return sql.Open("sqlite", name.String())
}

// BackupFile writes a copy of the store's database to file, with mode 0600. The file
// is written atomically, after Check has read the copy: after a failure, file is
// unchanged. The error is fs.ErrExist if the file exists and replace is false. The
// store can be used while BackupFile runs.
func BackupFile(ctx context.Context, s *store.Store, file string, replace bool) error {
	if _, err := os.Lstat(file); err == nil && !replace {
		return fs.ErrExist
	}
	partly := fmt.Sprintf("%s.backup-%d", file, os.Getpid())
	if err := s.BackupTo(ctx, partly); err != nil {
		return err
	}
	defer os.Remove(partly) // after a success it no longer exists
	if err := Check(ctx, partly); err != nil {
		return jotgate.ErrUnavailable.Because(fmt.Errorf("the copy is not sound, and with it probably the database: %w", err))
	}
	if err := os.Rename(partly, file); err != nil {
		return err
	}
	return syncFolder(file)
}
