package names

import (
	"errors"
	"strings"
	"testing"
)

func TestValidEmail(t *testing.T) {
	for _, good := range []string{
		"a@b.de", "New.Bie@EXAMPLE.COM", "a+b@sub.example.org", "x@localhost", `"a.b"@example.com`, "a@[192.0.2.1]", "a@[2001:db8::1]",
		"a@xn--mller-kva.de", "!#$%&'*+/=?^_`{|}~-@example.com", "a@" + strings.Repeat("x", 63) + ".de",
	} {
		if !ValidEmail(good) {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{
		"", "nope", "@b.de", "a@", "a@b", "a b@c.de", "a@b..de", ".a@b.de", "a.@b.de", "a@-b.de", "a@b-.de", "a@b.d", "a@[192.0.2]",
		"a@b.de\n", "a\r\nBcc: x@y.de@b.de", "\"a\r\nb\"@b.de", "a@b.de\x00", "a@[::1%eth0]", "a@" + strings.Repeat("x", 64) + ".de",
		strings.Repeat("a", 400) + "@b.de", "a@b.c-", "a@exa mple.de", "é@b.de",
	} {
		if ValidEmail(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
	// H052: linear time, whatever the text. With quadratic time these would take hours.
	for _, slow := range []string{strings.Repeat(`"`, 5_000_000), strings.Repeat("@", 5_000_000), strings.Repeat("a.", 2_500_000) + "@", strings.Repeat("(", 5_000_000) + "@b.de"} {
		if ValidEmail(slow) {
			t.Errorf("%.10q… is accepted", slow)
		}
	}
}

func TestCheckEmail(t *testing.T) {
	long := strings.Repeat("a", MaxEmail-len("@example.com")) + "@example.com"
	for _, c := range []struct {
		in   string
		want error
	}{
		{"o'hara@example.com", nil},
		{"ohara.example.com", ErrEmail},
		{"", ErrEmail},
		{long, nil},
		{"a" + long, ErrEmailTooLong},
		{strings.Repeat("é", MaxEmail), ErrEmail}, // so many characters, twice the bytes
		{strings.Repeat("x", 10_000_000), ErrEmailTooLong},
	} {
		if got := CheckEmail(c.in); !errors.Is(got, c.want) {
			t.Errorf("CheckEmail(%.20q) = %v, want %v", c.in, got, c.want)
		}
	}
}

// International domains, with the ASCII forms that Python's codec idna, and
// therefore Django, gives them (CPython 3.11).
func TestInternationalDomains(t *testing.T) {
	for domain, want := range map[string]string{
		"münchen.de": "xn--mnchen-3ya.de", "MÜNCHEN.de": "xn--mnchen-3ya.de", "faß.de": "fass.de", "例え.jp": "xn--r8jz45g.jp",
		"mail.例え.jp": "mail.xn--r8jz45g.jp", "مثال.إختبار": "xn--mgbh0fb.xn--kgbechtv", "☃.net": "xn--n3h.net",
	} {
		address := "o'hara+x@" + domain
		if !ValidEmail(address) || CheckEmail(address) != nil {
			t.Errorf("%s is refused", address)
		}
		if got := ASCIIEmail(address); got != "o'hara+x@"+want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, bad := range []string{
		"jörg@example.com", "a@ü", "a@a..ü.de", "a@ü .de", "a@ü@.de", "a@" + strings.Repeat("ü", 64) + ".de", "a@1مثال.إختبار", "a@ü.d", "a@a_ü.de", "a@\u202eü.de",
	} {
		if ValidEmail(bad) {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, same := range []string{"a@b.de", "a@B.de", "a@localhost", "nope", "", "a@[192.0.2.1]", "a@ü..de", "a@xn--mnchen-3ya.de"} {
		if got := ASCIIEmail(same); got != same {
			t.Errorf("%s: %s", same, got)
		}
	}
}

// Characters that become ASCII letters in lower case, or with (?i), are not letters of
// an address: it would be that of another mailbox.
func TestEmailsOfLookalikeLetters(t *testing.T) {
	for _, address := range []string{"\u212Aate@example.com", "a.\u212A@example.com", "bo\u017F\u017F@example.com", "\u212A@localhost"} {
		if ValidEmail(address) {
			t.Errorf("%+q is accepted", address)
		}
	}
	for _, pair := range [][2]string{{"\u212Aate@example.com", "kate@example.com"}, {"bo\u017F@example.com", "bos@example.com"}, {"b\u0131ll@example.com", "bill@example.com"}, {"a@b", "a@bc"}} {
		if SameEmail(pair[0], pair[1]) || SameEmail(pair[1], pair[0]) {
			t.Errorf("%+q is %q", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"Kate@Example.COM", "kate@example.com"}, {"bob@EX\u00C4MPLE.com", "bob@ex\u00e4mple.com"}, {"", ""}} {
		if !SameEmail(pair[0], pair[1]) {
			t.Errorf("%+q is not %q", pair[0], pair[1])
		}
	}
}

// Spellings of one mailbox are counted together, and other mailboxes are not.
func TestMailbox(t *testing.T) {
	for _, address := range []string{
		"Bob@Example.com", "bob@ex\u00adample.com", "bob@\uff45xample.com", "bob@example\u3002com", "bob@ex\u200bample.com", "bob@example.com.",
		`"bob"@example.com`, `"b\ob"@example.com`, "bob+news@example.com", "bob+a+b@EXAMPLE.com", `"bob+x"@example.com`,
	} {
		if got := Mailbox(address); got != "bob@example.com" {
			t.Errorf("%+q: %q", address, got)
		}
	}
	for address, want := range map[string]string{
		"+bob@example.com": "+bob@example.com", "bo.b@example.com": "bo.b@example.com", "bob@b\u00fccher.example": "bob@xn--bcher-kva.example",
		"bob@[127.0.0.1]": "bob@[127.0.0.1]", "bob": "bob@", "": "@", `"a@b"@example.com`: "a@b@example.com",
	} {
		if got := Mailbox(address); got != want {
			t.Errorf("%+q: %q, want %q", address, got, want)
		}
	}
}
