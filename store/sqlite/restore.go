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
)

// Looking at a backup, and putting it in a database's place.

// ErrInUse says that another process has the database open.
var ErrInUse = errors.New("another process has the database open: stop it first")

// Check reads the whole file and says in one sentence why it is not a sound
// database of jotgate's: it is no SQLite database, it is damaged, references
// lead nowhere, or jotgate's tables are missing. It changes nothing and makes
// no files; nobody may be writing meanwhile, so it is for backups.
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
	for _, name := range []string{"jotgate_session", "jotgate_key", store.MigrationsTable} {
		if found, err := exists(ctx, db, "table", name); err != nil {
			return err
		} else if !found {
			return fmt.Errorf("this is not a database of jotgate's: it has no table %s", name)
		}
	}
	return nil
}

// idGap is how far a restore moves on the numbers of accounts. Since the
// backup others may have been given out, and a token that was made for one of
// them must not become a newcomer's.
const idGap = 100_000

// Restore puts a copy of backup in the place of the database at path, in one
// step: whatever happens, there is the old database or the new one. The file
// gets mode 0600. What Check says of the backup ends it; ErrInUse when another
// process has the old database open, found by asking SQLite for it alone;
// fs.ErrExist when there is one and replace is false. users is the table of
// accounts, whose next number is moved on by 100,000.
func Restore(ctx context.Context, backup, path, users string, replace bool) error {
	if err := Check(ctx, backup); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !replace {
		return fs.ErrExist
	}
	release, err := alone(ctx, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	partly := fmt.Sprintf("%s.restore-%d", path, os.Getpid())
	err = copyFile(backup, partly)
	if err == nil {
		err = moveOn(ctx, partly, users)
	}
	if err == nil {
		err = takePlace(partly, path)
	}
	_ = os.Remove(partly)
	return errors.Join(err, release())
}

// alone makes sure that nobody else has the database open, and keeps others
// out until release. In write-ahead mode each open connection holds a lock that
// leaving that mode asks for alone; leaving it also empties and removes the
// log, so that no old log is left beside a new file. A file that SQLite cannot
// read is nobody's.
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

// moveOn moves on the number that the next account gets. A database without
// such numbers (UUIDs) is left as it is. It also begins another epoch of the
// revocation feed, whose cursors of before mean nothing now; backups of versions
// without epochs get one when they are migrated.
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

// copyFile copies into a new file with mode 0600, down to the disk.
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

// takePlace renames a finished file to its name, down to the disk. A log that
// still stands there belongs to a file that could not be read.
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

// syncFolder makes a rename last through a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// openFile opens a file as it is; the file must be there.
func openFile(file, options string) (*sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	name := &url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: options}
	return sql.Open("sqlite", name.String())
}

// BackupFile writes a copy of the store's database to file: in one step, so
// that there is the old file or the whole new one, with mode 0600, and only
// after Check found the copy sound. fs.ErrExist when the file is there and
// replace is false. The store goes on answering meanwhile.
func BackupFile(ctx context.Context, s *store.Store, file string, replace bool) error {
	if _, err := os.Lstat(file); err == nil && !replace {
		return fs.ErrExist
	}
	partly := fmt.Sprintf("%s.backup-%d", file, os.Getpid())
	if err := s.BackupTo(ctx, partly); err != nil {
		return err
	}
	defer os.Remove(partly) // gone when all went well
	if err := Check(ctx, partly); err != nil {
		return jotgate.ErrUnavailable.Because(fmt.Errorf("the copy is not sound, and with it probably the database: %w", err))
	}
	if err := os.Rename(partly, file); err != nil {
		return err
	}
	return syncFolder(file)
}
