package jwt

// A Token is a verified token, as [Verifier.Verify] returns it. It shares no
// memory with other tokens.
type Token[T any] struct {
	Algorithm Algorithm // of the header and of the key that verified the token
	KeyID     string    // kid of the header, or ""
	Type      string    // typ of the header, or ""

	// The registered claims (RFC 7519 section 4.1), zero if the token does not
	// have them. Times are in seconds since 1970. For aud, see Audience.
	Issuer    string // iss
	Subject   string // sub
	ExpiresAt int64  // exp
	NotBefore int64  // nbf
	IssuedAt  int64  // iat
	ID        string // jti

	Claims T // all claims that T has a place for

	payload string
}

// Payload returns the JSON text of all claims.
func (t *Token[T]) Payload() Raw { return Raw(t.payload) }

// Audience returns the names in aud, which may be a string or an array of strings,
// or nil if the token has no aud. Each call parses the payload and returns a new
// slice.
func (t *Token[T]) Audience() []string {
	aud, ok := t.Claim("aud")
	if !ok {
		return nil
	}
	var list []string
	p := scanner{s: string(aud)}
	p.stringOrStrings(0, &list) // cannot fail: Verify has checked it
	return list
}

// Claim returns the JSON text of a claim, which T need not have a field for. ok is
// false if the token does not have the claim. Each call parses the payload.
func (t *Token[T]) Claim(name string) (value Raw, ok bool) {
	return t.Payload().Member(name)
}
