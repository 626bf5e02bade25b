package sqlite

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// shared reports whether this process holds SQLite's shared lock on an open file. Another process, such as a Django
// that closes its connection, deletes the write-ahead log unless it is held.
func shared(t *testing.T, file *os.File) bool {
	t.Helper()
	const (
		ofdGetLock             = 36 // F_OFD_GETLK, which also reports the locks of the same process
		firstByte, sharedBytes = 0x40000002, 510
	)
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: firstByte, Len: sharedBytes}
	if err := syscall.FcntlFlock(file.Fd(), ofdGetLock, &lock); err != nil {
		t.Fatal(err)
	}
	return lock.Type == syscall.F_RDLCK
}

// Whatever else the process does with the file, the locks of a Store stay: a file must not be opened and closed other
// than through SQLite while a Store has it open.
func TestLocksAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	open := func(path string, options Options) {
		db, err := Open(t.Context(), path, options)
		if err != nil {
			t.Error(err)
			return
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // not before: that would release the locks
	defer func() { _ = db.Close() }()
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"nothing else", func() {}},
		{"a second Store", func() { open(path, Options{}) }},
		{"a Store that inspects", func() { open(path, Options{Inspect: true}) }},
		{"a Store by a symbolic link", func() { open(link, Options{}) }},
		{"several Stores concurrently", func() {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() { open(path, Options{}) })
			}
			all.Wait()
		}},
		{"a backup", func() {
			if err := BackupFile(t.Context(), db, backup, false); err != nil {
				t.Error(err)
			}
		}},
	} {
		if c.do(); !shared(t, file) {
			t.Fatalf("%s: the lock is gone", c.name)
		}
	}
}
