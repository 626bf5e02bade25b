// Package names checks and normalizes usernames and e-mail addresses as Django's
// user model does (django/contrib/auth/validators.py and base_user.py).
//
//	username, err := names.Username(input)
//
// A username is normalized when it is made, not when it is looked up: Django
// compares what was typed at login byte for byte. All of it can be called
// concurrently.
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

// The reasons to reject a username. The texts are those of Django and of Django REST
// framework, to be shown to users.
var (
	ErrCharacters error = refusal("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.")
	ErrTooLong    error = refusal("Ensure this field has no more than 150 characters.")
)

type refusal string

func (r refusal) Error() string { return string(r) }

// Username checks a new username and returns it in Unicode's form NFKC, in which
// it is to be stored. It returns ErrTooLong or ErrCharacters. The length comes
// first, so that long input is not normalized. Unlike Django it also rejects a
// name that becomes too long or gets other characters by the normalization: such a
// name could not be saved, or could not be typed again.
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

// Email returns an address as Django stores it: the part after the last @ in lower
// case and, if there is an @, without surrounding blanks. CheckEmail checks it.
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
