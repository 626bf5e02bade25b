package jwt

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// A strict reader of JSON (RFC 8259, and RFC 7493 where that leaves a choice):
// names are compared letter by letter after their escapes are resolved, a name
// stands once in its object at every depth, nothing follows the value, strings
// are valid UTF-8 without lone surrogates, and depth is bounded. It allocates
// only for names that hold escapes.
//
// Its functions take the index to read at and give back the index after what
// they read, or bad.

const (
	bad = -1

	// maxDepth is how deep arrays and objects may nest. Tokens are flat; the
	// bound keeps the recursion small.
	maxDepth = 64
)

// A scanner reads one JSON text. It belongs to one goroutine at a time.
type scanner struct {
	s     string
	names []string // the names of the objects that are open, outermost first
	depth int
	limit int    // how many names may be open at once; 0 means no limit
	err   *Error // why a sink refused, when it was not the grammar
}

// A sink takes the members of one object as they are read. It must read the
// value, which begins at i, and return the index after it.
type sink interface {
	member(p *scanner, name string, i int) int
}

// reset makes the scanner ready for s and reports whether s is valid UTF-8.
func (p *scanner) reset(s string, limit int) bool {
	p.release()
	p.s, p.depth, p.limit = s, 0, limit
	return ascii(s) || utf8.ValidString(s)
}

// ascii reports whether s is ASCII, which is valid UTF-8 and what tokens are.
func ascii(s string) bool {
	var w uint64
	for ; len(s) >= 32; s = s[32:] {
		w |= load(s) | load(s[8:]) | load(s[16:]) | load(s[24:])
	}
	for i := range len(s) {
		w |= uint64(s[i])
	}
	return w&highs == 0
}

// release forgets every string, so that a pooled scanner pins no token.
func (p *scanner) release() {
	p.forget(0)
	p.s, p.err = "", nil
}

// forget closes the objects whose names begin at base.
func (p *scanner) forget(base int) {
	clear(p.names[base:])
	p.names = p.names[:base]
}

// document reads the whole text as one object whose members go to to.
func (p *scanner) document(to sink) bool {
	i := p.space(0)
	if i >= len(p.s) || p.s[i] != '{' {
		return false
	}
	i = p.object(i, to)
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

// object reads an object; p.s[i] is its brace. Without a sink the members are
// only checked.
func (p *scanner) object(i int, to sink) (end int) {
	if p.depth++; p.depth > maxDepth {
		return bad
	}
	if known, ok := to.(shaped); ok && known.likely() != nil {
		end = p.likely(i, known)
	} else {
		end = p.rest(i, 0, members{to: to, base: len(p.names)})
	}
	p.depth--
	return end
}

// likely is object for a sink that has a shape.
func (p *scanner) likely(i int, to shaped) int {
	like := to.likely()
	n, at := like.follow(p, to, i)
	if at == bad {
		return bad
	}
	if at < len(p.s) && p.s[at] == '}' { // nothing else came
		like.trust = fullTrust
		return at + 1
	}
	m := members{to: to, base: len(p.names), from: at}
	for _, step := range like.steps[:n] {
		p.fresh(step.place.name, m.base, &m.met)
	}
	if like.miss(n) {
		m.known = to
	}
	return p.rest(at, n, m)
}

// members is what is known of an object while its members are read.
type members struct {
	to    sink
	known shaped // the same, if its shape is learnt
	from  int    // where the member before ends
	base  int    // where its names begin
	met   uint64 // see fresh
}

// rest reads an object from the end of its nth member on; that of none is its
// brace.
func (p *scanner) rest(i, n int, m members) int {
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
	p.forget(m.base)
	return i
}

// member reads a name, the colon and the value.
func (p *scanner) member(i int, m *members) int {
	name, at := p.text(p.space(i))
	if at == bad || !p.fresh(name, m.base, &m.met) {
		return bad
	}
	if at = p.space(at); at >= len(p.s) || p.s[at] != ':' {
		return bad
	}
	at = p.space(at + 1)
	if m.known != nil && !m.known.likely().learn(p.s[m.from:at], m.known.place(name)) {
		m.known = nil
	}
	if m.to == nil {
		m.from = p.value(at)
	} else {
		m.from = m.to.member(p, name, at)
	}
	return m.from
}

// fresh notes name among those of its object and reports that it is new there.
// met holds one bit of 64 for each name so far, so that most names need no
// comparison.
func (p *scanner) fresh(name string, base int, met *uint64) bool {
	if p.limit > 0 && len(p.names) >= p.limit {
		return false
	}
	bit := nameBit(name)
	if *met&bit != 0 && slices.Contains(p.names[base:], name) {
		return false
	}
	*met |= bit
	p.names = append(p.names, name)
	return true
}

// nameBit picks a bit by length and first and last letter.
func nameBit(name string) uint64 {
	n := len(name)
	if n == 0 {
		return 1
	}
	return 1 << ((n + int(name[0])*5 + int(name[n-1])*11) & 63)
}

// comma reads what follows an element: a comma (more), or the closing bracket.
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

// elements reads an array and hands the index of each element to each.
func (p *scanner) elements(i int, each func(i int) int) int {
	if p.depth++; p.depth > maxDepth {
		return bad
	}
	i = p.space(i + 1)
	if i < len(p.s) && p.s[i] == ']' {
		p.depth--
		return i + 1
	}
	for {
		if i = each(p.space(i)); i == bad {
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

// value checks any value.
func (p *scanner) value(i int) int {
	if i >= len(p.s) {
		return bad
	}
	switch c := p.s[i]; c {
	case '"':
		end, _ := p.quoted(i)
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
		end, _ := p.number(i)
		return end
	}
}

func (p *scanner) word(i int, w string) int {
	if len(p.s)-i < len(w) || p.s[i:i+len(w)] != w {
		return bad
	}
	return i + len(w)
}

// text reads a string and resolves its escapes. Without escapes it is a part of
// the document. Most names and many values end within eight bytes.
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
	end, escaped := p.quoted(i)
	if end == bad {
		return "", bad
	}
	if escaped {
		return unescape(p.s[i+1 : end-1]), end
	}
	return p.s[i+1 : end-1], end
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quoted finds the end of the string that opens at i, and checks its escapes
// and that no control character stands in it (RFC 8259 section 7).
func (p *scanner) quoted(i int) (end int, escaped bool) {
	s := p.s
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
	return tail(s, i, escaped)
}

// special finds the quotes, backslashes and control characters among eight
// bytes. A byte is one where the subtraction borrows, which bit 7 shows in bytes
// of ASCII; the others are masked. Only the lowest bit that is set is exact.
func special(w uint64) uint64 {
	quote, slash := w^(ones*'"'), w^(ones*'\\')
	return ((w - ones*0x20) | (quote - ones) | (slash - ones)) & ^w & highs
}

// tail is quoted for the last bytes, one at a time.
func tail(s string, i int, escaped bool) (int, bool) {
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

// load reads eight bytes as one little-endian word (the compiler makes it one
// instruction).
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
