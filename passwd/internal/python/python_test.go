package python

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"
)

// table is what CPython says of every character; see testdata/README.md.
type table struct {
	Unicode string
	Word    [][2]rune // ranges of \w
	Digit   [][2]rune
	Space   []rune
	Lower   map[string]string
}

func read(t *testing.T) (content table) {
	t.Helper()
	f, err := os.Open("testdata/cpython.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(r).Decode(&content); err != nil {
		t.Fatal(err)
	}
	return content
}

func set(ranges [][2]rune) map[rune]bool {
	in := map[rune]bool{}
	for _, r := range ranges {
		for c := r[0]; c <= r[1]; c++ {
			in[c] = true
		}
	}
	return in
}

// TestEveryCharacter compares with CPython. Its Unicode is 14.0; characters that
// are new in Go's may differ, a few thousand letters and no others.
func TestEveryCharacter(t *testing.T) {
	python := read(t)
	words, digits, newer := set(python.Word), set(python.Digit), 0
	for r := rune(0); r <= 0x10ffff; r++ {
		if r >= 0xd800 && r < 0xe000 {
			continue
		}
		if IsWord(r) != words[r] {
			if words[r] {
				t.Errorf("%U is \\w in Python", r)
			}
			newer++
		}
		if IsDigits(string(r)) != digits[r] && digits[r] {
			t.Errorf("%U is a digit in Python", r)
		}
	}
	if newer > 5000 {
		t.Errorf("%d characters are \\w here and not in Python", newer)
	}
	for _, r := range python.Space {
		if Strip(string(r)) != "" {
			t.Errorf("%U is a space in Python", r)
		}
	}
}

func TestLower(t *testing.T) {
	python := read(t).Lower
	if len(python) < 1000 {
		t.Fatalf("only %d texts", len(python))
	}
	for in, want := range python {
		if got := Lower(in); got != want {
			t.Errorf("Lower(%+q) = %+q, Python %+q", in, got, want)
		}
	}
}

func TestIsDigits(t *testing.T) {
	for s, want := range map[string]bool{"": false, "12": true, "1a": false, "²²": true, "١٢": true, "½": false, "Ⅷ": false, "1 2": false} {
		if IsDigits(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestStrip(t *testing.T) {
	for s, want := range map[string]string{"": "", " a b\t": "a b", "\x1ca\x1f": "a", "\u200ba": "\u200ba", "\ufeffa": "\ufeffa", "\u3000a\u0085": "a"} {
		if got := Strip(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}
