package passwd

// A stored password taken apart: the recipe (algorithm and parameters), the salt
// and the digest.

import (
	"errors"
	"strconv"
	"strings"
)

// maxEncoded is the longest stored text, in bytes, that is parsed. Django's column
// holds 128 characters.
const maxEncoded = 1024

// saltLength is the length of new salts: 22 characters out of 62 carry 131 bits,
// Django's choice for salt_entropy = 128.
const saltLength = 22

var (
	errBroken    = errors.New("not a password hash")
	errTooCostly = errors.New("password hash exceeds the limit")
)

// A recipe says how a digest is computed. It is comparable: two hashes of equal
// recipes cost the same. The zero recipe is that of no hash.
type recipe struct {
	algorithm   string // Django's name
	variant     string // argon2: argon2id, argon2i, argon2d; bcrypt: 2a, 2b, 2y
	version     int    // argon2: 16 or 19
	passes      int    // pbkdf2: iterations; argon2: t; bcrypt: log2 of the rounds; scrypt: N
	memory      int    // argon2: KiB; scrypt: r, in blocks of 128 bytes
	parallelism int    // argon2, scrypt: p
	size        int    // digest bytes
}

// A hash is a stored password taken apart.
type hash struct {
	recipe
	salt   string // as it enters the computation
	digest []byte
}

// parse takes a stored text apart, without computing anything. It returns
// errBroken for a text that Django would not have written and errTooCostly, with
// the hash if all numbers fit, for parameters above the algorithm's ceiling.
func parse(encoded string) (hash, error) {
	a := algorithms[identify(encoded)]
	if a == nil {
		return hash{}, errBroken
	}
	stored, err := a.decode(encoded)
	switch {
	case err != nil:
		return hash{}, err
	case !a.possible(stored.recipe):
		return hash{}, errBroken
	case a.exceeds(stored.recipe, a.ceiling()):
		return stored, errTooCostly
	}
	return stored, nil
}

// identify names the algorithm as Django's identify_hasher does. The name may be
// unknown. It is "" for a text of more than maxEncoded bytes.
func identify(encoded string) string {
	if len(encoded) > maxEncoded {
		return ""
	}
	name, _, found := strings.Cut(encoded, "$")
	switch {
	case len(encoded) == 32 && !found, len(encoded) == 37 && strings.HasPrefix(encoded, "md5$$"):
		return "unsalted_md5"
	case len(encoded) == 46 && strings.HasPrefix(encoded, "sha1$$"):
		return "unsalted_sha1"
	case !found:
		return ""
	}
	return name
}

// kind returns the algorithm of a recipe, which must not be the zero recipe.
func (r recipe) kind() algorithm { return algorithms[r.algorithm] }

// matches reports whether the digest is that of password.
func (h hash) matches(password string) bool { return h.kind().matches(h, password) }

// weak reports what a Hasher replaces even with ",keep".
func (h hash) weak() bool { return h.kind().weak(h.recipe) || h.shortSalt() }

// shortSalt reports a salt of less than 128 bits, if Django looks at it.
func (h hash) shortSalt() bool { return h.kind().shortSalt(h.salt) }

// setting is the recipe in the form that New reads.
func (r recipe) setting() string { return r.algorithm + ":" + r.kind().parameters(r) }

// number reads a decimal as Django writes it: digits, no sign, no leading zero. A
// number above 31 bits is errTooCostly.
func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	switch {
	case errors.Is(err, strconv.ErrRange) && text[0] != '0':
		return 0, errTooCostly
	case err != nil || strconv.FormatUint(n, 10) != text:
		return 0, errBroken
	}
	return int(n), nil
}

// firstError returns the first error that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
