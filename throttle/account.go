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

// AccountKey returns the key under which attempts at an account are counted: 32
// hexadecimal digits, the same for every spelling of name that differs only in
// surrounding blanks, in case or in compatibility forms such as full-width
// characters (Unicode NFKC and full case folding). Names that are equal in their
// first 1024 bytes have one key. Any string is accepted, valid UTF-8 or not.
//
// The key is a digest because users sometimes type the password in place of the
// name, and a password must not be stored in a table. The key is still not a
// secret: guesses at the name can be tested against it.
//
// Two users whose names differ only in case share a key, and so a delay. What a
// login forgives is counted separately, for the exact name (internal/lockout), so
// that one of them cannot reset the other's delay.
func AccountKey(name string) string {
	sum := sha256.Sum256([]byte(fold(name)))
	return hex.EncodeToString(sum[:16])
}

// fold maps all spellings of a name to one. Blanks are removed before the name is
// cut, or a run of them would push a part of the name over the limit. Folding and
// normalizing can undo each other, so they are repeated; three rounds are enough
// for every string, which the tests try.
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

// trim removes surrounding blanks and control characters; Python's strip, which Django
// uses, counts some control characters as blanks.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
