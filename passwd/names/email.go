package names

// Validating e-mail addresses, by Django's EmailValidator (django/core/validators.py).

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxEmail is the longest address in characters, as in Django's EmailField.
const MaxEmail = 254

// longestEmail is the longest one that the validator reads, in bytes: RFC 3696.
const longestEmail = 320

// The reasons to reject an address, with Django's texts.
var (
	ErrEmail        error = refusal("Enter a valid email address.")
	ErrEmailTooLong error = refusal("Ensure this field has no more than 254 characters.")
)

// CheckEmail checks an address that is to be a login name. It returns nil,
// ErrEmailTooLong or ErrEmail.
func CheckEmail(address string) error {
	switch {
	case len(address) > MaxEmail*utf8.UTFMax || utf8.RuneCountInString(address) > MaxEmail:
		return ErrEmailTooLong
	case !ValidEmail(address):
		return ErrEmail
	}
	return nil
}

// Go's regular expressions take linear time, whatever the address.
var (
	localPart = regexp.MustCompile("(?i)^(?:" +
		"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*" + // dot-atom
		`|"(?:[!#-\[\]-~]|\\[ -~])*")$`) // quoted string, without the control characters that Django lets in
	domainPart = regexp.MustCompile(`(?i)^(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{1,62}[A-Z0-9]$`)
)

// ValidEmail reports whether Django accepts the address. A domain
// with other characters than ASCII must be in its ASCII form (xn--…).
func ValidEmail(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || len(address) > longestEmail || !localPart.MatchString(address[:at]) {
		return false
	}
	domain := address[at+1:]
	return domain == "localhost" || domainPart.MatchString(domain) || addressLiteral(domain)
}

// addressLiteral is [192.0.2.1] or [2001:db8::1].
func addressLiteral(s string) bool {
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return false
	}
	addr, err := netip.ParseAddr(s[1 : len(s)-1])
	return err == nil && addr.Zone() == ""
}
