package jwt

// A Token is a verified token. Only [Verifier.Verify] fills one in. It is a
// value of its own: nothing in it is shared with another call.
type Token[T any] struct {
	Algorithm Algorithm // of the key that verified it
	KeyID     string    // the kid of the header, or ""
	Type      string    // the typ of the header, or ""

	// The registered claims (RFC 7519 section 4.1). One that the token does not
	// carry is the zero value; an absent time is 0. aud is read by Audience.
	Issuer    string // iss
	Subject   string // sub
	ExpiresAt int64  // exp, in seconds since 1970
	NotBefore int64  // nbf, likewise
	IssuedAt  int64  // iat, likewise
	ID        string // jti

	Claims T // what the application reads

	payload string
}

// Payload returns the verified JSON text of the claims.
func (t *Token[T]) Payload() Raw { return Raw(t.payload) }

// Audience returns the names in aud, be it a string or an array; nil without one.
// It reads the payload at each call, and the list belongs to the caller.
func (t *Token[T]) Audience() []string {
	aud, ok := t.Claim("aud")
	if !ok {
		return nil
	}
	var list []string
	p := scanner{s: string(aud)}
	p.audience(0, &list) // cannot fail: verifying has read it
	return list
}

// Claim returns the JSON text of any claim of the payload, also of one that T
// does not have; ok is false when there is none of this name.
func (t *Token[T]) Claim(name string) (value Raw, ok bool) {
	return t.Payload().Member(name)
}

// A Raw is the JSON text of a value. As a field of a struct of claims it takes
// any value, so that the program can look at what it is: SimpleJWT writes
// user_id as a number in old versions and as a string in new ones.
type Raw string

// Text returns the value of a JSON string; ok is false for any other value.
func (r Raw) Text() (s string, ok bool) {
	p := scanner{s: string(r)}
	s, end := p.text(p.space(0))
	return s, end != bad && p.space(end) == len(r)
}

// Int returns the value of a JSON number without fraction or exponent that fits
// 64 bits; ok is false for any other value.
func (r Raw) Int() (n int64, ok bool) {
	p := scanner{s: string(r)}
	i := p.space(0)
	end, whole := p.number(i)
	if end == bad || !whole || p.space(end) != len(r) {
		return 0, false
	}
	return parseInt(p.s[i:end])
}

// Member returns a member of a JSON object by its name; ok is false when the
// value is no object or has no such member.
func (r Raw) Member(name string) (value Raw, ok bool) {
	var p scanner
	f := finder{name: name}
	if !p.reset(string(r), 0) || !p.document(&f) {
		return "", false
	}
	return f.value, f.found
}

// Elements returns the elements of a JSON array; ok is false for any other value.
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
	if i == bad || p.space(i) != len(r) {
		return nil, false
	}
	return list, true
}

// A finder is the sink that keeps one member.
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
