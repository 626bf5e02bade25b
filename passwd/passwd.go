// Package passwd makes and checks the password strings of Django's
// auth_user.password column.
//
// Two calls do the work. Make turns a password into the text to store, Check
// compares a password with the stored text and says whether to store a new one:
//
//	hasher, err := passwd.New("argon2")
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
// Beside a running Django choose Django's own parameters by its version, such as
// "django-5.2". Django rewrites, at login, every hash that differs from its
// preferred algorithm or parameters, and Check reports such a hash as outdated, so
// that with equal parameters neither side rewrites the other's hashes. If Django's
// parameters are unknown or differ between machines, add ",keep" ("argon2,keep",
// "django-6.1,keep"): then only retired algorithms and parameters below those of
// Django 3.2 are outdated.
//
// # Time
//
// Check takes the same time for a right and a wrong password, for a missing user
// (pass "" as encoded), an unusable password, an invalid text and a cheaper, older
// hash: it adds the work that is missing to the costliest hash that this Hasher
// has seen. Only the length and the encoding of the password itself, which the
// client chose, shorten it.
//
// # Limits
//
// A password has at most MaxPassword bytes and is valid UTF-8. A stored text has at
// most 1,024 bytes. Stored hashes that cost more than a limit are rejected before
// any of the work is done, in the time of a wrong password; [Hasher.WithLimits] has
// the default limits and changes them, [Hasher.TooCostly] finds such hashes. No
// limit can be above PBKDF2 10,000,000 iterations; Argon2 512 MiB, a parallelism of
// 64, 4 GiB of memory times passes; bcrypt 17 (2^17 rounds); scrypt 512 MiB, N*r*p
// of 2^24.
package passwd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxPassword is the longest password, in bytes, that is hashed or compared.
// Django has no such limit; it bounds the work that a stranger can ask for.
const MaxPassword = 4096

// ErrPassword is returned by Make for a password that cannot be hashed: longer
// than MaxPassword, not valid UTF-8 or, with bcrypt, longer than 72 bytes or with
// a NUL, which bcrypt would silently cut off.
var ErrPassword = errors.New("password cannot be hashed")

// A Hasher makes hashes with its preferred algorithm and parameters and checks
// hashes of every algorithm. The zero value prefers Argon2id as New("") does. Its
// methods can be called concurrently; it must not be copied after first use.
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
// at least 128 bits. It returns ErrPassword for a password that cannot be hashed.
// An empty password is hashed like any other: package strength rejects it.
func (h *Hasher) Make(password string) (string, error) {
	if err := acceptable(password); err != nil {
		return "", err
	}
	r := h.prefers()
	return r.kind().(maker).make(r, password)
}

// Check reports whether the password is the one that encoded was made from, and,
// if so, whether encoded is outdated (see Outdated) and should be replaced by the
// result of Make. It takes the same time whatever encoded is; pass "" if there is
// no such user. Invalid, unusable and too costly texts never match. A password that
// cannot be hashed is rejected immediately, whatever encoded is.
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

// Outdated reports whether a password stored as encoded should be hashed again at
// the next login, as Django's must_update does: for another algorithm, other
// parameters, or a salt of less than 128 bits. Argon2 digests of 16 and of 32
// bytes count as equal, because Django's length depends on its argon2-cffi. With
// "keep" only weak hashes are outdated. Unusable, invalid and too costly texts are
// not.
func (h *Hasher) Outdated(encoded string) bool {
	stored, err := h.parse(encoded)
	return err == nil && h.outdated(stored)
}

func (h *Hasher) outdated(stored hash) bool {
	if h.keep {
		return stored.weak()
	}
	preferred := h.prefers()
	same := stored.algorithm == preferred.algorithm && preferred.kind().(maker).sameWork(stored.recipe, preferred)
	return !same || stored.shortSalt()
}

// Memory returns the most memory, in bytes, that Check takes for encoded, "" (no
// such user) included, so that a caller can reserve it first. Make takes at most
// Memory("").
func (h *Hasher) Memory(encoded string) int64 {
	target := h.target()
	need := target.kind().memory(target)
	if stored, err := h.parse(encoded); err == nil {
		need = max(need, stored.kind().memory(stored.recipe))
	}
	return need
}

// String returns the setting in full, in the form that New reads. It does not
// include limits.
func (h *Hasher) String() string {
	text := h.prefers().setting()
	if h.keep {
		text += ",keep"
	}
	return text
}

// Unusable returns a text that no password matches, as Django stores for users
// who cannot log in with one: "!" and 40 random characters.
func Unusable() string { return "!" + randomText(40) }

// IsUsable reports whether encoded is not an Unusable text. Like Django's
// is_password_usable it is true for empty and invalid texts.
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
