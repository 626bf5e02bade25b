// The key of an account: one for every spelling of its name.

package throttle

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/jotgate/jotgate/passwd/names"
)

// AccountKey returns the key under which attempts at an account are counted: 32
// hexadecimal digits, the same for every spelling of name that names.Fold does not
// distinguish: different letter case, compatibility forms such as full-width
// characters, characters that look alike. Names that are equal in their first 1024
// bytes have one key. Any string is accepted, valid UTF-8 or not.
//
// The key is a digest because users sometimes type the password in place of the
// name, and a password must not be stored in a table. The key is still not a
// secret: guesses at the name can be tested against it.
//
// Two users with similar names have the same key, and so the same delay. A program
// that sets a count to zero after a successful login must count by the exact name
// too, so that a login of one user does not end the delay of the other; the
// endpoints of jotgate do so.
func AccountKey(name string) string {
	sum := sha256.Sum256([]byte(names.Fold(name)))
	return hex.EncodeToString(sum[:16])
}
