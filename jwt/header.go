package jwt

// The header of a token (RFC 7515 section 4).

// maxMembers bounds the members of a header, which is read before its token
// has been found genuine.
const maxMembers = 64

// A header is what counts in a token's header. Everything that would bring a
// key along (jwk, jku, x5c, x5u) is passed over: keys come from the key set.
type header struct {
	alg      Algorithm
	kid      string
	typ      string
	named    bool // kid stood there, maybe empty
	critical bool // crit or b64 stood there
}

// headerText is the encoded header of our own tokens: names sorted, as PyJWT
// writes them; kid and typ are left out when empty.
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

// parseHeader reads the first segment. buf is scratch space.
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

// member implements sink. The registered members must have the type that RFC
// 7515 section 4.1 gives them. Extensions that must be understood are refused,
// whatever crit says (section 4.1.11), since none is; so is b64, which changes
// what is signed (RFC 7797).
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
