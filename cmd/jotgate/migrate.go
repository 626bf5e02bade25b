package main

// `migrate`: makes the tables that are missing. serve does the same by itself;
// the command is for those who want it done beforehand, by another account.

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
