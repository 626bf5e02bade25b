package main

// `migrate`: creates the missing tables. serve does the same when it starts;
// the command is for operators who run migrations separately, or as another
// database user.

import (
	"github.com/jotgate/jotgate/store"
)

type migrateCommand struct {
	databaseFlags
}

// Help is shown below the usage line.
func (migrateCommand) Help() string {
	return `Makes Django's tables of users, groups and permissions unless they are there,
and jotgate's own. Doing it again changes nothing.

    jotgate migrate --database sqlite:jotgate.db
    DATABASE_URL=postgres://app@db/app jotgate migrate`
}

// Run opens the database, which migrates it, and indexes the usernames.
func (c *migrateCommand) Run(a *app) error {
	return c.withNew(a, func(db *store.Store) error {
		if err := db.Names().Index(a.ctx); err != nil {
			return err
		}
		a.printf("%s: the tables are there and up to date\n", c.shown())
		return nil
	})
}
