package jwt

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// A strict JSON reader (RFC 8259, and RFC 7493 where RFC 8259 leaves a choice).
// Names are compared exactly, after their escapes are resolved. A name occurs
// once in its object, at every depth. Nothing follows the value, strings are
// valid UTF-8 without lone surrogates, and depth is bounded. Only strings with
// escapes are allocated; all others are parts of the document.

// maxDepth limits the nesting of arrays and objects, and so the recursion.
// Tokens are flat.
const maxDepth = 64

// A scanner reads one JSON text. It must not be used concurrently. Its methods
// take the index to read at and return the index after what they read, or bad.
type scanner struct {
	s     string
	names []string // of all open objects, outermost object first
	depth int
	limit int    // maximum of len(names); 0 means no limit
	err   *Error // set by a sink that refuses a valid value
}

// A sink receives the members of an object while they are read. It must read
// the value, which begins at i, and return the index after it, or bad.
type sink interface {
	member(p *scanner, name string, i int) int
}

// reset prepares the scanner for s and reports whether s is valid UTF-8.
func (p *scanner) reset(s string, limit int) bool {
	p.release()
	p.s, p.depth, p.limit = s, 0, limit
	return isASCII(s) || utf8.ValidString(s)
}

// release drops all strings, so that a pooled scanner does not pin a token.
func (p *scanner) release() {
	p.closeObject(0)
	p.s, p.err = "", nil
}

// closeObject drops the names of an object, which begin at index base, and of
// the objects in it.
func (p *scanner) closeObject(base int) {
	clear(p.names[base:])
	p.names = p.names[:base]
}

// document reads the whole text as one object and passes its members to dst. If
// dst is nil, the text is only checked.
func (p *scanner) document(dst sink) bool {
	i := p.space(0)
	if i >= len(p.s) || p.s[i] != '{' {
		return false
	}
	return p.atEnd(p.object(i, dst))
}

// atEnd reports whether only white space follows at i, which may be bad.
func (p *scanner) atEnd(i int) bool {
	return i != bad && p.space(i) == len(p.s)
}

