// Package postgrestest provides empty PostgreSQL databases for tests that are not
// about migrations: copies of one that the process has migrated once.
package postgrestest

import (
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// Options open a database with limits that end only what hangs, on a slow machine also.
var Options = Limits(postgres.Options{})

// Limits returns o with the limits of Options, except for a MigrationTimeout that is set.
func Limits(o postgres.Options) postgres.Options {
	o.ConnectTimeout, o.StatementTimeout, o.LockTimeout = wait.Limit, wait.Limit, wait.Limit
	if o.MigrationTimeout == 0 {
		o.MigrationTimeout = wait.Limit
	}
	return o
}

// Database returns the address of a migrated, empty database that is dropped when
// tb ends.
func Database(tb testing.TB) string {
	tb.Helper()
	return pgtest.Copy(tb, "migrated", func(dsn string) {
		if err := connect(tb, dsn, Options).Close(); err != nil {
			tb.Fatal(err)
		}
	})
}

// Open opens a migrated, empty database. The store is closed when tb ends.
func Open(tb testing.TB) *store.Store {
	tb.Helper()
	return OpenAt(tb, Database(tb))
}

// OpenAt opens the database with this address. The store is closed when tb ends.
func OpenAt(tb testing.TB, dsn string) *store.Store {
	tb.Helper()
	return open(tb, dsn, Options)
}

// OpenAsProgram opens the database with the limits of the program, for a test that waits
// for them. It tries again if one is reached meanwhile. The store is closed when tb ends.
func OpenAsProgram(tb testing.TB, dsn string) (s *store.Store) {
	tb.Helper()
	wait.Until(tb, "the database is open", func() bool {
		var err error
		if s, err = postgres.Open(tb.Context(), dsn, postgres.Options{}); err != nil {
			tb.Log(err)
		}
		return err == nil
	})
	tb.Cleanup(func() { closes(tb, s) })
	return s
}

func open(tb testing.TB, dsn string, options postgres.Options) *store.Store {
	tb.Helper()
	s := connect(tb, dsn, options)
	tb.Cleanup(func() { closes(tb, s) })
	return s
}

func closes(tb testing.TB, s *store.Store) {
	if err := s.Close(); err != nil {
		tb.Error(err)
	}
}

func connect(tb testing.TB, dsn string, options postgres.Options) *store.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), dsn, options)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
