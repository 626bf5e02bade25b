package jwt

// registered holds the registered claims except aud (RFC 7519 section 4.1).
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

// claimBit returns the bit of a registered claim, or 0 for any other name.
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
