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
	reg   Registered
	has   uint8  // which times and names stood there
	seen  uint32 // which of rules.Require stood there
}

const (
	hasExp = 1 << iota
	hasNbf
	hasIat
	hasIss
	hasAud
)

// member implements sink: registered claims go to their own place and, like
// every other claim, to the application's field of that name.
func (r *reader) member(p *scanner, name string, i int) int {
	end, registered := r.registered(p, name, i)
	if end == bad {
		p.err = claimError(ErrMalformed, name, "not of the type that RFC 7519 section 4.1 gives it")
		return bad
	}
	if f := r.root.find(name); f != nil {
		end = f.read(p, i)
	} else if !registered {
		end = p.value(i)
	}
	if end != bad {
		r.note(name, p.s[i:end])
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
func (r *reader) registered(p *scanner, name string, i int) (end int, ok bool) {
	if len(name) != 3 {
		return i, false
	}
	switch name {
	case "exp":
		r.reg.ExpiresAt, end = r.date(p, i, hasExp)
	case "nbf":
		r.reg.NotBefore, end = r.date(p, i, hasNbf)
	case "iat":
		r.reg.IssuedAt, end = r.date(p, i, hasIat)
	case "iss":
		r.reg.Issuer, end = p.text(i)
		r.has |= hasIss
	case "sub":
		r.reg.Subject, end = r.subject(p, i)
	case "jti":
		r.reg.ID, end = p.text(i)
	case "aud":
		end = p.audience(i, &r.reg.Audience)
		r.has |= hasAud
	default:
		return i, false
	}
	return end, true
}

func (r *reader) date(p *scanner, i int, bit uint8) (sec int64, end int) {
	sec, end, ok := p.date(i)
	if !ok {
		return 0, bad
	}
	r.has |= bit
	return sec, end
}

func (r *reader) subject(p *scanner, i int) (s string, end int) {
	if r.rules.NumericSubject && i < len(p.s) && p.s[i] != '"' {
		if _, end = p.int(i); end != bad {
			return p.s[i:end], end
		}
	}
	return p.text(i)
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
	if rules.Issuer != "" && (r.has&hasIss == 0 || r.reg.Issuer != rules.Issuer) {
		return claimError(ErrIssuer, "iss", "not the issuer that is expected")
	}
	if err := r.audience(); err != nil {
		return err
	}
	if rules.Type != "" && mediaType(typ) != rules.Type {
		return &Error{Reason: ErrType, detail: "header typ is not the one that is expected"}
	}
	return nil
}

func (r *reader) required() *Error {
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
	if r.has&(hasExp|hasNbf|hasIat) == 0 {
		return nil
	}
	now, leeway := r.rules.Now().Unix(), int64(r.rules.Leeway/1e9)
	switch {
	case r.has&hasIat != 0 && r.reg.IssuedAt > now+leeway:
		return claimError(ErrIssuedInFuture, "iat", "lies ahead of the clock")
	case r.has&hasNbf != 0 && r.reg.NotBefore > now+leeway:
		return claimError(ErrNotYetValid, "nbf", "lies ahead of the clock")
	case r.has&hasExp != 0 && r.reg.ExpiresAt <= now-leeway:
		return claimError(ErrExpired, "exp", "lies behind the clock")
	}
	return nil
}

func (r *reader) audience() *Error {
	rules := r.rules
	if len(rules.Audience) == 0 {
		if r.has&hasAud != 0 && !rules.InsecureAnyAudience {
			return claimError(ErrAudience, "aud", "present, but no audience is expected")
		}
		return nil
	}
	ours := func(a string) bool { return slices.Contains(rules.Audience, a) }
	if !slices.ContainsFunc(r.reg.Audience, ours) {
		return claimError(ErrAudience, "aud", "does not name this verifier")
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
