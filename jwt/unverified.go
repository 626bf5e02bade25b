package jwt

// DecodeUnverified splits a token and returns its header and its claims as JSON
// text, WITHOUT checking the signature or any rule: anybody can have written
// them. It is for looking at tokens, never for deciding anything. The text is
// strict JSON all the same. It fails with [ErrInvalid].
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
