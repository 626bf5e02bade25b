package sqlite_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// files are the names of what belongs to a database.
var files = []string{"", "-wal", "-shm"}

func move(t *testing.T, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Rename(from+name, to+name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// holds fails the test unless the database has exactly these of the users ada, bob and eve.
func holds(t *testing.T, s *store.Store, want string) {
	t.Helper()
	found := ""
	for _, name := range []string{"ada", "bob", "eve"} {
		switch _, err := s.Accounts().ByLogin(t.Context(), name); {
		case err == nil:
			found += name + " "
		case !errors.Is(err, jotgate.ErrNotFound):
			t.Errorf("%s: %v", name, err)
		}
	}
	if found != want {
		t.Errorf("the database has %q, want %q", found, want)
	}
}

func create(t *testing.T, s *store.Store, name string) {
	t.Helper()
	if err := s.Accounts().Create(t.Context(), account(name)); err != nil {
		t.Error(err)
	}
}

// isMissing fails the test unless the store neither writes nor reads, and says why.
func isMissing(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Accounts().Create(t.Context(), account("lost"))
	if !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("a write: %v", err)
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(jotgate.AsError(err).Reason, "was deleted or moved away") {
		t.Errorf("ready: %v", err)
	}
	wait.Until(t, "no read is answered", func() bool {
		_, err := s.Accounts().ByLogin(t.Context(), "ada")
		return errors.Is(err, jotgate.ErrUnavailable)
	})
}

// While there is no file at its path, nothing is written that would be lost. The store
// goes on when the file is back, or another one is there.
func TestFileThatIsMovedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	s := reopen(t, path)
	create(t, s, "ada")
	move(t, path, path+".away", files...)
	isMissing(t, s)
	if _, err := os.Stat(path); err == nil {
		t.Error("a new file was created")
	}
	move(t, path+".away", path, files...)
	holds(t, s, "ada ")
	create(t, s, "bob")
	holds(t, s, "ada bob ")
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// other is a database with the user eve, in one file of the folder.
func other(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, "other.db")
	s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, "eve")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileThatIsReplaced(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, s *store.Store, path, by string){
		"after it was deleted": func(t *testing.T, s *store.Store, path, by string) {
			for _, name := range files {
				_ = os.Remove(path + name)
			}
			isMissing(t, s)
			move(t, by, path, files...)
		},
		"while its log stays": func(t *testing.T, _ *store.Store, path, by string) { move(t, by, path, "") },
		"while another process has the new one open": func(t *testing.T, _ *store.Store, path, by string) {
			for _, name := range files[1:] {
				_ = os.Remove(path + name)
			}
			move(t, by, path, "")
			reopen(t, path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jotgate.db")
			s, err := sqlite.Open(t.Context(), path, sqlitetest.Options)
			if err != nil {
				t.Fatal(err)
			}
			create(t, s, "ada")
			holds(t, s, "ada ")
			replace(t, s, path, other(t, filepath.Dir(path)))
			wait.Until(t, "reads find the new file", func() bool {
				_, err := s.Accounts().ByLogin(t.Context(), "eve")
				return err == nil
			})
			holds(t, s, "eve ")
			create(t, s, "bob")
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			holds(t, reopen(t, path), "bob eve ")
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			holds(t, reopen(t, path), "bob eve ")
		})
	}
}

// elsewhere creates users in another process, which has locks and an index of the log of its own, and fails the test
// unless it then finds exactly those that are wanted.
func elsewhere(t *testing.T, path, users, want string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestElsewhere$", "-test.v")
	child.Env = append(os.Environ(), "JOTGATE_TEST_FILE="+path, "JOTGATE_TEST_USERS="+users, "JOTGATE_TEST_WANT="+want)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("another process: %v\n%s", err, out)
	}
}

func TestElsewhere(t *testing.T) {
	path := os.Getenv("JOTGATE_TEST_FILE")
	if path == "" {
		return // it is the process of another test
	}
	s := reopen(t, path)
	for name := range strings.FieldsSeq(os.Getenv("JOTGATE_TEST_USERS")) {
		create(t, s, name)
	}
	holds(t, s, os.Getenv("JOTGATE_TEST_WANT"))
}

// A log that is deleted while the store is open takes no change with it, and another process finds what is written
// afterwards.
func TestLogThatIsDeleted(t *testing.T) {
	for name, deleted := range map[string][]string{"log": {"-wal"}, "index": {"-shm"}, "both": {"-wal", "-shm"}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jotgate.db")
			s := reopen(t, path)
			create(t, s, "ada")
			holds(t, s, "ada ")
			for _, end := range deleted {
				if err := os.Remove(path + end); err != nil {
					t.Fatal(err)
				}
			}
			wait.Until(t, "reads notice it", func() bool {
				if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err != nil {
					t.Error(err)
				}
				_, missing := os.Stat(path + deleted[0])
				return missing == nil
			})
			elsewhere(t, path, "bob", "ada bob ")
			create(t, s, "eve")
			holds(t, s, "ada bob eve ")
			elsewhere(t, path, "", "ada bob eve ")
		})
	}
}

// If another process has written a new log in the meantime and ended, the changes of the store that is open stay.
func TestLogThatIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	elsewhere(t, path, "ada", "ada ")
	s := reopen(t, path)
	create(t, s, "bob")
	for _, name := range files[1:] {
		if err := os.Remove(path + name); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere(t, path, "eve", "ada eve ")
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	holds(t, s, "ada bob ")
	create(t, s, "eve")
	elsewhere(t, path, "", "ada bob eve ")
}
