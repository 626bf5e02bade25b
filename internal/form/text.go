package form

// JSON strings and UTF-8, with Python's error messages.

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str parses a string from its opening quote.
func (s *scanner) str(at int) (value, int, *problem) {
	var v value
	var b strings.Builder
	for i := at + 1; ; {
		n := strings.IndexFunc(s.text[i:], func(r rune) bool { return r == '"' || r == '\\' || r < ' ' })
		if n < 0 {
			return v, i, &problem{"Unterminated string starting at", at}
		}
		b.WriteString(s.text[i : i+n])
		i += n
		switch {
		case s.text[i] == '"':
			v.text = b.String()
			return v, i + 1, nil
		case s.text[i] != '\\':
			return v, i, &problem{"Invalid control character at", i}
		case i+1 >= len(s.text):
			return v, i, &problem{"Unterminated string starting at", at}
		}
		r, end, p := s.escape(i)
		if p != nil {
			return v, i, p
		}
		if utf16.IsSurrogate(r) && v.surrogate == 0 {
			v.surrogate = r
		}
		b.WriteRune(r) // U+FFFD for half a surrogate pair
		i = end
	}
}

// escape parses an escape sequence from its backslash.
func (s *scanner) escape(at int) (rune, int, *problem) {
	const plain, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := s.text[at+1]
	if i := strings.IndexByte(plain, c); i >= 0 {
		return rune(meant[i]), at + 2, nil
	}
	if c != 'u' {
		return 0, at, &problem{`Invalid \escape`, at}
	}
	r, ok := s.hex4(at + 2)
	if !ok {
		return 0, at, &problem{`Invalid \uXXXX escape`, at + 1}
	}
	end := at + 6
	if utf16.IsSurrogate(r) && strings.HasPrefix(s.text[end:], `\u`) {
		low, ok := s.hex4(end + 2)
		if !ok && r < 0xdc00 {
			return 0, at, &problem{`Invalid \uXXXX escape`, end + 1}
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, end + 6, nil
		}
	}
	return r, end, nil
}

// hex4 parses four hexadecimal digits that are not at the end of the text.
func (s *scanner) hex4(at int) (rune, bool) {
	if at+4 >= len(s.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(s.text[at:at+4], 16, 16)
	return rune(n), err == nil
}

// badUTF8 returns the message of Python's decoder for bytes that are not UTF-8, or
// "" if they are.
func badUTF8(raw []byte) string {
	for i := 0; i < len(raw); {
		if _, size := utf8.DecodeRune(raw[i:]); size > 1 || raw[i] < utf8.RuneSelf {
			i += size
			continue
		}
		why, n := utf8Fault(raw[i:])
		if n == 1 {
			return fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", raw[i], i, why)
		}
		return fmt.Sprintf("'utf-8' codec can't decode bytes in position %d-%d: %s", i, i+n-1, why)
	}
	return ""
}

// utf8Fault returns why b does not begin with a character, and how many of its
// bytes are invalid.
func utf8Fault(b []byte) (why string, n int) {
	within, ok := secondByte[b[0]]
	if !ok {
		within = [2]byte{0x80, 0xbf}
	}
	for n = 1; n < utf8Length(b[0]); n++ {
		if n >= len(b) {
			return "unexpected end of data", n
		}
		if b[n] < within[0] || b[n] > within[1] {
			return "invalid continuation byte", n
		}
		within = [2]byte{0x80, 0xbf}
	}
	return "invalid start byte", 1
}

// secondByte is the range of the second byte after some first bytes. It excludes
// overlong forms, surrogates, and code points above U+10FFFF.
var secondByte = map[byte][2]byte{0xe0: {0xa0, 0xbf}, 0xed: {0x80, 0x9f}, 0xf0: {0x90, 0xbf}, 0xf4: {0x80, 0x8f}}

// utf8Length returns the length of a character that begins with this byte, or 1 if
// no character does.
func utf8Length(first byte) int {
	if first < 0xc2 || first > 0xf4 {
		return 1
	}
	return bits.LeadingZeros8(^first)
}
