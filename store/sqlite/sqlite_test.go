package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
	"github.com/jotgate/jotgate/store/storetest"
)

// openFile opens a store in a new file.
func openFile(t *testing.T) (s *store.Store, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "jotgate.db")
	return reopen(t, path), path
}

// reopen opens a file that may be there.
func reopen(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) record.Store {
		return reopen(t, sqlitetest.File(t))
	})
}
