// Package sqlitetest provides empty SQLite databases for tests that are not
// about migrations: copies of one that the process has migrated once.
package sqlitetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Options open a database with limits that end only what hangs, on a slow machine also.
var Options = sqlite.Options{BusyTimeout: wait.Limit}

// migrated is the content of a migrated database, after the first use.
var migrated struct {
	sync.Mutex
	content []byte
}

// File returns the path of a migrated, empty database in a folder that is
// removed when tb ends.
func File(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tempdir.New(tb), "test.db")
	Fill(tb, file)
	return file
}

// Fill writes a migrated, empty database to a file that does not exist.
func Fill(tb testing.TB, file string) {
	tb.Helper()
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.content == nil {
		Migrate(tb, file)
		migrated.content = must(os.ReadFile(file))(tb)
	}
	check(tb, os.WriteFile(file, migrated.content, 0o600))
}

// Migrate opens and closes the database in the file, so that it is migrated and
// the file alone has all of its content.
func Migrate(tb testing.TB, file string) {
	tb.Helper()
	s := must(sqlite.Open(tb.Context(), file, Options))(tb)
	check(tb, s.Close())
	if _, err := os.Stat(file + "-wal"); !os.IsNotExist(err) {
		tb.Fatalf("%s-wal is left after the last connection was closed", file)
	}
}

// Open opens a migrated, empty database, which is closed when tb ends.
func Open(tb testing.TB) *store.Store {
	tb.Helper()
	s := must(sqlite.Open(tb.Context(), File(tb), Options))(tb)
	tb.Cleanup(func() { check(tb, s.Close()) })
	return s
}

// check ends the test if err is not nil.
func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// must returns a function that returns v, or ends the test if err is not nil.
func must[T any](v T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		check(tb, err)
		return v
	}
}
