package main

// `restore`: replaces a SQLite database with a backup. store/sqlite does the
// work.

import (
	"errors"
	"io/fs"

	"github.com/jotgate/jotgate/store/sqlite"
)

type restoreCommand struct {
	databaseFlags
	File  string `arg:"" help:"The backup."`
	Force bool   `help:"Replace an existing database."`
}

// Help is shown below the usage line.
func (restoreCommand) Help() string {
	return `Checks the backup and puts a copy of it in the place of the database, in one
step. It refuses while a server has the database open, and does not replace one
without --force. Stop the server first, start it afterwards.

    jotgate restore backup.db
    jotgate restore --force --database sqlite:/var/lib/jotgate/jotgate.db backup.db

What happened since the backup is undone, but nothing that was revoked since is
valid again: all users have to log in, and accounts that were deactivated, keys
that were retired or revoked, and clients that were disabled stay so. docs/operations.md says more. The next account's number is moved on by 100,000, so that none
given out since the backup is given out again.`
}

// Run checks the backup and replaces the database.
func (c *restoreCommand) Run(a *app) error {
	path, ok := c.sqliteFile()
	if !ok {
		return usage("restore is for SQLite; for PostgreSQL use pg_restore --clean --if-exists --dbname=%s FILE", c.shown())
	}
	if sameFile(path, c.File) {
		return usage("%s is the database itself", c.File)
	}
	switch known, err := sqlite.Restore(a.ctx, c.File, path, c.schema(), c.Force); {
	case errors.Is(err, fs.ErrExist):
		return usage("%s exists: give --force to replace it", path)
	case err != nil:
		return err
	case !known:
		a.warn("jotgate: the old database could not be read: accounts that were deactivated, and keys and clients that were retired or revoked, since the backup are valid again")
	}
	a.printf("%s: restored from %s\n", path, c.File)
	return nil
}
