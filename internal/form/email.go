package form

// Whether an e-mail address is one, by Django's EmailValidator (django/core/validators.py).

import (
	"net/netip"
	"regexp"
	"strings"
)

// maxEmail is the longest address in bytes: RFC 3696, as Django has it.
const maxEmail = 320

// Go's regular expressions take linear time, whatever the address.
var (
	localPart = regexp.MustCompile("(?i)^(?:" +
		"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*" + // dot-atom
		`|"(?:[!#-\[\]-~]|\\[ -~])*")$`) // quoted string, without the control characters that Django lets in
	domainPart = regexp.MustCompile(`(?i)^(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{1,62}[A-Z0-9]$`)
)

// ValidEmail reports whether Django accepts the address. A domain in other
// letters than ASCII's must be given in its ASCII form (xn--…).
func ValidEmail(address string) bool {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || len(address) > maxEmail || !localPart.MatchString(address[:at]) {
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
