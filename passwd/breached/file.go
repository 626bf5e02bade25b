package breached

// The offline file.
//
//	magic     18 bytes, "jotgate-breached1\n"
//	count     8 bytes, the number of entries
//	index     65,537 times 8 bytes: how many entries have a smaller first two bytes
//	entries   6 bytes each: bytes 3 to 8 of a SHA-1 digest, ascending
//
// Numbers are big-endian. The first two bytes of a digest are its place in the
// index.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

const (
	magic     = "jotgate-breached1\n"
	buckets   = 1 << 16
	entrySize = 6
	indexSize = 8 * (buckets + 1)
	header    = int64(len(magic) + 8)
)

// ErrFormat is the error for a file that Build has not written, or that is not
// complete.
var ErrFormat = errors.New("not a complete file of breached passwords: make it with `jotgate breached build`")

// File is an offline list: a file that Build has written. Open returns it. A lookup
// makes about 16 small reads; the list is not kept in memory. The file has 64 bits of
// each digest, so that a password that is not in the list can be reported by chance:
// in a list of a billion passwords, one of 18 billion is.
type File struct {
	file  *os.File
	count int64
}

var _ List = (*File)(nil)

// Open opens a file and checks its header, its index and its size. The error is that
// of opening or reading the file, or ErrFormat if Build has not written it. If the file
// is replaced by another one, call Open again to read the new one.
func Open(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f := &File{file: file}
	if err := f.check(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// check reads all but the entries.
func (f *File) check() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	start := make([]byte, header+indexSize)
	if _, err := io.ReadFull(io.NewSectionReader(f.file, 0, info.Size()), start); err != nil || !bytes.HasPrefix(start, []byte(magic)) {
		return ErrFormat
	}
	count := binary.BigEndian.Uint64(start[len(magic):])
	last, index := uint64(0), start[header:]
	for ; len(index) > 0; index = index[8:] {
		next := binary.BigEndian.Uint64(index)
		if next < last {
			return ErrFormat
		}
		last = next
	}
	if last != count || count > 1<<40 || info.Size() != header+indexSize+int64(count)*entrySize {
		return ErrFormat
	}
	f.count = int64(count)
	return nil
}

// Len returns the number of passwords.
func (f *File) Len() int64 { return f.count }

// Close closes the file; Contains then returns an error.
func (f *File) Close() error { return f.file.Close() }

// Contains reports whether the file has the password. It ignores the context. The
// error is that of reading the file.
func (f *File) Contains(_ context.Context, password string) (bool, error) {
	prefix := prefixOf(password)
	var bounds [16]byte
	if _, err := f.file.ReadAt(bounds[:], header+int64(prefix>>48)*8); err != nil {
		return false, err
	}
	from, to := int64(binary.BigEndian.Uint64(bounds[:])), int64(binary.BigEndian.Uint64(bounds[8:]))
	if from > to || to > f.count { // the file has changed since Open
		return false, ErrFormat
	}
	var failed error
	want := prefix & (1<<48 - 1)
	at := func(i int) (entry uint64) {
		var b [8]byte
		if _, err := f.file.ReadAt(b[2:], header+indexSize+(from+int64(i))*entrySize); err != nil {
			failed = err
		}
		return binary.BigEndian.Uint64(b[:])
	}
	n := int(to - from)
	i := sort.Search(n, func(i int) bool { return failed != nil || at(i) >= want })
	found := i < n && failed == nil && at(i) == want
	return found && failed == nil, failed
}
