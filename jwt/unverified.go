package jwt

// DecodeUnverified splits a token and returns its header and claims as JSON text
// WITHOUT checking the signature or any rule: anyone can have written them. Use
// it to inspect tokens, never to make a decision. The header and the claims are
// strict JSON, as for Verify; if they are not, the error is [ErrInvalid].
func DecodeUnverified(token string) (header, claims Raw, err error) {
	first, last, e := split(token)
	if e != nil {
		return "", "", e
	}
	if header, err = decodeObject(token[:first]); err != nil {
		return "", "", err
	}
	if claims, err = decodeObject(token[first+1 : last]); err != nil {
		return "", "", err
	}
	return header, claims, nil
}

func decodeObject(segment string) (Raw, error) {
	buf := make([]byte, len(segment))
	n, ok := decode64(buf, segment)
	var p scanner
	if !ok || !p.reset(string(buf[:n]), 0) || !p.document(nil) {
		return "", invalid("segment is not canonical base64url of a strict JSON object")
	}
	return Raw(p.s), nil
}
