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

// Run opens the database, which migrates it.
func (c *migrateCommand) Run(a *app) error {
	return c.withNew(a, func(*store.Store) error {
		a.printf("%s: the tables are there and up to date\n", c.shown())
		return nil
	})
}
