package breached

// Making the offline file.

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Source is a text with a password or a digest on each line. Empty lines are ignored.
type Source struct {
	Name  string // of the text, for errors
	Lines io.Reader
	// Plain means that the lines are passwords; lines that are not valid UTF-8 are
	// ignored, because such a password is never accepted. If Plain is false, the
	// lines are SHA-1 digests as Have I Been Pwned publishes them: 40 hexadecimal
	// digits, a colon, and the number of times that the password was seen. The colon
	// and the number may be missing.
	Plain bool
	// Prefix is put before every digest. It is the name of the range, five
	// hexadecimal digits, if the source is a single range of the API, whose lines do
	// not repeat it.
	Prefix string
	// MinCount leaves out digests whose number is below it.
	MinCount int
}

// Build writes the passwords of the sources to a file for Open, and returns their
// number. An existing file is replaced when the new one is complete. Build uses about
// 32 MiB of memory, and temporary files in the folder of the file: 8 bytes for each
// line. The errors are those of reading and writing, and of a line that does not have
// the form of its source, with its number.
func Build(name string, sources ...Source) (int64, error) {
	b := builder{folder: filepath.Dir(name)}
	defer b.close()
	for _, source := range sources {
		if err := b.read(source); err != nil {
			return 0, err
		}
	}
	if err := b.spill(); err != nil {
		return 0, err
	}
	out, err := os.CreateTemp(b.folder, ".breached-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(out.Name()) // after the rename there is none
	err = b.write(out)
	err = errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close())
	if err != nil {
		return 0, err
	}
	return b.count, os.Rename(out.Name(), name)
}

// builder collects prefixes in sorted runs.
type builder struct {
	folder string
	chunk  []uint64
	runs   []*run
	count  int64
}

// chunkSize is how many prefixes are sorted in memory.
var chunkSize = 4 << 20

// longestLine bounds a line, in bytes.
const longestLine = 64 << 10

// read adds the lines of a source.
func (b *builder) read(source Source) error {
	lines := bufio.NewScanner(source.Lines)
	lines.Buffer(make([]byte, 0, longestLine), longestLine)
	n := 1
	for ; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" {
			continue
		}
		prefix, seen, err := source.parse(line)
		if err != nil {
			return source.wrong(n, err)
		}
		if seen < source.MinCount {
			continue
		}
		if b.chunk = append(b.chunk, prefix); len(b.chunk) >= chunkSize {
			if err := b.spill(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return source.wrong(n, err)
	}
	return nil
}

// wrong returns an error with its place.
func (s *Source) wrong(line int, err error) error {
	if s.Name == "" {
		return fmt.Errorf("line %d: %w", line, err)
	}
	return fmt.Errorf("%s: line %d: %w", s.Name, line, err)
}

// parse returns the prefix of a line and how often its password was seen.
func (s *Source) parse(line string) (prefix uint64, seen int, err error) {
	if s.Plain {
		if !utf8.ValidString(line) { // no password is
			return 0, -1, nil
		}
		return prefixOf(line), s.MinCount, nil
	}
	digest, number, counted := strings.Cut(line, ":")
	raw, err := hex.DecodeString(s.Prefix + digest)
	switch {
	case err != nil || len(raw) != 20 && len(raw) != 16:
		return 0, 0, errors.New("not a SHA-1 digest of 40 hexadecimal digits (use --plain for a list of passwords)")
	case len(raw) == 16:
		return 0, 0, errors.New("an NTLM digest: download the SHA-1 list")
	case !counted:
		return binary.BigEndian.Uint64(raw), s.MinCount, nil
	}
	if seen, err = strconv.Atoi(strings.TrimSpace(number)); err != nil || seen < 0 {
		return 0, 0, errors.New("what follows the colon is not a number")
	}
	if seen == 0 { // padding of the range API
		seen = -1
	}
	return binary.BigEndian.Uint64(raw), seen, nil
}

// spill sorts the chunk and writes it to a run.
func (b *builder) spill() error {
	if len(b.chunk) == 0 {
		return nil
	}
	slices.Sort(b.chunk)
	b.chunk = slices.Compact(b.chunk)
	file, err := os.CreateTemp(b.folder, ".breached-run-*")
	if err != nil {
		return err
	}
	b.runs = append(b.runs, &run{file: file})
	out := bufio.NewWriter(file)
	var raw [8]byte
	for _, prefix := range b.chunk {
		binary.BigEndian.PutUint64(raw[:], prefix)
		if _, err := out.Write(raw[:]); err != nil {
			return err
		}
	}
	b.chunk = b.chunk[:0]
	return out.Flush()
}

// close removes the runs.
func (b *builder) close() {
	for _, r := range b.runs {
		_ = r.file.Close()
		_ = os.Remove(r.file.Name())
	}
}

// write merges the runs into the format of a File. The index comes first and is
// known last.
func (b *builder) write(file *os.File) error {
	if _, err := file.Seek(header+indexSize, io.SeekStart); err != nil {
		return err
	}
	var merged merge
	for _, r := range b.runs {
		if _, err := r.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r.in = bufio.NewReader(r.file)
		if err := merged.add(r); err != nil {
			return err
		}
	}
	index := make([]uint64, buckets+1)
	out := bufio.NewWriterSize(file, 1<<20)
	var raw [8]byte
	for last := uint64(0); len(merged) > 0; {
		next, err := merged.next()
		if err != nil {
			return err
		}
		if b.count > 0 && next == last {
			continue
		}
		last = next
		b.count++
		index[next>>48+1]++
		binary.BigEndian.PutUint64(raw[:], next)
		if _, err := out.Write(raw[2:]); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	start := binary.BigEndian.AppendUint64([]byte(magic), uint64(b.count))
	sum := uint64(0)
	for _, n := range index {
		sum += n
		start = binary.BigEndian.AppendUint64(start, sum)
	}
	_, err := file.WriteAt(start, 0)
	return err
}

// run is a sorted sequence of prefixes in a file.
type run struct {
	file *os.File
	in   *bufio.Reader
	head uint64
}

// merge is a heap of runs by their next prefix.
type merge []*run

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return cmp.Less(m[i].head, m[j].head) }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*run)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// add adds a run, unless it is at its end.
func (m *merge) add(r *run) error {
	more, err := r.advance()
	if more {
		heap.Push(m, r)
	}
	return err
}

// next removes and returns the smallest prefix.
func (m *merge) next() (uint64, error) {
	r := (*m)[0]
	prefix := r.head
	more, err := r.advance()
	if more {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return prefix, err
}

// advance reads the next prefix, and reports whether there is one.
func (r *run) advance() (bool, error) {
	var raw [8]byte
	switch _, err := io.ReadFull(r.in, raw[:]); {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, err
	}
	r.head = binary.BigEndian.Uint64(raw[:])
	return true, nil
}
