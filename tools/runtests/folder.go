package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"
)

// A folder holds everything that the tests write outside of memory: TMPDIR names it. It is
// emptied at the end, and at the start of a run after one that was killed. Its path is the same for each
// run of a checkout, because go test remembers results with the value of TMPDIR.
type folder struct {
	path string
	lock *os.File // the folder itself, locked
}

// parent returns the temporary folder, or /tmp if the path has a space: the configuration files of some judges cannot name it.
func parent(temporary string) string {
	if strings.ContainsFunc(temporary, unicode.IsSpace) {
		return "/tmp"
	}
	return temporary
}

// newFolder creates a folder below parent, or takes one that no other run has locked.
func newFolder(parent, root string) (folder, error) {
	var err error
	for i := range 100 {
		path := filepath.Join(parent, fmt.Sprintf("jotgate-tests-%08x-%d-%d", crc32.ChecksumIEEE([]byte(root)), os.Getuid(), i))
		var f folder
		if f, err = take(path); err == nil {
			return f, f.empty()
		}
	}
	return folder{}, err
}

var errTaken = errors.New("the folder belongs to another user or run")

func take(path string) (folder, error) {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return folder{}, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return folder{}, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Getuid() {
		return folder{}, fmt.Errorf("%s: %w", path, errTaken)
	}
	lock, err := os.Open(path)
	if err != nil {
		return folder{}, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return folder{}, fmt.Errorf("%s: %w", path, errTaken)
	}
	// As /tmp: PostgreSQL, which does not run as root, creates and removes folders in it.
	return folder{path, lock}, lock.Chmod(0o777 | os.ModeSticky)
}

// shared is the folder for what the packages of a run share.
func (f folder) shared() string { return filepath.Join(f.path, "shared") }

// empty removes what is in the folder, and creates shared.
func (f folder) empty() error {
	for _, name := range f.names() {
		if err := os.RemoveAll(filepath.Join(f.path, name)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(f.shared(), 0o711); err != nil {
		return err
	}
	return os.Chmod(f.shared(), 0o711) // whatever the umask is
}

func (f folder) names() (names []string) {
	entries, _ := os.ReadDir(f.path)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// left lists what tests did not remove.
func (f folder) left() (names []string) {
	for _, name := range f.names() {
		if name != filepath.Base(f.shared()) && !strings.HasPrefix(name, "go-build") {
			names = append(names, name)
		}
	}
	return names
}

// remove removes the folder.
func (f folder) remove() {
	_ = os.RemoveAll(f.path)
	_ = f.lock.Close()
}
