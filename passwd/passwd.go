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
// with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).
//
// Beside a running Django choose Django's own parameters by its version, such as
// "django-5.2". Django rewrites, at login, every hash that differs from its
// preferred algorithm or parameters, and so does a Hasher; with equal parameters
// neither touches what the other made. Where Django's are not known or differ
// between machines, add ",keep" ("argon2,keep", "django-6.1,keep"): then a sound
// hash is left as it is, whoever made it, and only retired algorithms and
// parameters below those of Django 3.2 are replaced.
//
// # Time
//
// Check takes the same time for a right and a wrong password, for a missing user
// (pass "" as encoded), an unusable password, a damaged text and a cheaper, older
// hash: it adds the work that is missing to reach the dearest hash that this
// Hasher knows of. Nothing but the length and the encoding of the password itself
// shortens it.
//
// # Bounds
//
// A password has at most MaxPassword bytes and is valid UTF-8. Parameters out of
// bounds are refused before memory is taken: PBKDF2 10,000,000 iterations; Argon2
// 512 MiB, 64 lanes, 4 GiB of memory times passes; bcrypt 17 rounds; scrypt
// 512 MiB, 64 lanes, N*r*p of 2^24; texts of more than 1,024 bytes. Such a text is
// a failed login like any other damaged one.
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
// hashes of every kind. The zero value prefers Argon2id as New("") does. Its
// methods may be called concurrently; it must not be copied after first use.
type Hasher struct {
	preferred recipe
	keep      bool
	dearest   dearest
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
// at least 128 bits. It returns ErrPassword for a password out of bounds. An empty
// password is hashed as any other: package strength is where it is refused.
func (h *Hasher) Make(password string) (string, error) {
	if err := acceptable(password); err != nil {
		return "", err
	}
	r := h.prefers()
	return algorithms[r.algorithm].make(r, password)
}

// Check reports whether the password is the one that encoded was made from, and,
// if so, whether encoded is outdated (see Outdated) and should be replaced by a
// fresh Make. It takes as long for any other answer as for a match, whatever
// encoded is; pass "" when there is no such user. Broken and unusable texts never
// match. A password out of bounds is refused at once, whoever it is for.
func (h *Hasher) Check(password, encoded string) (ok, outdated bool) {
	if acceptable(password) != nil {
		return false, false
	}
	stored, err := parse(encoded)
	if err != nil {
		h.level(password, recipe{})
		return false, false
	}
	ok = h.clock().matches(stored, password)
	h.remember(stored.recipe)
	h.level(password, stored.recipe)
	return ok, ok && h.outdated(stored)
}

// Outdated reports whether a password stored as encoded should be hashed anew at
// the next login, as Django's must_update does: another algorithm, other
// parameters, or a salt of less than 128 bits. Argon2 digests of 16 and of 32
// bytes count as equal, because Django's length depends on its argon2-cffi. With
// "keep" only weak hashes are outdated. Unusable and broken texts are not.
func (h *Hasher) Outdated(encoded string) bool {
	stored, err := parse(encoded)
	return err == nil && h.outdated(stored)
}

func (h *Hasher) outdated(stored hash) bool {
	if h.keep {
		return stored.weak()
	}
	return !stored.sameWork(h.prefers()) || stored.shortSalt()
}

// Memory returns the bytes that Check takes at most for encoded, "" included, so
// that a caller can reserve them beforehand. Make takes no more than Memory("").
func (h *Hasher) Memory(encoded string) int64 {
	need := h.target().memoryBytes()
	if stored, err := parse(encoded); err == nil {
		need = max(need, stored.memoryBytes())
	}
	return need
}

// String returns the setting in full, in the form that New reads.
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
// is_password_usable it is true for empty and broken texts.
func IsUsable(encoded string) bool { return !strings.HasPrefix(encoded, "!") }

// acceptable returns ErrPassword, with the reason, for a password out of bounds.
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
