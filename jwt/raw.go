package jwt

// JSON values that a program looks at itself.

import "iter"

// A Raw is the JSON text of a value. A field of this type in a struct of claims
// accepts any value, and the program then finds out what it is: user_id, for example,
// is a number in old versions of SimpleJWT and a string in new ones. The zero Raw
// means that there is no value.
type Raw string

// An Object is a set of claims in a given order, for names that are known only
// at run time:
//
//	jwt.Object{{"token_type", "access"}, {"exp", exp}}
//
// As the type of a verifier's claims it keeps the order of the token.
type Object []struct {
	Name  string
	Value any
}

// Text returns the value of a JSON string. ok is false for any other value.
func (r Raw) Text() (s string, ok bool) {
	p := scanner{s: string(r)}
	s, end := p.text(p.space(0))
	return s, p.atEnd(end)
}

// Int returns the value of a JSON number without fraction or exponent that fits
// in 64 bits. ok is false for any other value.
func (r Raw) Int() (n int64, ok bool) {
	p := scanner{s: string(r)}
	n, end := p.int(p.space(0))
	if !p.atEnd(end) {
		return 0, false
	}
	return n, true
}

// Member returns the member of a JSON object that has the given name. ok is
// false if there is none, or if the value is not an object.
func (r Raw) Member(name string) (value Raw, ok bool) {
	var p scanner
	f := finder{name: name}
	if !p.reset(string(r), 0) || !p.document(&f) {
		return "", false
	}
	return f.value, f.found
}

// Members returns the members of a JSON object in their order, each value as a
// Raw, so that a program can copy claims that it does not know into another token.
// It returns nil for any other value.
func (r Raw) Members() Object {
	var p scanner
	var l lister
	if !p.reset(string(r), 0) || !p.document(&l) {
		return nil
	}
	return l.all
}

// All returns an iterator over the members of a JSON object in their order. Unlike
// Members it makes no copy. For another value there are no members; the iteration ends
// before the first invalid member.
func (r Raw) All() iter.Seq2[string, Raw] {
	return func(yield func(string, Raw) bool) {
		var names [32]string
		p := scanner{names: names[:0]}
		if p.reset(string(r), 0) {
			p.document(each(yield))
		}
	}
}

// Elements returns the elements of a JSON array. ok is false for any other
// value.
func (r Raw) Elements() (list []Raw, ok bool) {
	p := scanner{s: string(r)}
	i := p.space(0)
	if i >= len(r) || r[i] != '[' {
		return nil, false
	}
	i = p.elements(i, func(i int) int {
		end := p.value(i)
		if end != bad {
			list = append(list, r[i:end])
		}
		return end
	})
	if !p.atEnd(i) {
		return nil, false
	}
	return list, true
}

// A finder is a sink that keeps the value of one member.
type finder struct {
	name  string
	value Raw
	found bool
}

func (f *finder) member(p *scanner, name string, i int) int {
	end := p.value(i)
	if end != bad && name == f.name {
		f.value, f.found = Raw(p.s[i:end]), true
	}
	return end
}

// each is a sink that calls a function for each member until it returns false.
type each func(string, Raw) bool

func (f each) member(p *scanner, name string, i int) int {
	end := p.value(i)
	if end == bad || !f(name, Raw(p.s[i:end])) {
		return bad
	}
	return end
}

// A lister is a sink that keeps all members.
type lister struct{ all Object }

func (l *lister) member(p *scanner, name string, i int) int {
	end := p.value(i)
	if end != bad {
		l.all = append(l.all, struct {
			Name  string
			Value any
		}{name, Raw(p.s[i:end])})
	}
	return end
}
