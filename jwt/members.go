package jwt

// Members lists the members of a JSON object in their order, each value as its
// JSON text (a [Raw]), so that a program can hand on claims it does not know.
// It is nil for any other value.
func (r Raw) Members() Object {
	var p scanner
	var l lister
	if !p.reset(string(r), 0) || !p.document(&l) {
		return nil
	}
	return l.all
}

// A lister is the sink that keeps every member.
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
