package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/alone"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

func account(name string) *record.Account {
	return &record.Account{Username: name, Email: name + "@example.com", Password: "first", IsActive: true}
}

func TestFileIsPrivate(t *testing.T) {
	s, path := openFile(t)
	if err := s.Accounts().Create(t.Context(), account("ada")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
}

// damaged makes a database, closes it, and lets damage change its bytes.
func damaged(t *testing.T, damage func([]byte) []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jotgate.db")
	s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := s.Accounts().Create(t.Context(), account(fmt.Sprint("user", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileThatCannotServe(t *testing.T) {
	cases := []struct {
		name   string
		damage func([]byte) []byte
		want   string
	}{
		{"sound", func(b []byte) []byte { return b }, ""},
		{"not a database", func(b []byte) []byte { copy(b, "Not a database, "); return b }, "is not an SQLite database"},
		{"damaged", func(b []byte) []byte {
			for i := 4096; i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		}, "is damaged: restore it from a backup"},
		// A write version that SQLite does not know makes the file read-only
		// (sqlite.org/fileformat.html, 1.3.3), for root as well.
		{"read-only", func(b []byte) []byte { b[18] = 9; return b }, "is read-only"},
		{"cut off", func(b []byte) []byte { return b[:len(b)/2] }, "is damaged: restore it from a backup"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := damaged(t, c.damage)
			err := touch(t, path)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), path+" "+c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// touch opens the file, reads everything and writes something.
func touch(t *testing.T, path string) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Transfer().Stream(t.Context(), func(store.Record) error { return nil }); err != nil {
		return err
	}
	return s.Accounts().Create(t.Context(), account("new"))
}

func TestFolderThatIsNotThere(t *testing.T) {
	_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "no", "jotgate.db"), sqlitetest.Options)
	if err == nil || !strings.Contains(err.Error(), "the database file cannot be opened") {
		t.Error(err)
	}
}

// A write waits while another process writes, but not longer than the busy
// timeout. (An operation that lasts five seconds fails as well, with another error.)
func TestLockedByAnother(t *testing.T) {
	path := sqlitetest.File(t)
	var s *store.Store
	var err error
	wait.Until(t, "the file is open", func() bool {
		s, err = sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 50 * time.Millisecond})
		return err == nil
	})
	defer s.Close()
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	exec := func(text string) {
		if _, err := other.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	exec("BEGIN IMMEDIATE")
	wait.Until(t, "the error names the other", func() bool {
		err = s.Accounts().Create(t.Context(), account("ada"))
		return err == nil || strings.Contains(err.Error(), "is locked by another process")
	})
	if !errors.Is(err, jotgate.ErrUnavailable) {
		t.Error(err)
	}
	wait.Until(t, "it reads meanwhile", func() bool {
		_, err = s.Accounts().ByLogin(t.Context(), "ada")
		return errors.Is(err, jotgate.ErrNotFound)
	})
	exec("ROLLBACK")
	wait.Until(t, "it writes when the other is done", func() bool {
		return s.Accounts().Create(t.Context(), account("ada")) == nil
	})
}

// Switching the file to its write-ahead log waits for a process that writes, such as
// one that starts at the same moment: SQLite itself does not wait for it.
func TestOpenWaitsForAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	for _, text := range []string{"CREATE TABLE t (x)", "BEGIN IMMEDIATE"} {
		if _, err := other.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: time.Millisecond}); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("while the other writes: %v", err)
	}
	time.AfterFunc(500*time.Millisecond, func() { _, _ = other.Exec("ROLLBACK") })
	s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
	if err != nil {
		t.Fatalf("when the other is done: %v", err)
	}
	s.Close()
}

// A full disk: writes are refused, nothing is half done, and reads continue.
// When there is space again, writes succeed without a restart. The limit on
// the size of files replaces a full disk, in a separate process.
func TestDiskThatTakesNoMore(t *testing.T) { alone.Run(t, diskThatTakesNoMore) }

func diskThatTakesNoMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	signal.Ignore(syscall.SIGXFSZ)
	s := reopen(t, path)
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	limit := func(size uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: usual.Max}); err != nil {
			t.Fatal(err)
		}
	}
	largest := int64(0) // of the files that the empty database has
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err == nil {
			largest = max(largest, info.Size())
		}
	}
	limit(uint64(largest) + 128<<10)
	written, failed := 0, 0
	for i := range 400 {
		err := s.Accounts().Create(t.Context(), account(fmt.Sprint("user", i)))
		if err == nil {
			written++
			continue
		}
		failed++
		if !errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), "cannot be read or written") && !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("account %d: %v", i, err)
		}
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(jotgate.AsError(err).Reason, "the database file ") {
		t.Errorf("a full disk is ready: %v", err)
	}
	if failed == 0 || written == 0 {
		t.Fatalf("%d written, %d failed: the disk was not full", written, failed)
	}
	if n, _, err := s.Transfer().Count(t.Context()); err != nil || n != int64(written) {
		t.Errorf("%d accounts, %v; %d were answered", n, err, written)
	}
	limit(usual.Cur)
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("with room again: %v", err)
	}
	for i := range 10 {
		if err := s.Accounts().Create(t.Context(), account(fmt.Sprint("later", i))); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	if n, _, err := s.Transfer().Count(t.Context()); err != nil || n != int64(written)+10 {
		t.Errorf("%d accounts, %v; %d were answered", n, err, written+10)
	}
}
