package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// backedUp makes a database with one account, a backup of it, and a second
// account afterwards; it returns both files, the database closed.
func backedUp(t *testing.T) (path, backup string) {
	t.Helper()
	s, path := openFile(t)
	if err := s.Accounts().Create(t.Context(), account("before")); err != nil {
		t.Fatal(err)
	}
	backup = filepath.Join(t.TempDir(), "backup.db")
	if err := sqlite.BackupFile(t.Context(), s, backup, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Accounts().Create(t.Context(), account("after")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, backup
}

func TestRestore(t *testing.T) {
	path, backup := backedUp(t)
	if _, err := sqlite.Restore(t.Context(), backup, path, store.Schema{}, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a database, not asked to: %v", err)
	}
	if _, err := sqlite.Restore(t.Context(), backup, path, store.Schema{}, true); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, path)
	if _, err := s.Accounts().ByLogin(t.Context(), "before"); err != nil {
		t.Error(err)
	}
	if _, err := s.Accounts().ByLogin(t.Context(), "after"); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("an account made after the backup: %v", err)
	}
	newcomer := account("newcomer")
	if err := s.Accounts().Create(t.Context(), newcomer); err != nil || newcomer.ID != "100002" {
		t.Errorf("the next id is %s, %v; 2 was given out after the backup", newcomer.ID, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A server that has the database open is noticed; the database is unchanged.
func TestRestoreUnderAServer(t *testing.T) {
	path, backup := backedUp(t)
	s := reopen(t, path)
	if _, err := sqlite.Restore(t.Context(), backup, path, store.Schema{}, true); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("%v, want %v", err, sqlite.ErrInUse)
	}
	if _, err := s.Accounts().ByLogin(t.Context(), "after"); err != nil {
		t.Errorf("the server's database was touched: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), backup, path, store.Schema{}, true); err != nil {
		t.Errorf("when the server is gone: %v", err)
	}
}

// A database that cannot be read can be restored; its log must not be used
// with the new file.
func TestRestoreOverADamagedOne(t *testing.T) {
	path, backup := backedUp(t)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.WriteFile(name, []byte(strings.Repeat("not a database, ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sqlite.Restore(t.Context(), backup, path, store.Schema{}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, path).Accounts().ByLogin(t.Context(), "before"); err != nil {
		t.Error(err)
	}
}

// A backup that is not sound is refused, and the database is unchanged.
func TestRestoreOfWhatIsNoBackup(t *testing.T) {
	path, backup := backedUp(t)
	sound, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		want   string
	}{
		{"sound", func(b []byte) []byte { return b }, ""},
		{"empty", func([]byte) []byte { return nil }, "not a database of jotgate's"},
		{"not a database", func(b []byte) []byte { copy(b, "Not a database, "); return b }, "is not an SQLite database"},
		{"cut off", func(b []byte) []byte { return b[:len(b)/2] }, "damaged"},
		{"one page lost", func(b []byte) []byte { clear(b[len(b)-4096:]); return b }, "damaged"},
		{"another's", func(b []byte) []byte {
			return []byte(strings.ReplaceAll(string(b), "jotgate_session", "another_session"))
		}, "no table jotgate_session"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "b.db")
			if err := os.WriteFile(file, c.damage([]byte(string(sound))), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sqlite.Restore(t.Context(), file, path, store.Schema{}, true)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := reopen(t, path).Accounts().ByLogin(t.Context(), "before"); err != nil {
				t.Errorf("the database: %v", err)
			}
		})
	}
}

// A backup has its name only when it is whole, and replaces only when asked.
func TestBackupFile(t *testing.T) {
	s, _ := openFile(t)
	for i := range 50 {
		if err := s.Accounts().Create(t.Context(), account(fmt.Sprint("user", i))); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(file, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.BackupFile(t.Context(), s, file, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file, not asked to: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sqlite.BackupFile(ctx, s, file, true); err == nil {
		t.Error("interrupted, it says it went well")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "the one before" {
		t.Errorf("an interrupted backup left %.20q, %v", text, err)
	}
	if err := sqlite.BackupFile(t.Context(), s, file, true); err != nil {
		t.Error(err)
	}
	if err := sqlite.Check(t.Context(), file); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("in the folder: %v, %v", left, err)
	}
}
