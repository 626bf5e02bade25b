package main

// `backup`: a complete copy of a SQLite database while it is in use.
// store/sqlite does the work.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/jotgate/jotgate/store/sqlite"
)

type backupCommand struct {
	databaseFlags
	File  string `arg:"" help:"Where to write the copy."`
	Force bool   `help:"Replace an existing file, atomically."`
}

// Help is shown below the usage line.
func (backupCommand) Help() string {
	return `Copies the database while jotgate keeps serving: the accounts, sessions and keys
of one moment. The copy is checked before it gets its name, and only its owner
can read it. It does not contain the secret: back up jotgate.secret separately.

    jotgate backup backup.db
    jotgate backup --force /var/backups/jotgate.db

On PostgreSQL, pg_dump does this.`
}

// Run copies the database, checks the copy and prints its name.
func (c *backupCommand) Run(a *app) error {
	path, ok := c.sqliteFile()
	if !ok {
		return usage("backup is for SQLite; for PostgreSQL use pg_dump --format=custom --file=FILE %s", c.forClients())
	}
	if sameFile(path, c.File) {
		return usage("%s is the database itself: give the copy another name", c.File)
	}
	db, err := c.open(a, inspecting)
	if err != nil {
		return err
	}
	err = sqlite.BackupFile(a.ctx, db, c.File, c.Force)
	if errors.Is(err, fs.ErrExist) {
		err = usage("%s exists: give another name, or --force to replace it", c.File)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	a.printf("%s: %s, checked\n", c.File, megabytes(info.Size()))
	return nil
}

// sameFile reports whether two names refer to the same file.
func sameFile(one, other string) bool {
	a, err := os.Stat(one)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}

// megabytes formats a size for display.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
