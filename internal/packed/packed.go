// Package packed reads files that are embedded in the program: as they are in the
// repository or, in a program made by `make build`, compressed by tools/pack.
package packed

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
)

// magic is how a file compressed by gzip begins, and no text does.
const magic = "\x1f\x8b"

// FS is an embedded folder whose ReadFile returns the text of compressed files.
// Reading it is safe for concurrent use.
type FS struct{ embed.FS }

// ReadFile returns the text of a file.
func (f FS) ReadFile(name string) ([]byte, error) {
	data, err := f.FS.ReadFile(name)
	return Text(data), err
}

// Text returns the text of an embedded file.
func Text(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return data
	}
	text, _ := io.ReadAll(Open(data)) // part of the program: a test reads files that tools/pack has written
	return text
}

// Open returns a reader of the text of an embedded file. The first kibibyte is read
// without decompressing what follows.
func Open(data []byte) io.Reader {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return bytes.NewReader(data) // not compressed
	}
	return r
}
