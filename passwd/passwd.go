// Package passwd hashes and checks passwords in the formats of Django's column
// auth_user.password.
//
// There are two calls: [Hasher.Make] returns the text to store for a password, and
// [Hasher.Check] compares a password with a stored text and reports whether that
// should be replaced by a new one:
//
//	hasher, err := passwd.New("") // Argon2id; see New
//	encoded, err := hasher.Make(password)
//	ok, outdated := hasher.Check(password, encoded)
//	if ok && outdated {
//		encoded, err = hasher.Make(password) // and store it
//	}
//
// # Formats
//
// Made and checked: pbkdf2_sha256, pbkdf2_sha1, argon2 (Argon2id), bcrypt_sha256,
// bcrypt and scrypt. Only checked: argon2 with Argon2i and Argon2d and of version
// 1.0, md5, sha1, the unsalted forms of both, and crypt (DES), which older
// versions of Django stored. The texts are Django's byte for byte
// (django/contrib/auth/hashers.py).
//
// # Choosing a setting
//
// A new installation needs no choice: the zero Hasher and New("") use Argon2id
// with 19 MiB, two passes and a parallelism of one (OWASP Password Storage Cheat
// Sheet).
//
// If a Django site uses the same database, choose the parameters of its version,
// such as "django-5.2". At a login, Django replaces every hash that does not have
// its preferred algorithm and parameters, and Check reports such a hash as outdated
// too. With equal parameters, neither replaces the hashes of the other. If Django's
// parameters are unknown or differ between machines, add ",keep" ("argon2,keep",
// "django-6.1,keep"): then only retired algorithms and parameters below those of
// Django 3.2 are outdated.
//
// # Time
//
// Check takes the same time for a right and a wrong password, for a missing user
// (pass "" as encoded), an unusable password, an invalid text and a cheaper, older
// hash: it does additional work, up to that of the costliest hash that this Hasher
// has seen. It takes less time only for a password that is too long or not valid
// UTF-8.
//
// # Limits
//
// A password has at most MaxPassword bytes and is valid UTF-8. A stored text has at
// most 1,024 bytes. A stored hash that costs more than a limit is not computed: every
// password for it is rejected, in the time of a wrong password. [Hasher.WithLimits]
// lists the default limits and changes them, and [Hasher.TooCostly] finds such hashes.
// The highest possible limits are: PBKDF2, 10,000,000 iterations; Argon2, 512 MiB, a
// parallelism of 64, and 4 GiB for memory times passes; bcrypt, 2^17 rounds; scrypt,
// 512 MiB, and 2^24 for N*r*p.
package passwd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxPassword is the maximum length of a password, in bytes. It bounds the work that
// a request can cause; Django has no such limit.
const MaxPassword = 4096

// ErrPassword is the error of Make for a password that cannot be hashed: it is longer
// than MaxPassword or not valid UTF-8; or, with the algorithm bcrypt, it is longer
// than 72 bytes or contains a NUL byte, since bcrypt would ignore the rest.
var ErrPassword = errors.New("password cannot be hashed")

// A Hasher makes hashes with its preferred algorithm and parameters, and checks
// hashes of every algorithm. The zero value is that of New(""), the safe choice. A
// Hasher is safe for concurrent use and must not be copied after its first use.
type Hasher struct {
	preferred recipe
	keep      bool
	limits    map[string]recipe // by algorithm; read-only
	costliest costliest
	watch     *stopwatch // nil: machine
}

// prefers returns the recipe for new hashes.
func (h *Hasher) prefers() recipe {
	if h.preferred.algorithm == "" {
		return owasp
	}
	return h.preferred
}

// Make hashes the password with the preferred algorithm and a new random salt of
// at least 128 bits, and returns the text to store. The error is ErrPassword. Make
// does not reject weak passwords, not even the empty one; package passwd/strength
// does.
func (h *Hasher) Make(password string) (string, error) {
	if err := acceptable(password); err != nil {
		return "", err
	}
	r := h.prefers()
	return r.kind().(maker).make(r, password)
}

// Check reports whether the password is the one that encoded was made from and, if
// so, whether encoded is outdated (see Outdated) and should be replaced by the
// result of Make. It takes the same time whatever encoded is; pass "" if there is
// no such user. Invalid, unusable and too costly texts never match. A password that
// is longer than MaxPassword or not valid UTF-8 is rejected immediately, whatever
// encoded is.
func (h *Hasher) Check(password, encoded string) (ok, outdated bool) {
	if acceptable(password) != nil {
		return false, false
	}
	stored, err := h.parse(encoded)
	if err != nil {
		h.equalize(password, recipe{})
		return false, false
	}
	ok = h.clock().matches(stored, password)
	h.remember(stored.recipe)
	h.equalize(password, stored.recipe)
	return ok, ok && h.outdated(stored)
}

// Outdated reports whether the password should be hashed again at the next login,
// because encoded has another algorithm, other parameters, or a salt of less than
// 128 bits (Django's must_update). Argon2 digests of 16 and of 32 bytes count as
// equal, because Django's length depends on the version of argon2-cffi. If the
// setting has ",keep", only weak hashes are outdated: see the package comment.
// Outdated is false for unusable, invalid and too costly texts.
func (h *Hasher) Outdated(encoded string) bool {
	stored, err := h.parse(encoded)
	return err == nil && h.outdated(stored)
}

func (h *Hasher) outdated(stored hash) bool {
	preferred := h.prefers()
	same := stored.algorithm == preferred.algorithm && preferred.kind().(maker).sameWork(stored.recipe, preferred)
	if h.keep && !stored.weak() {
		same = true
	}
	return !same || stored.shortSalt()
}

// Memory returns the maximum memory, in bytes, that Check uses for encoded, so that
// a caller can reserve it first; encoded is "" if there is no such user. Make uses at
// most Memory("").
func (h *Hasher) Memory(encoded string) int64 {
	target := h.target()
	need := target.kind().memory(target)
	if stored, err := h.parse(encoded); err == nil {
		need = max(need, stored.kind().memory(stored.recipe))
	}
	return need
}

// String returns the setting with all parameters, in the form that New reads. It
// does not include limits.
func (h *Hasher) String() string {
	text := h.prefers().setting()
	if h.keep {
		text += ",keep"
	}
	return text
}

// Unusable returns a text to store for a user without a password: "!" and 40 random
// characters, as Django's set_unusable_password. No password matches it.
func Unusable() string { return "!" + randomText(40) }

// IsUsable reports whether encoded does not begin with "!". Like Django's
// is_password_usable, it returns true for empty and invalid texts.
func IsUsable(encoded string) bool { return !strings.HasPrefix(encoded, "!") }

// acceptable returns ErrPassword, with the reason, for a password that cannot be
// hashed by any algorithm.
func acceptable(password string) error {
	if len(password) > MaxPassword {
		return fmt.Errorf("%w: longer than %d bytes", ErrPassword, MaxPassword)
	}
	if !utf8.ValidString(password) {
		return fmt.Errorf("%w: not valid UTF-8", ErrPassword)
	}
	return nil
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// randomText returns n characters of alphabet, each equally likely: bytes that
// would favour the first ones are thrown away.
func randomText(n int) string {
	text := make([]byte, 0, n)
	for len(text) < n {
		var draw [64]byte
		rand.Read(draw[:])
		for _, b := range draw {
			if len(text) < n && int(b) < 256/len(alphabet)*len(alphabet) {
				text = append(text, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(text)
}
