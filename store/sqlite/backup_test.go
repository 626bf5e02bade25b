package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store/sqlite"
)

// A backup made while others write is whole, private, and never overwrites.
func TestBackup(t *testing.T) {
	s, _ := openFile(t)
	for i := range 500 {
		if err := s.Accounts().Create(t.Context(), account(fmt.Sprint("user", i))); err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan int64)
	go func() {
		for n := int64(500); ; n++ { // each write would start a careless copy over
			select {
			case <-stop:
				stopped <- n
				return
			default:
				if err := s.Accounts().Create(context.Background(), account(fmt.Sprint("user", n))); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := s.BackupTo(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	close(stop)
	last := <-stopped
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := s.BackupTo(t.Context(), file); err == nil {
		t.Error("a backup overwrote a file")
	}
	copied, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	n, _, err := copied.Transfer().Count(t.Context())
	if err != nil || n < 500 || n > last {
		t.Errorf("the copy holds %d accounts, %v; there were 500 before and %d after", n, err, last)
	}
	if _, err := copied.Accounts().ByLogin(t.Context(), fmt.Sprint("user", n-1)); err != nil {
		t.Errorf("the last account of the copy: %v", err)
	}
}
