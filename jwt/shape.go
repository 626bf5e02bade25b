package jwt

import "strings"

// The tokens of one issuer have the same members in the same order. A shape
// remembers those of one object, with all the text between its values. Where
// the next object has the same text, one comparison does what else takes
// reading a name, looking for it among those before, and finding its field.
// What differs is read as if there were no shape, from there on.
type shape struct {
	steps []step
	trust int // objects of another shape that are borne before this one is given up
}

// A step is one member. The names of a shape's steps differ.
type step struct {
	text  string // from the brace or the value before up to the value
	place place
}

// A place is where the value of a member goes: what a name leads to.
type place struct {
	name string
	bit  uint8 // of a registered claim
	slot *slot // nil if there is no field
}

// A shaped sink has places, and the shape of the object that it took last.
type shaped interface {
	sink
	place(name string) place
	put(p *scanner, to place, i int) int
	likely() *shape // nil if the sink is used once
}

// Bounds of what a shape keeps, and how often another shape must come.
const (
	maxSteps    = 32
	maxStepText = 64
	fullTrust   = 8
)

// follow reads members as long as they come as the shape has them. It returns
// how many did, and the index after them: i itself, that of the brace, if none
// did.
func (s *shape) follow(p *scanner, to shaped, i int) (n, end int) {
	for n = range s.steps {
		step := &s.steps[n]
		at := i + len(step.text)
		// No value begins with white space; there the text was not all.
		if at >= len(p.s) || p.s[i:at] != step.text || p.s[at] <= ' ' {
			return n, i
		}
		if i = to.put(p, step.place, at); i == bad {
			return n, bad
		}
	}
	return len(s.steps), i
}

// miss notes that an object differed after n members, and reports whether its
// other members shall be learnt.
func (s *shape) miss(n int) (learn bool) {
	if s.trust > 0 {
		s.trust--
		return false
	}
	clear(s.steps[n:])
	s.steps, s.trust = s.steps[:n], fullTrust
	return true
}

// learn adds a member and reports whether there is room for more.
func (s *shape) learn(text string, to place) bool {
	if len(s.steps) >= maxSteps || len(text) > maxStepText {
		return false
	}
	to.name = strings.Clone(to.name) // or the shape would keep the token
	s.steps = append(s.steps, step{strings.Clone(text), to})
	return true
}
