// Package names checks and normalizes usernames and e-mail addresses as Django's
// user model does (django/contrib/auth/validators.py and base_user.py).
//
// There are two calls: [Username] for a new username, and [Email] with [CheckEmail]
// for an e-mail address:
//
//	username, err := names.Username(input)
//
//	address := names.Email(input)
//	err := names.CheckEmail(address)
//
// A username is normalized when it is stored, not when it is looked up, because Django
// compares the input of a login byte for byte. [Fold] finds names that look alike.
// Everything in this package is safe for concurrent use.
package names

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/jotgate/jotgate/passwd/internal/python"
)

// MaxUsername is the longest username in characters (Unicode code points), as in
// Django's column auth_user.username.
const MaxUsername = 150

// The errors of Username. ErrTooLong is for more than MaxUsername characters. The
// texts are those of Django and of Django REST framework, for users.
var (
	ErrCharacters error = refusal("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.")
	ErrTooLong    error = refusal("Ensure this field has no more than 150 characters.")
)

type refusal string

func (r refusal) Error() string { return string(r) }

// Username checks a new username and returns it in Unicode's normal form NFKC, which
// is to be stored. The error is ErrTooLong or ErrCharacters; the latter also for an
// empty name and for invalid UTF-8. The length is checked first, so that long input
// is not normalized. Unlike Django, Username also checks the normalized name: if it
// were too long it could not be stored, and with other characters it could not be
// entered again.
func Username(input string) (string, error) {
	if err := check(input); err != nil {
		return "", err
	}
	name := norm.NFKC.String(input)
	return name, check(name)
}

// check is the model's max_length and UnicodeUsernameValidator.
func check(name string) error {
	if len(name) > MaxUsername*utf8.UTFMax || utf8.RuneCountInString(name) > MaxUsername {
		return ErrTooLong
	}
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, forbidden) {
		return ErrCharacters
	}
	return nil
}

// forbidden is the complement of [\w.@+-].
func forbidden(r rune) bool { return !python.IsWord(r) && !strings.ContainsRune(".@+-", r) }

// Normalize returns a username in NFKC without checking it, as Django's
// AbstractBaseUser.normalize_username does.
func Normalize(username string) string { return norm.NFKC.String(username) }

// Email returns an address as Django stores it: without surrounding blanks, and with
// the part after the last @ in lower case. A text without an @ is returned unchanged.
// Email checks nothing; see CheckEmail.
func Email(address string) string {
	local, domain, found := cutLast(python.Strip(address), "@")
	if !found {
		return address
	}
	return local + "@" + python.Lower(domain)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
