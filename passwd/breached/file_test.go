package breached

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// build makes a file of the sources and opens it.
func build(t *testing.T, sources ...Source) *File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "breached.bin")
	count, err := Build(name, sources...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if f.Len() != count {
		t.Errorf("the file has %d entries, Build said %d", f.Len(), count)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(name), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	return f
}

func contains(t *testing.T, list List, password string, want bool) {
	t.Helper()
	if got, err := list.Contains(context.Background(), password); err != nil || got != want {
		t.Errorf("%q: %v, %v; want %v", password, got, err, want)
	}
}

func digestOf(password string) string {
	sum := sha1.Sum([]byte(password))
	return hex.EncodeToString(sum[:])
}

func TestSources(t *testing.T) {
	digest := digestOf("hunter2")
	for name, source := range map[string]Source{
		"plain":            {Plain: true, Lines: strings.NewReader("hunter2\nP@ssw0rd\n")},
		"plain, windows":   {Plain: true, Lines: strings.NewReader("\ufeffhunter2\r\nother\r\n\r\n")},
		"plain, Latin-1":   {Plain: true, Lines: strings.NewReader("stra\xdfe\nhunter2\n")},
		"plain, no end":    {Plain: true, Lines: strings.NewReader("a\nhunter2")},
		"digests":          {Lines: strings.NewReader(digest + "\n")},
		"digests, counted": {Lines: strings.NewReader(strings.ToUpper(digest) + ":17\r\n"), MinCount: 17},
		"a range":          {Lines: strings.NewReader(digest[5:] + ":17\r\n"), Prefix: digest[:5]},
	} {
		t.Run(name, func(t *testing.T) {
			f := build(t, source)
			contains(t, f, "hunter2", true)
			contains(t, f, "hunter2 ", false)
			contains(t, f, "Hunter2", false)
			contains(t, f, "", false)
		})
	}
	rare := Source{Lines: strings.NewReader(digest + ":16\n"), MinCount: 17}
	contains(t, build(t, rare), "hunter2", false)
	padding := Source{Lines: strings.NewReader(digest + ":0\n")}
	contains(t, build(t, padding), "hunter2", false)
	contains(t, build(t), "hunter2", false)
}

func TestSourcesAreChecked(t *testing.T) {
	digest := digestOf("hunter2")
	for name, c := range map[string]struct {
		source Source
		want   string
	}{
		"passwords as digests": {Source{Lines: strings.NewReader(digest + "\nhunter2\n")}, "line 2: not a SHA-1 digest"},
		"NTLM":                 {Source{Lines: strings.NewReader(digest[:32] + ":1\n")}, "NTLM"},
		"a digit less":         {Source{Lines: strings.NewReader(digest[:38] + ":1\n")}, "line 1: not a SHA-1"},
		"no number":            {Source{Lines: strings.NewReader(digest + ":many\n")}, "not a number"},
		"negative":             {Source{Lines: strings.NewReader(digest + ":-1\n")}, "not a number"},
		"a long line":          {Source{Plain: true, Lines: strings.NewReader("a\n" + strings.Repeat("a", longestLine+1))}, "line 2: bufio.Scanner: token too long"},
	} {
		folder := t.TempDir()
		before := filepath.Join(folder, "breached.bin")
		if err := os.WriteFile(before, []byte("as it was"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Build(before, c.source); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		entries, err := os.ReadDir(folder)
		if content, _ := os.ReadFile(before); err != nil || len(entries) != 1 || string(content) != "as it was" {
			t.Errorf("%s: the folder has changed: %v, %v", name, entries, err)
		}
	}
}

// Runs that overlap and have entries in common are merged.
func TestChunks(t *testing.T) {
	defer func(before int) { chunkSize = before }(chunkSize)
	chunkSize = 100
	var first, second strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&first, "password %d\n", i)
		fmt.Fprintf(&second, "%s:%d\n", digestOf(fmt.Sprintf("password %d", i+500)), i+1)
	}
	f := build(t, Source{Plain: true, Lines: strings.NewReader(first.String())}, Source{Lines: strings.NewReader(second.String())})
	if f.Len() != 1500 {
		t.Errorf("%d entries, want 1500", f.Len())
	}
	for i := range 1600 {
		contains(t, f, fmt.Sprintf("password %d", i), i < 1500)
	}
}

// A file that is not complete, or changed while it is open, is an error.
func TestDamagedFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "breached.bin")
	if _, err := Build(name, Source{Plain: true, Lines: strings.NewReader("hunter2\nother\n")}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	size := len(whole)
	changed := func(at int, b byte) []byte {
		c := append([]byte(nil), whole...)
		c[at] = b
		return c
	}
	for what, content := range map[string][]byte{
		"empty": nil, "a word": []byte("hunter2\n"), "no index": whole[:len(magic)+8], "half an index": whole[:size/2],
		"an entry less": whole[:size-entrySize], "a byte less": whole[:size-1], "a byte more": append(whole[:size:size], 0),
		"another version": changed(16, '2'), "another count": changed(len(magic)+7, 3), "a wrong index": changed(int(header)+7, 9),
		"a huge count": changed(len(magic), 0xff),
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.bin")
		if err := os.WriteFile(damaged, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(damaged); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, header+indexSize); err != nil {
		t.Fatal(err)
	}
	if found, err := f.Contains(context.Background(), "hunter2"); err == nil || found {
		t.Errorf("in a truncated file: %v, %v", found, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Contains(context.Background(), "hunter2"); err == nil {
		t.Error("a closed file has no error")
	}
}

// failing is a list that cannot be read.
type failing struct{ error }

func (f failing) Contains(context.Context, string) (bool, error) { return false, f.error }

func TestAny(t *testing.T) {
	f := build(t, Source{Plain: true, Lines: strings.NewReader("hunter2\n")})
	broken := failing{errors.New("broken")}
	contains(t, Any(f, f), "hunter2", true)
	contains(t, Any(broken, f), "hunter2", true)
	contains(t, Any(f, broken), "hunter2", true)
	contains(t, Any(f), "other", false)
	contains(t, Any(), "hunter2", false)
	if found, err := Any(f, broken).Contains(context.Background(), "other"); found || !errors.Is(err, broken.error) {
		t.Errorf("%v, %v", found, err)
	}
}
