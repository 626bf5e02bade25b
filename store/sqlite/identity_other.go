//go:build !linux

package sqlite

import "os"

// identity says which file is at a path; the zero value is none.
type identity struct{ info os.FileInfo }

// identify returns the identity of the file at the path.
func identify(path string) (identity, error) {
	info, err := os.Stat(path)
	return identity{info}, err
}

// same reports whether both are one file.
func (i identity) same(other identity) bool { return os.SameFile(i.info, other.info) }

// exists reports whether there is a file.
func (i identity) exists() bool { return i.info != nil }
