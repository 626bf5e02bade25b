// The key of an account: one for every spelling of its name.

package throttle

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// longestName bounds the work on a name, in bytes. User names have at most 150
// characters in Django, e-mail addresses 254.
const longestName = 1024

// AccountKey is the key under which tries at an account are counted: 32
// hexadecimal digits, the same for every spelling of name that differs only in
// outer blanks, letter case or compatibility forms such as full-width letters
// (Unicode NFKC and full case folding). Names that are equal in their first
// 1024 bytes have one key. Any string will do, valid UTF-8 or not.
//
// The key is a digest because people type passwords where the name belongs, and
// those shall not stand in a table. It is no secret all the same: whoever holds
// it can test guesses at the name.
//
// Two users whose names differ in case alone share a key, and so a delay. What a
// login forgives is counted apart, for the very name (internal/lockout), so that
// one of them cannot reset the other's delay.
func AccountKey(name string) string {
	sum := sha256.Sum256([]byte(fold(name)))
	return hex.EncodeToString(sum[:16])
}

// fold brings all spellings of a name to one. Blanks go before the cut, or a
// run of them would push a part of the name over it. Folding can undo what
// normalising did and the other way round, hence the rounds; three settle every
// string, which the tests try.
func fold(name string) string {
	name = trim(name)
	if len(name) > longestName {
		name = name[:longestName]
	}
	name = strings.ToValidUTF8(name, "\uFFFD")
	for range 3 {
		name = strings.ToLower(cases.Fold().String(name)) // ToLower for Cherokee, whose cases Fold swaps
		name = trim(norm.NFKC.String(name))
	}
	return name
}

// trim drops outer blanks and control characters; Python's strip, which Django
// uses, counts some of the latter among the blanks.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
