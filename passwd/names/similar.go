package names

// Similar names: those that differ only in case, in compatibility forms or
// in characters that look alike (Unicode Technical Standard 39 section 4).

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

//go:generate go run -C ../../tools ./confusables -o ../passwd/names/confusables.txt

// confusables is Unicode's table of characters that look like others, which
// `make build` compresses.
//
//go:embed confusables.txt
var confusables []byte

// longestName bounds the work on a name, in bytes. User names have at most 150
// characters in Django, e-mail addresses 254.
const longestName = 1024

// Fold returns a form of the name that is equal for names that differ only in
// surrounding blanks, in case, in compatibility forms such as full-width characters
// (NFKC), or in characters that look alike, such as the Latin and the Cyrillic a
// (Unicode Technical Standard 39). Only the first 1024 bytes count. Any string is
// accepted, valid UTF-8 or not. The result is for comparisons only; it is not a name.
//
// In an address that ValidEmail accepts, ASCII characters are not replaced by others
// that look alike, because tom1@example.com and toml@example.com are the mailboxes of
// two people.
func Fold(name string) string {
	name = foldCase(clean(name))
	return settle(name, ValidEmail(name))
}

// Skeletons returns one or two texts for a name: two names are similar if they have one
// of these texts in common. The first is the result of Fold. There is a second one if
// the name in its own case looks like other names than in lower case: "Ian" looks like
// "lan", but "ian" does not.
func Skeletons(name string) []string {
	first := Fold(name)
	name = norm.NFKC.String(clean(name))
	if ValidEmail(name) {
		return []string{first}
	}
	if second := settle(skeleton(name, false), false); second != first {
		return []string{first, second}
	}
	return []string{first}
}

// clean removes surrounding blanks before the name is cut: a run of them would
// otherwise push a part of the name over the limit.
func clean(name string) string {
	name = trim(name)
	if len(name) > longestName {
		name = name[:longestName]
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// trim removes surrounding blanks and control characters; Python's strip, which
// Django uses, counts some control characters as blanks.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// foldCase folds case and compatibility forms. Folding and normalizing can undo
// each other, so they are repeated.
func foldCase(name string) string {
	return repeat(name, func(name string) string {
		if !isASCII(name) {
			name = cases.Fold().String(name)
		}
		return trim(norm.NFKC.String(strings.ToLower(name))) // ToLower for Cherokee, whose cases Fold swaps
	})
}

// settle folds until nothing changes, since a character may look like one in upper
// case, which is another one in lower case.
func settle(name string, address bool) string {
	return repeat(name, func(name string) string { return skeleton(foldCase(name), address) })
}

// repeat applies step until it changes nothing. The tests try that a few rounds are
// enough for every character.
func repeat(name string, step func(string) string) string {
	for range 6 {
		next := step(name)
		if next == name {
			break
		}
		name = next
	}
	return name
}

// skeleton is the skeleton of UTS 39 section 4; in an address ASCII characters stay.
// The name is in form NFKC.
func skeleton(name string, address bool) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(name) {
		if target, ok := lookAlikes()[r]; ok && (r >= utf8.RuneSelf || !address) {
			b.WriteString(target)
		} else if !invisible(r) {
			b.WriteRune(r)
		}
	}
	return norm.NFD.String(b.String())
}

// invisible reports whether a character is not shown: Unicode's property
// Default_Ignorable_Code_Point.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// lookAlikes parses the table at the first use.
var lookAlikes = sync.OnceValue(func() map[rune]string {
	table := map[rune]string{}
	for line := range strings.Lines(string(plain(confusables))) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		points := runesOf(strings.Fields(line))
		table[points[0]] = string(slices.DeleteFunc(points[1:], invisible))
	}
	return table
})

// plain returns a text that may be compressed.
func plain(data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return data
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic("names: confusables.txt: " + err.Error()) // unreachable: tools/pack wrote it, and a test reads it
	}
	return text
}

// runesOf parses hexadecimal code points.
func runesOf(words []string) []rune {
	list := make([]rune, len(words))
	for i, word := range words {
		n, err := strconv.ParseUint(word, 16, 32)
		if err != nil {
			panic("names: confusables.txt: " + err.Error()) // unreachable: the file is generated, and a test reads it
		}
		list[i] = rune(n)
	}
	return list
}