func (p *scanner) space(i int) int {
	for i < len(p.s) && p.s[i] <= ' ' {
		switch p.s[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// object reads the object whose brace is at i and passes its members to dst. If
// dst is nil, they are only checked.
func (p *scanner) object(i int, dst sink) (end int) {
	if p.depth++; p.depth > maxDepth {
		return bad
	}
	end = p.members(i, 0, members{dst: dst, base: len(p.names)})
	p.depth--
	return end
}

// members is the state of an object whose members are being read.
type members struct {
	dst  sink
	base int    // the object's first index in scanner.names
	seen uint64 // see addName
}

// members reads the rest of an object of which n members have been read. i is
// the index after the last of these, or of the brace if n is 0.
func (p *scanner) members(i, n int, m members) int {
	more := false
	if n > 0 {
		i, more = p.comma(i, '}')
	} else if i = p.space(i + 1); i < len(p.s) && p.s[i] == '}' {
		i++
	} else {
		more = true
	}
	for more {
		if i = p.member(i, &m); i == bad {
			break
		}
		i, more = p.comma(i, '}')
	}
	p.closeObject(m.base)
	return i
}

// member reads a name, the colon and the value.
func (p *scanner) member(i int, m *members) int {
	name, at := p.text(p.space(i))
	if at == bad || !p.addName(name, m.base, &m.seen) {
		return bad
	}
	if at = p.space(at); at >= len(p.s) || p.s[at] != ':' {
		return bad
	}
	at = p.space(at + 1)
	if m.dst == nil {
		return p.value(at)
	}
	return m.dst.member(p, name, at)
}

// addName records a name of an object and reports whether it is the first of
// that name. seen has one of 64 bits set for each name so far, so that most
// names are compared with no other.
func (p *scanner) addName(name string, base int, seen *uint64) bool {
	if p.limit > 0 && len(p.names) >= p.limit {
		return false
	}
	bit := nameBit(name)
	if *seen&bit != 0 && slices.Contains(p.names[base:], name) {
		return false
	}
	*seen |= bit
	p.names = append(p.names, name)
	return true
}

// nameBit hashes a name to one of 64 bits by its length, first and last byte.
func nameBit(name string) uint64 {
	n := len(name)
	if n == 0 {
		return 1
	}
	return 1 << ((n + int(name[0])*5 + int(name[n-1])*11) & 63)
}

// comma reads what follows an element: a comma (more is true) or the closing
// bracket.
func (p *scanner) comma(i int, closing byte) (next int, more bool) {
	i = p.space(i)
	if i >= len(p.s) {
		return bad, false
	}
	switch p.s[i] {
	case ',':
		return i + 1, true
	case closing:
		return i + 1, false
	}
	return bad, false
}

func (p *scanner) array(i int) int {
	return p.elements(i, func(i int) int { return p.value(i) })
}

// elements reads the array whose bracket is at i. It calls read with the index
// of each element; read returns the index after it, or bad.
func (p *scanner) elements(i int, read func(i int) int) int {
	if p.depth++; p.depth > maxDepth {
		return bad
	}
	i = p.space(i + 1)
	if i < len(p.s) && p.s[i] == ']' {
		p.depth--
		return i + 1
	}
	for {
		if i = read(p.space(i)); i == bad {
			return bad
		}
		next, more := p.comma(i, ']')
		if !more {
			p.depth--
			return next
		}
		i = next
	}
}

// value checks a value of any type.
func (p *scanner) value(i int) int {
	if i >= len(p.s) {
		return bad
	}
	switch c := p.s[i]; c {
	case '"':
		end, _ := quoted(p.s, i)
		return end
	case '{':
		return p.object(i, nil)
	case '[':
		return p.array(i)
	case 't':
		return p.word(i, "true")
	case 'f':
		return p.word(i, "false")
	case 'n':
		return p.word(i, "null")
	default:
		end, _ := number(p.s, i)
		return end
	}
}

func (p *scanner) word(i int, w string) int {
	if len(p.s)-i < len(w) || p.s[i:i+len(w)] != w {
		return bad
	}
	return i + len(w)
}

// text reads a string and resolves its escapes. The first eight bytes, in which
// most names and many values end, are examined as one word.
func (p *scanner) text(i int) (string, int) {
	if i >= len(p.s) || p.s[i] != '"' {
		return "", bad
	}
	if s := p.s[i+1:]; len(s) >= 8 {
		if hit := special(load(s)); hit != 0 {
			if n := bits.TrailingZeros64(hit) / 8; s[n] == '"' {
				return s[:n], i + n + 2
			}
		}
	}
	end, escaped := quoted(p.s, i)
	if end == bad {
		return "", bad
	}
	if escaped {
		return unescape(p.s[i+1 : end-1]), end
	}
	return p.s[i+1 : end-1], end
}

// strings reads an array of strings.
func (p *scanner) strings(i int, dst *[]string) int {
	if i >= len(p.s) || p.s[i] != '[' {
		return bad
	}
	var list []string
	end := p.elements(i, func(i int) int {
		s, end := p.text(i)
		list = append(list, s)
		return end
	})
	*dst = list
	return end
}

// stringOrStrings reads a string or an array of strings, as aud is (RFC 7519
// section 4.1.3).
func (p *scanner) stringOrStrings(i int, dst *[]string) int {
	if i < len(p.s) && p.s[i] == '"' {
		s, end := p.text(i)
		*dst = []string{s}
		return end
	}
	return p.strings(i, dst)
}

// int reads a whole number that fits in 64 bits.
func (p *scanner) int(i int) (n int64, end int) {
	end, whole := number(p.s, i)
	if end == bad || !whole {
		return 0, bad
	}
	n, ok := parseInt(p.s[i:end])
	if !ok {
		return 0, bad
	}
	return n, end
}

func (p *scanner) bool(i int) (b bool, end int) {
	if i < len(p.s) && p.s[i] == 't' {
		return true, p.word(i, "true")
	}
	return false, p.word(i, "false")
}
