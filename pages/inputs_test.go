package pages_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// A page that repeats what was typed, or what is in its address, has no control
// characters, no invalid UTF-8 and no markup from there; and it signs nobody in.
func TestPagesRepeatNoControlCharacters(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	sane := func(what string, got shown) {
		t.Helper()
		bad := strings.ContainsFunc(got.body, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
		if got.status != 200 && got.status != 422 || bad || !utf8.ValidString(got.body) || strings.Contains(got.body, "<script>alert") || heading.FindString(got.body) == "" {
			t.Errorf("%s: %d %q", what, got.status, got.body)
		}
	}
	for _, typed := range []string{"\x1b[31m\a\x7f", "\u009b\u0085x", "a\x00b", "\xff\xfe", "\xed\xa0\x80", `"><script>alert(1)</script>`, "a\r\nSet-Cookie: evil=1", "\u202emitciv"} {
		s.fresh()
		sane("login?name", s.get("/account/login?name="+url.QueryEscape(typed)))
		sane("login", s.post("/account/login", "username", typed, "password", "wrong"))
		sane("signup", s.post("/account/signup", "username", typed, "email", typed, "password", "short"))
		sane("reset", s.post("/account/reset", "email", typed))
		if got := s.get("/account/"); !strings.HasPrefix(got.path, "/account/login") {
			t.Fatalf("%q signs in", typed)
		}
	}
	s.signIn("alice")
	for _, typed := range []string{"\x1b[31m\a\x7f", "\u009bx", "a\x00b", "\xff\xfe"} {
		sane("emails", s.post("/account/emails", "email", typed, "password", jotgatetest.Password))
		sane("profile", s.post("/account/", "username", "alice", "first_name", typed))
		sane("profile again", s.get("/account/"))
	}
}
