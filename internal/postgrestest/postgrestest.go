// Package postgrestest provides empty PostgreSQL databases for tests that are not
// about migrations: copies of one that the process has migrated once.
package postgrestest

import (
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// Database returns the address of a migrated, empty database that is dropped when
// tb ends.
func Database(tb testing.TB) string {
	tb.Helper()
	return pgtest.Copy(tb, "migrated", func(dsn string) {
		if err := connect(tb, dsn).Close(); err != nil {
			tb.Fatal(err)
		}
	})
}

// Open opens a migrated, empty database. The store is closed when tb ends.
func Open(tb testing.TB) *store.Store {
	tb.Helper()
	s := connect(tb, Database(tb))
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func connect(tb testing.TB, dsn string) *store.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), dsn, postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
