package sqlite

import (
	"os"
	"syscall"
)

// identity says which file is at a path; the zero value is none. It is read with each
// batch of writes, and os.Stat would allocate a description of each file.
type identity struct{ device, inode uint64 }

// identify returns the identity of the file at the path.
func identify(path string) (identity, error) {
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	for err == syscall.EINTR {
		err = syscall.Stat(path, &st)
	}
	if err != nil {
		return identity{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return identity{uint64(st.Dev), st.Ino}, nil
}

// same reports whether both are one file.
func (i identity) same(other identity) bool { return i == other && i.exists() }

// exists reports whether there is a file.
func (i identity) exists() bool { return i != identity{} }
