package names

// Validating e-mail addresses, by Django's EmailValidator (django/core/validators.py).

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxEmail is the maximum length of an address in characters (Unicode code points),
// as in Django's EmailField.
const MaxEmail = 254

// longestEmail is the longest one that the validator reads, in bytes: RFC 3696.
const longestEmail = 320

// The errors of CheckEmail. ErrEmailTooLong is for more than MaxEmail characters. The
// texts are those of Django and of Django REST framework, for users.
var (
	ErrEmail        error = refusal("Enter a valid email address.")
	ErrEmailTooLong error = refusal("Ensure this field has no more than 254 characters.")
)

// CheckEmail returns ErrEmailTooLong or ErrEmail if the address is not a valid e-mail
// address by Django's rules (django/core/validators.py, EmailValidator), and otherwise
// nil.
func CheckEmail(address string) error {
	switch {
	case len(address) > MaxEmail*utf8.UTFMax || utf8.RuneCountInString(address) > MaxEmail:
		return ErrEmailTooLong
	case !ValidEmail(address):
		return ErrEmail
	}
	return nil
}

// Go's regular expressions take linear time, whatever the address. They list both
// cases: with (?i), K also matches U+212A and S also U+017F, in Python, too, and such an
// address would be that of another mailbox in lower case.
var (
	localPart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("^(?:" +
			"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+(?:\\.[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+)*" + // dot-atom
			`|"(?:[!#-\[\]-~]|\\[ -~])*")$`) // quoted string, without the control characters that Django lets in
	})
	domainPart = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{1,62}[A-Za-z0-9]$`)
	})
)

// ValidEmail reports whether Django's EmailValidator accepts the address; it does not
// accept quoted local parts with control characters, nor U+212A and U+017F in a local
// part, which Django does. The ASCII form
// of an international domain is checked, as in Django. Its length is limited to 320
// bytes; see also MaxEmail.
func ValidEmail(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || len(address) > longestEmail || !localPart().MatchString(address[:at]) {
		return false
	}
	domain := address[at+1:]
	if domain == "localhost" || domainPart().MatchString(domain) || addressLiteral(domain) {
		return true
	}
	ascii, ok := asciiDomain(domain)
	return ok && domainPart().MatchString(ascii)
}

// toASCII maps a domain as Python's codec idna does (IDNA 2003), with which
// Django checks and sends.
var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(true), idna.VerifyDNSLength(true), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))

// asciiDomain returns the ASCII form of a domain, if it has one.
func asciiDomain(domain string) (string, bool) {
	ascii, err := toASCII.ToASCII(domain)
	return ascii, err == nil
}

// ASCIIEmail returns an address in a form that mail servers without SMTPUTF8
// (RFC 6531) accept: an international domain is replaced by its ASCII form
// (RFC 5890), as Django does when it sends a message. An address with an ASCII
// domain, or one that has no ASCII form, is returned unchanged.
func ASCIIEmail(address string) string {
	local, domain, _ := cutLast(address, "@")
	ascii, ok := asciiDomain(domain)
	if !ok || isASCII(domain) {
		return address
	}
	return local + "@" + ascii
}

// SameEmail reports whether two addresses are equal without regard to case. A letter of
// ASCII is only equal to one of ASCII.
func SameEmail(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for i := 0; len(x) == len(y) && i < len(x); i++ {
		if x[i] != y[i] && ((x[i] < utf8.RuneSelf) != (y[i] < utf8.RuneSelf) || !strings.EqualFold(string(x[i]), string(y[i]))) {
			return false
		}
	}
	return len(x) == len(y)
}

// Mailbox returns the same text for addresses that probably lead to one mailbox, to
// count messages to it: in lower case, without quotes and without what follows a "+"
// (RFC 5233) in the local part, with the ASCII form of the domain.
func Mailbox(address string) string {
	local, domain, _ := cutLast(address, "@")
	if quoted, ok := strings.CutPrefix(local, `"`); ok {
		local = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `\`, "")
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if ascii, ok := asciiDomain(domain); ok {
		domain = ascii
	}
	return strings.ToLower(local + "@" + strings.TrimSuffix(domain, "."))
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// addressLiteral is [192.0.2.1] or [2001:db8::1].
func addressLiteral(s string) bool {
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return false
	}
	addr, err := netip.ParseAddr(s[1 : len(s)-1])
	return err == nil && addr.Zone() == ""
}
