// Package packed reads files that are embedded in the program: as they are in the
// repository or, in a program made by `make build`, compressed by tools/pack.
package packed

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"io"
	"path"
	"sync"
)

// magic is how a file compressed by gzip begins, and no text does.
const magic = "\x1f\x8b"

// headSize is the length of what FS.Head returns, in bytes.
const headSize = 1 << 10

// FS is an embedded folder whose ReadFile returns the text of compressed files.
// Reading it is safe for concurrent use.
type FS struct{ embed.FS }

// ReadFile returns the text of a file.
func (f FS) ReadFile(name string) ([]byte, error) {
	data, err := f.FS.ReadFile(name)
	if err != nil || !bytes.HasPrefix(data, []byte(dictMagic)) {
		return Text(data), err
	}
	n, other, rest := dictionary(data)
	dict, err := f.ReadFile(path.Join(path.Dir(name), other))
	if err != nil {
		return nil, err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(flate.NewReaderDict(bytes.NewReader(rest), dict), text)
	return text, err
}

// dictMagic is how a file begins that tools/pack has compressed with another file of
// its folder as the dictionary (RFC 1951).
const dictMagic = "\x1f\x8c"

// dictionary returns the length of the text, the name of the other file, and the
// compressed text.
func dictionary(data []byte) (n int, other string, rest []byte) {
	data = data[len(dictMagic):]
	end := 5 + int(data[4])
	return int(binary.LittleEndian.Uint32(data)), string(data[5:end]), data[end:]
}

// Head returns the first kibibyte of the text of a file, without decompressing what
// follows.
func (f FS) Head(name string) ([]byte, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, headSize)
	n, _ := io.ReadFull(file, data) // the file may be shorter
	return head(data[:n]), nil
}

// head returns the beginning of the text of a file that begins with data.
func head(data []byte) []byte { return unpack(data, headSize) }

// Text returns the text of an embedded file.
func Text(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return data
	}
	return unpack(data, int(binary.LittleEndian.Uint32(data[len(data)-4:]))) // its length: RFC 1952, section 2.3.1
}

// readers are decompressors for reuse: each has 40 KB of buffers.
var readers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// unpack returns the first n bytes of the text in data, or fewer if there are not as
// many.
func unpack(data []byte, n int) []byte {
	r := readers.Get().(*gzip.Reader)
	defer readers.Put(r)
	if err := r.Reset(bytes.NewReader(data)); err != nil {
		return data[:min(n, len(data))] // not compressed
	}
	text := make([]byte, n)
	n, _ = io.ReadFull(r, text) // part of the program: a test reads files that tools/pack has written
	return text[:n]
}
