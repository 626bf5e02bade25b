package jwt

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Escapes in JSON strings (RFC 8259 section 7), both ways. Writing follows
// Python's json.dumps, because PyJWT writes tokens with it: everything outside
// printable ASCII becomes \uXXXX.

// escape checks the escape that begins at s[i] and returns the index after it;
// anything but a backslash there is a control character, and bad. Half a
// surrogate pair stands for no character and is refused (RFC 7493 section 2.1).
func escape(s string, i int) int {
	if i+1 >= len(s) || s[i] != '\\' {
		return bad
	}
	switch s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		_, next := unit(s, i)
		return next
	}
	return bad
}

// unit reads the \u escape at i, and the second one where the first is half of
// a surrogate pair.
func unit(s string, i int) (r rune, next int) {
	r, ok := hex4(s, i)
	if !ok {
		return 0, bad
	}
	if !utf16.IsSurrogate(r) {
		return r, i + 6
	}
	low, ok := hex4(s, i+6)
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, bad
	}
	return r, i + 12
}

// hex4 reads \uXXXX at i.
func hex4(s string, i int) (r rune, ok bool) {
	if len(s)-i < 6 || s[i] != '\\' || s[i+1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[i+2 : i+6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape resolves the escapes of s, which have been checked.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		if s[i+1] == 'u' {
			r, next := unit(s, i)
			b.WriteRune(r)
			s = s[next:]
			continue
		}
		b.WriteByte(short(s[i+1]))
		s = s[i+2:]
	}
}

// short is the character that a backslash and c stand for.
func short(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// appendText appends s as a JSON string, as Python writes it; ok is false when
// s is not valid UTF-8.
func appendText(b []byte, s string) (out []byte, ok bool) {
	return appendOpened(append(b, '"'), s)
}

// appendOpened is appendText after the opening quote.
func appendOpened(b []byte, s string) (out []byte, ok bool) {
	for {
		n := printable(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"'), true
		}
		s = s[n:]
		if s[0] < utf8.RuneSelf {
			b = appendASCII(b, s[0])
			s = s[1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			return b, false
		}
		b = appendRune(b, r)
		s = s[size:]
	}
}

// plainText tells which bytes stand for themselves in a JSON string.
var plainText = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// printable is how many bytes at the start of s stand for themselves.
func printable(s string) int {
	i := 0
	for i+8 <= len(s) { // see quoted; here a byte above '~' counts as well
		w := load(s[i : i+8])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		hit := w | (w + ones) | (w - ones*0x20) | (quote - ones) | (slash - ones)
		if hit&highs != 0 {
			break
		}
		i += 8
	}
	for i < len(s) && plainText[s[i]] {
		i++
	}
	return i
}

func appendASCII(b []byte, c byte) []byte {
	if c == '"' || c == '\\' {
		return append(b, '\\', c)
	}
	if i := strings.IndexByte("\b\f\n\r\t", c); i >= 0 {
		return append(b, '\\', "bfnrt"[i])
	}
	return appendUnit(b, rune(c))
}

func appendRune(b []byte, r rune) []byte {
	if hi, lo := utf16.EncodeRune(r); hi != utf8.RuneError {
		return appendUnit(appendUnit(b, hi), lo)
	}
	return appendUnit(b, r)
}

func appendUnit(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
