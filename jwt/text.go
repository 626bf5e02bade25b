package jwt

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON strings (RFC 8259 section 7): finding their end, resolving their escapes
// and writing them. Writing follows Python's json.dumps, because PyJWT writes
// tokens with it: everything outside printable ASCII becomes \uXXXX.
//
// The functions that read take the index to read at and return the index after
// what they read, or bad.

const bad = -1

// Eight bytes are examined as one word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// load reads the first eight bytes of s as a little-endian word. The compiler
// makes it one instruction.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isASCII reports whether s is ASCII, as tokens usually are. ASCII is valid
// UTF-8.
func isASCII(s string) bool {
	var w uint64
	for ; len(s) >= 32; s = s[32:] {
		w |= load(s) | load(s[8:]) | load(s[16:]) | load(s[24:])
	}
	for i := range len(s) {
		w |= uint64(s[i])
	}
	return w&highs == 0
}

// special finds the quotes, backslashes and control characters among eight
// bytes. A byte is one of them if the subtraction borrows, which bit 7 shows for
// bytes of ASCII; other bytes are masked out. Only the lowest bit of the result
// is exact.
func special(w uint64) uint64 {
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	return ((w - ones*0x20) | (quote - ones) | (slash - ones)) & ^w & highs
}

// quoted finds the end of the string whose opening quote is s[i]. It checks the
// escapes and refuses control characters.
func quoted(s string, i int) (end int, escaped bool) {
	i++
	for i+8 <= len(s) {
		hit := special(load(s[i : i+8]))
		if hit == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(hit) / 8
		if s[i] == '"' {
			return i + 1, escaped
		}
		if i = escape(s, i); i == bad {
			return bad, true
		}
		escaped = true
	}
	return quotedTail(s, i, escaped)
}

// quotedTail is quoted for the last bytes of s, one at a time.
func quotedTail(s string, i int, escaped bool) (int, bool) {
	for i < len(s) {
		switch c := s[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\' || c < 0x20:
			if i = escape(s, i); i == bad {
				return bad, true
			}
			escaped = true
		default:
			i++
		}
	}
	return bad, escaped
}

// escape checks the escape that begins at s[i]. Without a backslash there, s[i]
// is a control character, which is bad. Half a surrogate pair is not a character
// and is refused (RFC 7493 section 2.1).
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

// unit reads the \u escape at i, and the one after it if the first is half of a
// surrogate pair.
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

// unescape resolves the escapes of s, which escape has checked.
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

// short returns the character that a backslash followed by c represents.
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

// appendText appends s as a JSON string, as Python writes it. ok is false if s
// is not valid UTF-8.
func appendText(b []byte, s string) (out []byte, ok bool) {
	return appendOpened(append(b, '"'), s)
}

// appendOpened is appendText if the opening quote has been written.
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

// plainText marks the bytes that Python writes into a JSON string unchanged.
var plainText = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// printable returns the number of bytes at the start of s that Python writes
// unchanged.
func printable(s string) int {
	i := 0
	for i+8 <= len(s) { // as in special; bytes above '~' count too
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
