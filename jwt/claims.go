package jwt

import "slices"

// Reading the claims of a token whose signature is valid, and checking them
// against the rules.

// A claimReader is the sink for the members of a payload.
type claimReader struct {
	rules   *Rules
	root    *fieldPlan
	own     uint8 // registered claims that root has a field for, by their bits
	reg     registered
	present uint8  // registered claims in the payload, by their bits
	seen    uint32 // indexes of rules.Require that are in the payload
	ours    bool   // aud contains one of rules.Audience
}

// member implements sink. A registered claim is stored in reg and, as any other
// claim, in the application's field of that name.
func (r *claimReader) member(p *scanner, name string, i int) int { return r.put(p, r.dest(name), i) }

// dest implements shaped.
func (r *claimReader) dest(name string) dest {
	to := dest{name: name, claim: claimBit(name), field: noField}
	if to.claim == 0 || r.own&to.claim != 0 {
		to.field = r.root.find(name)
	}
	return to
}

// put implements shaped.
func (r *claimReader) put(p *scanner, to dest, i int) (end int) {
	var f *fieldPlan
	if to.field != noField {
		f = &r.root.fields[to.field]
	}
	switch {
	case to.claim != 0:
		end = r.registered(p, to.claim, to.name, i)
		switch {
		case f == nil || end == bad || f.copyFrom(&r.reg):
		case f.kind == rawKind:
			*f.raw = Raw(p.s[i:end]) // checked by registered
		default:
			end = f.read(p, i)
		}
	case f != nil:
		end = f.read(p, i)
	default:
		end = p.value(i)
	}
	if end != bad && len(r.rules.Require) > 0 {
		r.noteRequired(to.name, p.s[i:end])
	}
	return end
}

// noteRequired records that a required claim is there and has a value.
func (r *claimReader) noteRequired(name, value string) {
	for n, want := range r.rules.Require {
		if want == name && value != "null" && value != `""` {
			r.seen |= 1 << n
		}
	}
}

// registered reads a registered claim.
func (r *claimReader) registered(p *scanner, bit uint8, name string, i int) (end int) {
	r.present |= bit
	switch bit {
	case expClaim:
		r.reg.expiresAt, end = date(p.s, i)
	case nbfClaim:
		r.reg.notBefore, end = date(p.s, i)
	case iatClaim:
		r.reg.issuedAt, end = date(p.s, i)
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
		p.err = claimError(ErrMalformed, name, "has the wrong type (RFC 7519 section 4.1)")
	}
	return end
}

// copyFrom fills the field of a registered claim from reg and reports whether it
// did. It does not if the field's type differs from that in reg.
func (f *fieldPlan) copyFrom(reg *registered) bool {
	switch {
	case f.kind == intKind && f.claim == expClaim:
		*f.num = reg.expiresAt
	case f.kind == intKind && f.claim == nbfClaim:
		*f.num = reg.notBefore
	case f.kind == intKind && f.claim == iatClaim:
		*f.num = reg.issuedAt
	case f.kind == textKind && f.claim == issClaim:
		*f.text = reg.issuer
	case f.kind == textKind && f.claim == subClaim:
		*f.text = reg.subject
	case f.kind == textKind && f.claim == jtiClaim:
		*f.text = reg.id
	default:
		return false
	}
	return true
}

func (r *claimReader) subject(p *scanner, i int) (s string, end int) {
	if r.rules.NumericSubject && i < len(p.s) && p.s[i] != '"' {
		if _, end = p.int(i); end != bad {
			return p.s[i:end], end
		}
	}
	return p.text(i)
}

// audience reads aud, a string or an array of strings (RFC 7519 section 4.1.3),
// and records whether it contains an expected audience. It does not keep the
// list, which few programs need: Token.Audience reads it again.
func (r *claimReader) audience(p *scanner, i int) int {
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

// check checks the claims against the rules, in PyJWT's order, so that a token
// with several faults is refused for the same one by both.
func (r *claimReader) check(typ string) *Error {
	if err := r.checkRequired(); err != nil {
		return err
	}
	if err := r.checkTimes(); err != nil {
		return err
	}
	rules := r.rules
	if rules.Issuer != "" && (r.present&issClaim == 0 || r.reg.issuer != rules.Issuer) {
		return claimError(ErrIssuer, "iss", "is not the expected issuer")
	}
	if err := r.checkAudience(); err != nil {
		return err
	}
	if !rules.acceptsType(typ) {
		return &Error{Reason: ErrType, detail: "header typ is not the expected type"}
	}
	return nil
}

func (r *claimReader) checkRequired() *Error {
	if !r.rules.InsecureNoExpiration && r.present&expClaim == 0 {
		return claimError(ErrMissing, "exp", "missing")
	}
	for n, name := range r.rules.Require {
		if r.seen&(1<<n) == 0 {
			return claimError(ErrMissing, name, "missing, null or empty")
		}
	}
	return nil
}

// checkTimes compares the times with the clock. A token is valid from nbf on
// (RFC 7519 section 4.1.5), expired from exp on (section 4.1.4), and iat must
// not be in the future (as in PyJWT since 2.6).
func (r *claimReader) checkTimes() *Error {
	if r.present&(expClaim|nbfClaim|iatClaim) == 0 {
		return nil
	}
	now, leeway := r.rules.Now().Unix(), int64(r.rules.Leeway/1e9)
	switch {
	case r.present&iatClaim != 0 && r.reg.issuedAt > now+leeway:
		return claimError(ErrIssuedInFuture, "iat", "is in the future")
	case r.present&nbfClaim != 0 && r.reg.notBefore > now+leeway:
		return claimError(ErrNotYetValid, "nbf", "is in the future")
	case r.present&expClaim != 0 && r.reg.expiresAt <= now-leeway:
		return claimError(ErrExpired, "exp", "is in the past")
	}
	return nil
}

// checkAudience checks what audience has recorded.
func (r *claimReader) checkAudience() *Error {
	switch {
	case len(r.rules.Audience) > 0 && !r.ours:
		return claimError(ErrAudience, "aud", "does not name this verifier")
	case len(r.rules.Audience) == 0 && r.present&audClaim != 0 && !r.rules.InsecureAnyAudience:
		return claimError(ErrAudience, "aud", "present, but no audience is expected")
	}
	return nil
}
