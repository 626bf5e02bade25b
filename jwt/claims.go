package jwt

import (
	"slices"
	"strings"
)

// The claims of a genuine token: reading them, and holding them to the rules.

// A reader is the sink for the members of a payload.
type reader struct {
	rules *Rules
	root  *slot
	own   uint8 // which registered claims root has fields for
	reg   registered
	has   uint8  // which registered claims stood there, by their bits
	seen  uint32 // which of rules.Require stood there
	ours  bool   // aud names one of rules.Audience
}

// registered holds the registered claims (RFC 7519 section 4.1).
type registered struct {
	issuer, subject, id            string
	expiresAt, notBefore, issuedAt int64
}

// The registered claims, one bit each.
const (
	expClaim = 1 << iota
	nbfClaim
	iatClaim
	issClaim
	subClaim
	audClaim
	jtiClaim
)

// claimBit is the bit of a registered claim, or 0.
func claimBit(name string) uint8 {
	if len(name) != 3 {
		return 0
	}
	switch name {
	case "exp":
		return expClaim
	case "nbf":
		return nbfClaim
	case "iat":
		return iatClaim
	case "iss":
		return issClaim
	case "sub":
		return subClaim
	case "aud":
		return audClaim
	case "jti":
		return jtiClaim
	}
	return 0
}

// member implements sink: registered claims go to their own place and, like
// every other claim, to the application's field of that name.
func (r *reader) member(p *scanner, name string, i int) int { return r.put(p, r.place(name), i) }

// likely implements shaped.
func (r *reader) likely() *shape { return r.root.shape }

// place implements shaped.
func (r *reader) place(name string) place {
	to := place{name: name, bit: claimBit(name)}
	if to.bit == 0 || r.own&to.bit != 0 {
		to.slot = r.root.find(name)
	}
	return to
}

// put implements shaped.
func (r *reader) put(p *scanner, to place, i int) (end int) {
	f := to.slot
	switch {
	case to.bit != 0:
		end = r.registered(p, to.bit, to.name, i)
		switch {
		case f == nil || end == bad || f.take(&r.reg):
		case f.kind == rawKind:
			*f.raw = Raw(p.s[i:end]) // has been checked
		default:
			end = f.read(p, i)
		}
	case f != nil:
		end = f.read(p, i)
	default:
		end = p.value(i)
	}
	if end != bad && len(r.rules.Require) > 0 {
		r.note(to.name, p.s[i:end])
	}
	return end
}

// note ticks off a required claim.
func (r *reader) note(name, value string) {
	for n, want := range r.rules.Require {
		if want == name && value != "null" && value != `""` {
			r.seen |= 1 << n
		}
	}
}

// registered reads a registered claim.
func (r *reader) registered(p *scanner, bit uint8, name string, i int) (end int) {
	r.has |= bit
	switch bit {
	case expClaim:
		r.reg.expiresAt, end = p.date(i)
	case nbfClaim:
		r.reg.notBefore, end = p.date(i)
	case iatClaim:
		r.reg.issuedAt, end = p.date(i)
	case issClaim:
		r.reg.issuer, end = p.text(i)
	case subClaim:
		r.reg.subject, end = r.subject(p, i)
	case jtiClaim:
		r.reg.id, end = p.text(i)
	case audClaim:
		end = r.audience(p, i)
	}
	if end == bad {
		p.err = claimError(ErrMalformed, name, "not of the type that RFC 7519 section 4.1 gives it")
	}
	return end
}

// take fills the slot of a registered claim from reg, where its Go type is the
// one that reg has, and reports whether it did.
func (s *slot) take(reg *registered) bool {
	switch {
	case s.kind == intKind && s.claim == expClaim:
		*s.num = reg.expiresAt
	case s.kind == intKind && s.claim == nbfClaim:
		*s.num = reg.notBefore
	case s.kind == intKind && s.claim == iatClaim:
		*s.num = reg.issuedAt
	case s.kind == textKind && s.claim == issClaim:
		*s.text = reg.issuer
	case s.kind == textKind && s.claim == subClaim:
		*s.text = reg.subject
	case s.kind == textKind && s.claim == jtiClaim:
		*s.text = reg.id
	default:
		return false
	}
	return true
}

func (r *reader) subject(p *scanner, i int) (s string, end int) {
	if r.rules.NumericSubject && i < len(p.s) && p.s[i] != '"' {
		if _, end = p.int(i); end != bad {
			return p.s[i:end], end
		}
	}
	return p.text(i)
}

// audience reads aud, a string or an array of strings (RFC 7519 section 4.1.3),
// and notes whether one of them is ours. It keeps no list: few programs look at
// it, and Token.Audience reads it again for them.
func (r *reader) audience(p *scanner, i int) int {
	one := func(i int) int {
		name, end := p.text(i)
		if end != bad && slices.Contains(r.rules.Audience, name) {
			r.ours = true
		}
		return end
	}
	if i < len(p.s) && p.s[i] == '[' {
		return p.elements(i, one)
	}
	return one(i)
}

// judge holds the claims to the rules, in PyJWT's order, so that a token with
// several faults is refused for the same one on both sides.
func (r *reader) judge(typ string) *Error {
	if err := r.required(); err != nil {
		return err
	}
	if err := r.times(); err != nil {
		return err
	}
	rules := r.rules
	if rules.Issuer != "" && (r.has&issClaim == 0 || r.reg.issuer != rules.Issuer) {
		return claimError(ErrIssuer, "iss", "not the issuer that is expected")
	}
	if err := r.addressed(); err != nil {
		return err
	}
	if rules.Type != "" && mediaType(typ) != rules.Type {
		return &Error{Reason: ErrType, detail: "header typ is not the one that is expected"}
	}
	return nil
}

func (r *reader) required() *Error {
	if !r.rules.InsecureNoExpiration && r.has&expClaim == 0 {
		return claimError(ErrMissing, "exp", "missing")
	}
	for n, name := range r.rules.Require {
		if r.seen&(1<<n) == 0 {
			return claimError(ErrMissing, name, "missing, null or empty")
		}
	}
	return nil
}

// times compares with the clock: exp is the first second in which the token is
// no longer good (RFC 7519 section 4.1.4), nbf the first in which it is
// (section 4.1.5), and iat must not lie ahead (as PyJWT has it since 2.6).
func (r *reader) times() *Error {
	if r.has&(expClaim|nbfClaim|iatClaim) == 0 {
		return nil
	}
	now, leeway := r.rules.Now().Unix(), int64(r.rules.Leeway/1e9)
	switch {
	case r.has&iatClaim != 0 && r.reg.issuedAt > now+leeway:
		return claimError(ErrIssuedInFuture, "iat", "lies ahead of the clock")
	case r.has&nbfClaim != 0 && r.reg.notBefore > now+leeway:
		return claimError(ErrNotYetValid, "nbf", "lies ahead of the clock")
	case r.has&expClaim != 0 && r.reg.expiresAt <= now-leeway:
		return claimError(ErrExpired, "exp", "lies behind the clock")
	}
	return nil
}

// addressed holds aud, which audience has read, to the rules.
func (r *reader) addressed() *Error {
	switch {
	case len(r.rules.Audience) > 0 && !r.ours:
		return claimError(ErrAudience, "aud", "does not name this verifier")
	case len(r.rules.Audience) == 0 && r.has&audClaim != 0 && !r.rules.InsecureAnyAudience:
		return claimError(ErrAudience, "aud", "present, but no audience is expected")
	}
	return nil
}

// mediaType brings a typ to one spelling (RFC 7515 section 4.1.9).
func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if rest, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(rest, "/") {
		return rest
	}
	return typ
}
