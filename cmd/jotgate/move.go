package main

// `move`: copies everything that jotgate stores from one database to another.
// Package store does the work.

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/jotgate/jotgate/store"
)

type moveCommand struct {
	databaseFlags
	To string `required:"" placeholder:"URL" help:"The database to move to, as --database is given."`
}

// Help is shown below the usage line.
func (moveCommand) Help() string {
	return `Copies accounts with their ids and passwords, groups, permissions, sessions,
keys, events and, if they exist, SimpleJWT's tables of blacklisted tokens, in
one transaction in the new database, which must be empty; it commits after every
row has been read back and is the same. After an interruption the new database
is still empty: run the command again. If it is run after success, it compares.

Stop the servers first: during the move nothing can be written to the old
database, and later changes of it are not moved. The old database is unchanged.

    jotgate move --to postgres://app@db/app
    jotgate move --database postgres://app@db/app --to sqlite:jotgate.db`
}

// Run opens both databases and copies.
func (c *moveCommand) Run(a *app) error {
	to := c.databaseFlags
	to.Database = c.To
	if path, ok := c.sqliteFile(); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return usage("there is no database %s to move", path)
		}
		if other, ok := to.sqliteFile(); ok && sameFile(path, other) {
			return usage("--to is the same database")
		}
	} else if c.To == c.Database {
		return usage("--to is the same database")
	}
	return c.with(a, func(source *store.Store) error {
		return to.withNew(a, func(target *store.Store) error {
			line := progressOf(a)
			tables, there, err := source.MoveTo(a.ctx, target, line.show)
			line.end()
			if err != nil {
				return err
			}
			return c.report(a, &to, tables, there)
		})
	})
}

// report lists what both databases now hold.
func (c *moveCommand) report(a *app, to *databaseFlags, tables []store.Moved, there bool) error {
	rows, total := [][]string{}, int64(0)
	for _, t := range tables {
		rows = append(rows, []string{t.Table, strconv.FormatInt(t.Rows, 10), t.Digest[:16]})
		total += t.Rows
	}
	if err := a.table("", "TABLE ROWS DIGEST", rows); err != nil {
		return err
	}
	what := "moved and read back"
	if there {
		what = "are there already, the same in both"
	}
	a.printf("%s %s: %s → %s\n", plural(int(total), "row"), what, c.shown(), to.shown())
	return nil
}

// progress is a line that shows the progress; if standard error is not a
// terminal, the line is not updated.
type progress struct {
	a        *app
	terminal bool
	table    string
	shown    bool
}

func progressOf(a *app) *progress {
	file, ok := a.stderr.(*os.File)
	return &progress{a: a, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// show is store.MoveTo's progress.
func (p *progress) show(table string, rows, of int64) {
	switch {
	case p.terminal:
		_, _ = p.a.stderr.Write([]byte("\r\033[K" + table + " " + strconv.FormatInt(rows, 10) + " of " + strconv.FormatInt(of, 10)))
		p.shown = true
	case table != p.table:
		p.a.warn("%s: %s", table, plural(int(of), "row"))
	}
	p.table = table
}

// end finishes the line.
func (p *progress) end() {
	if p.shown {
		_, _ = p.a.stderr.Write([]byte("\r\033[K"))
	}
}
