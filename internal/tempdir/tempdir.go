// Package tempdir makes temporary folders for the many small databases of
// tests. They are in memory where that is possible, because creating, syncing
// and removing a database there takes a fraction of the processor time that it
// takes on a disk. A test about durability uses testing.TB.TempDir.
package tempdir

import (
	"os"
	"syscall"
	"testing"
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

// New creates a folder that is removed when tb ends.
func New(tb testing.TB) string {
	tb.Helper()
	folder, err := os.MkdirTemp(Parent(), "jotgate-test")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			tb.Error(err)
		}
	})
	return folder
}
