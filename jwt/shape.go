package jwt

import "strings"

// Reading an object that looks like the one before.
//
// The tokens of one issuer have the same members in the same order, so most of
// the text of a payload is known in advance. For the payload
//
//	{"token_type":"access","exp":1767225601,"user_id":"42"}
//
// and a struct with the fields TokenType and UserID, the shape has three steps.
// Each is the text before a value, and the destination of the value:
//
//	{"token_type":   field TokenType
//	,"exp":          registered claim exp
//	,"user_id":      field UserID
//
// If the next payload is
//
//	{"token_type":"access","exp":1767229999,"user_id":"7"}
//
// then follow compares the first step with the first 14 bytes of the payload.
// They are equal, so a value begins at index 14, and the sink reads it into
// TokenType. It ends at index 22, where follow compares the second step, and so
// on. Three comparisons replace reading three names, checking that they differ,
// and finding their fields. After the last step comes the closing brace, and the
// object is complete.
//
// The payload
//
//	{"token_type":"access","jti":"ab12","exp":1767229999}
//
// differs at index 22, after one step. The rest of it is read by
// scanner.members, as if there were no shape, and counts as a miss. After
// maxMisses+1 misses without a match in between, the issuer has probably changed
// its tokens: the steps from the second on are dropped, and the steps for jti
// and exp are added while the rest is read.
//
// A shape never changes what is accepted or what is read. It compares the text
// between values exactly, and every value is read by the same code either way.

// Limits on what a shape stores, and the misses it tolerates.
const (
	maxSteps    = 32
	maxStepText = 64
	maxMisses   = 8
)

// A shape is what is known about the objects that a sink reads.
type shape struct {
	steps      []step
	missesLeft int // before the shape is learned again
	learner    learner
}

// A step is one member. No two steps of a shape have the same name.
type step struct {
	text string // from the brace or the previous value to this value
	dest dest
}

// A dest says where the value of a member is stored. Only the sink that made it
// interprets it.
type dest struct {
	name  string
	claim uint8 // bit of a registered claim, or 0
	field int   // index of a field, or noField
}

const noField = -1

// A shaped sink separates finding the destination of a member, which depends on
// its name only, from reading the value.
type shaped interface {
	dest(name string) dest
	put(p *scanner, to dest, i int) int
}

// object is scanner.object for a sink whose objects are likely to have the
// shape s.
func (s *shape) object(p *scanner, dst shaped, i int) int {
	if p.depth++; p.depth > maxDepth {
		return bad
	}
	n, at := s.follow(p, dst, i)
	switch {
	case at == bad:
	case at < len(p.s) && p.s[at] == '}':
		s.missesLeft = maxMisses
		at++
	default:
		at = s.rest(p, dst, n, at)
	}
	p.depth--
	return at
}

// follow reads members while they match the steps. It returns how many did, and
// the index after the last of them, or i, the index of the brace, if none did.
func (s *shape) follow(p *scanner, dst shaped, i int) (n, end int) {
	for n = range s.steps {
		step := &s.steps[n]
		at := i + len(step.text)
		// A value does not begin with white space: if there is some, the text
		// before the value is longer than the step's.
		if at >= len(p.s) || p.s[i:at] != step.text || p.s[at] <= ' ' {
			return n, i
		}
		if i = dst.put(p, step.dest, at); i == bad {
			return n, bad
		}
	}
	return len(s.steps), i
}

// rest reads what is left of an object that differs from the shape after n
// members, at index i. It learns the members if there were too many misses.
func (s *shape) rest(p *scanner, dst shaped, n, i int) int {
	m := members{base: len(p.names)}
	for _, step := range s.steps[:n] {
		p.addName(step.dest.name, m.base, &m.seen)
	}
	s.learner = learner{shape: s, dst: dst, from: i, done: s.missesLeft > 0}
	if s.missesLeft--; !s.learner.done {
		clear(s.steps[n:])
		s.steps, s.missesLeft = s.steps[:n], maxMisses
	}
	m.dst = &s.learner
	return p.members(i, n, m)
}

// A learner is a sink that adds the members it receives to a shape.
type learner struct {
	shape *shape
	dst   shaped
	from  int  // where the previous member ended
	done  bool // no more members are added
}

func (l *learner) member(p *scanner, name string, i int) int {
	to := l.dst.dest(name)
	l.done = l.done || !l.shape.add(p.s[l.from:i], to)
	l.from = l.dst.put(p, to, i)
	return l.from
}

// add adds a step and reports whether there was room for it.
func (s *shape) add(text string, to dest) bool {
	if len(s.steps) >= maxSteps || len(text) > maxStepText {
		return false
	}
	to.name = strings.Clone(to.name) // a part of the token would keep all of it alive
	s.steps = append(s.steps, step{strings.Clone(text), to})
	return true
}
