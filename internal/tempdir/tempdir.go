// Package tempdir makes temporary folders for the many small databases of
// tests. They are in memory if that is possible, because creating, syncing and
// removing a database in memory takes a fraction of the processor time that it
// takes on a disk. A test about durability uses testing.TB.TempDir.
package tempdir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// memory is a file system in memory, which Linux has.
const memory = "/dev/shm"

// enough is the free space that a folder in memory needs, in bytes. The tests
// use less than a tenth of it; a machine with less has little memory, or is a
// container with the usual 64 MB.
const enough = 4 << 30

// Parent returns the folder in which to create temporary folders: in memory, or
// the empty string, which is the default of os.MkdirTemp.
func Parent() string { return parent(memory) }

func parent(memory string) string {
	var space syscall.Statfs_t
	if syscall.Statfs(memory, &space) != nil || uint64(space.Bavail)*uint64(space.Bsize) < enough {
		return ""
	}
	return memory
}

// prefix begins the name of a folder; the id of the process that made it follows.
const prefix = "jotgate-test-"

// New creates a folder that is removed when tb ends. The first call also removes the
// folders of processes that were killed before they could do so.
func New(tb testing.TB) string {
	tb.Helper()
	clean()
	folder, err := os.MkdirTemp(Parent(), fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		wait.Until(tb, "no process writes into the folder, and it is removed", func() bool { return os.RemoveAll(folder) == nil })
	})
	return folder
}

// longestForSockets is the length, in bytes, of the longest folder in which folders for
// sockets are created. The path of a Unix socket has at most 103 bytes on macOS, 107 on
// Linux, and a folder with PostgreSQL's socket and its lock file takes 43 of them.
const longestForSockets = 60

// SocketParent returns parent, the empty string meaning os.TempDir, if the paths of
// sockets in its folders are short enough, and /tmp if not.
func SocketParent(parent string) string {
	if len(cmp.Or(parent, os.TempDir())) > longestForSockets {
		return "/tmp"
	}
	return parent
}

// ForSockets creates a folder for Unix sockets, which is removed when tb ends. The path
// of a socket in it is short enough if its name has at most 20 bytes, however long the
// path of the temporary folder is.
func ForSockets(tb testing.TB) string {
	tb.Helper()
	folder, err := os.MkdirTemp(SocketParent(""), "jotgate")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

var clean = sync.OnceFunc(func() { removeAbandoned(Parent()) })

// removeAbandoned removes the folders of processes that no longer exist.
func removeAbandoned(parent string) {
	if parent == "" {
		parent = os.TempDir()
	}
	found, _ := filepath.Glob(filepath.Join(parent, prefix+"*-*"))
	for _, folder := range found {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(folder), prefix+"%d-", &pid); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(folder)
		}
	}
}
