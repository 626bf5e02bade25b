package jwt

// The header of a token (RFC 7515 section 4).

// maxMembers limits the members of a header, which is parsed before the
// signature is checked.
const maxMembers = 64

// A header holds the members of a token's header that matter. Members that hold
// or locate a key (jwk, jku, x5c, x5u) are ignored: keys come from the key set.
type header struct {
	alg      Algorithm
	kid      string
	typ      string
	named    bool // kid is present, maybe empty
	critical bool // crit or b64 is present
}

// headerText returns the encoded header of the tokens that Sign makes. The names
// are sorted, as in PyJWT; kid and typ are left out if they are empty.
func headerText(alg Algorithm, kid, typ string) string {
	b := append([]byte(`{"alg":"`), alg...)
	b = append(b, '"')
	if kid != "" {
		b = append(b, `,"kid":`...)
		b, _ = appendText(b, kid)
	}
	if typ != "" {
		b = append(b, `,"typ":`...)
		b, _ = appendText(b, typ)
	}
	return b64.EncodeToString(append(b, '}'))
}

// parseHeader parses the first segment. buf is used for decoding.
func parseHeader(p *scanner, buf []byte, segment string) (h header, err *Error) {
	n, ok := decode64(buf[:cap(buf)], segment)
	if !ok || !p.reset(string(buf[:n]), maxMembers) {
		return h, errHeader
	}
	switch ok := p.document(&h); {
	case p.err != nil:
		return h, p.err
	case !ok:
		return h, errHeader
	case h.critical:
		return h, errCritical
	case h.alg == "":
		return h, errAlgorithm
	}
	if h.alg == "Ed25519" {
		h.alg = EdDSA
	}
	return h, nil
}

// member implements sink. Registered members must have the type that RFC 7515
// section 4.1 defines. crit is refused, whatever it lists, since no extension is
// supported (section 4.1.11). So is b64, which changes what is signed (RFC 7797).
func (h *header) member(p *scanner, name string, i int) int {
	var s string
	end := i
	switch name {
	case "alg":
		s, end = p.text(i)
		h.alg = Algorithm(s)
	case "kid":
		h.kid, end = p.text(i)
		h.named = true
	case "typ":
		h.typ, end = p.text(i)
	case "cty", "jku", "x5u", "x5t", "x5t#S256":
		_, end = p.text(i)
	case "x5c":
		var chain []string
		end = p.strings(i, &chain)
	case "jwk":
		if end = bad; i < len(p.s) && p.s[i] == '{' {
			end = p.object(i, nil)
		}
	case "crit", "b64":
		h.critical = true
		return p.value(i)
	default:
		return p.value(i)
	}
	if end == bad {
		p.err = errMember
	}
	return end
}
