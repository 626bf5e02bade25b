package passwd

// What a hash is made of: the recipe (algorithm and parameters), the salt and the
// digest; and the table of the algorithms that know each recipe.

import (
	"crypto/subtle"
	"errors"
	"strconv"
	"strings"
)

// maxEncoded bounds the stored text before it is looked at. Django's column holds
// 128 characters.
const maxEncoded = 1024

// saltLength is the length of new salts: 22 characters out of 62 carry 131 bits,
// Django's choice for salt_entropy = 128.
const saltLength = 22

var errBroken = errors.New("not a password hash")

// A recipe says how a digest is computed. It is comparable: two hashes of equal
// recipes cost the same.
type recipe struct {
	algorithm string // Django's name
	variant   string // argon2: argon2id, argon2i, argon2d; bcrypt: 2a, 2b, 2y
	version   int    // argon2: 16 or 19
	passes    int    // pbkdf2: iterations; argon2: t; bcrypt: log2 of the rounds; scrypt: N
	memory    int    // argon2: KiB; scrypt: r, in blocks of 128 bytes
	lanes     int    // argon2, scrypt: p
	size      int    // digest bytes
}

// A hash is a stored password taken apart.
type hash struct {
	recipe
	salt   string // as it enters the computation
	digest []byte
}

// An algorithm knows one of Django's hashers. Those without prefer are only
// checked.
type algorithm struct {
	decode  func(encoded string) (hash, error)
	matches func(h hash, password string) bool // constant-time comparison
	sound   func(recipe) error                 // the bounds, looked at before matches
	weak    func(recipe) bool                  // below Django 3.2's default; nil: always
	memory  func(recipe) int64                 // bytes; nil: next to none
	salted  func(salt string) bool             // long enough; nil: not judged
	setting func(recipe) string                // parameters as New reads them
	prefer  func(string) (recipe, error)       // the reverse of setting
	make    func(r recipe, password string) (string, error)
}

// parse takes a stored text apart and checks its parameters against the bounds.
// The text must be written as Django writes it, because Django compares texts.
func parse(encoded string) (hash, error) {
	if len(encoded) > maxEncoded {
		return hash{}, errBroken
	}
	a, known := algorithms[identify(encoded)]
	if !known {
		return hash{}, errBroken
	}
	stored, err := a.decode(encoded)
	if err != nil {
		return hash{}, err
	}
	return stored, a.sound(stored.recipe)
}

// identify names the algorithm as Django's identify_hasher does. The name may be
// one that nobody knows.
func identify(encoded string) string {
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

// matches reports whether the digest is that of password.
func (h hash) matches(password string) bool {
	return algorithms[h.algorithm].matches(h, password)
}

// shortSalt reports a salt of less than 128 bits, where Django looks at it.
func (h hash) shortSalt() bool {
	salted := algorithms[h.algorithm].salted
	return salted != nil && !salted(h.salt)
}

// weak reports what a Hasher replaces even when told to keep.
func (h hash) weak() bool {
	weak := algorithms[h.algorithm].weak
	return weak == nil || weak(h.recipe) || h.shortSalt()
}

// comparing makes matches from a function that computes the digest.
func comparing(derive func(r recipe, password, salt string) []byte) func(hash, string) bool {
	return func(h hash, password string) bool {
		return subtle.ConstantTimeCompare(derive(h.recipe, password, h.salt), h.digest) == 1
	}
}

// salting makes a whole text: a new salt, its digest, encode.
func salting(derive func(r recipe, password, salt string) []byte, encode func(hash) string) func(recipe, string) (string, error) {
	return func(r recipe, password string) (string, error) {
		salt := randomText(saltLength)
		return encode(hash{r, salt, derive(r, password, salt)}), nil
	}
}

// memoryBytes is what derive takes.
func (r recipe) memoryBytes() int64 {
	if memory := algorithms[r.algorithm].memory; memory != nil {
		return memory(r)
	}
	return 0
}

func (r recipe) setting() string {
	return r.algorithm + ":" + algorithms[r.algorithm].setting(r)
}

// sameWork compares what Django's must_update compares, apart from the salt.
func (r recipe) sameWork(other recipe) bool {
	switch r.algorithm {
	case "bcrypt", "bcrypt_sha256":
		r.variant = other.variant
	case "argon2":
		if r.size == 16 || r.size == 32 {
			r.size = other.size
		}
	}
	return r == other
}

// number reads a decimal as Django writes it: digits, no sign, no leading zero.
func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, errBroken
	}
	return int(n), nil
}

// between returns errBroken unless low <= n <= high.
func between(low, n, high int) error {
	if n < low || n > high {
		return errBroken
	}
	return nil
}

// longSalt is Django's must_update_salt for salts of letters and digits.
func longSalt(salt string) bool { return len([]rune(salt)) >= saltLength }
