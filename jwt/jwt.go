// Package jwt signs and verifies JSON Web Tokens (RFC 7519) in compact form. It
// uses only the standard library.
//
// Sign a token with [Sign]:
//
//	key, err := jwt.NewHMAC(jwt.HS256, secret)
//	token, err := jwt.Sign(key, claims)
//
// Verify one with [Verifier.Verify]:
//
//	verifier, err := jwt.NewVerifier[Claims](key, jwt.Rules{Issuer: "https://auth.example"})
//	verified, err := verifier.Verify(token)
//
// Claims is a struct of the program. verified.Claims is such a struct; the
// registered claims (exp, iss, sub, …) are also fields of verified. Create keys and
// verifiers once and share them: they are safe for concurrent use.
//
// # Choosing an algorithm
//
// If one program both signs and verifies, use HS256 with a random secret of 32
// bytes, which [NewHMAC] takes. If other programs verify, use EdDSA or ES256: sign
// with a private key, and give the others the public keys, which a [KeySet] writes
// as a JWK Set. [Algorithm.GenerateKey] makes a key, [ParseKey] and [ParseKeySet]
// read keys from PEM and JWK, and package jwks fetches a JWK Set over HTTPS.
//
// # What Verify does
//
// Verify checks the length of the token (at most 8192 bytes), splits it at its two
// dots, reads the header, finds the keys whose algorithm and id agree with it, and
// checks the signature. Only then does it read the claims and check them against
// the [Rules]. Every failure before the signature check has succeeded is an
// [ErrInvalid]; later errors name the reason.
//
// The zero Rules are the safe choice:
//
//   - The algorithm belongs to the key; the header can only agree (RFC 8725 section
//     3.1). There is no "none", and keys in the header are ignored.
//   - A token has exactly one encoding: base64url without padding, line breaks or
//     unused bits, and strict JSON in UTF-8 without duplicate names.
//   - exp is required, aud is refused unless an audience is expected, and a claim of
//     the wrong type is an error. It is neither ignored nor converted.
//   - crit is refused, since no extension is supported (RFC 7515 section 4.1.11).
//   - Weak secrets and keys are refused when they are created.
//
// With HMAC, Verify makes one memory allocation, for the text of the claims, unless
// the claims contain slices, maps or pointers, and takes little longer than the hash
// itself.
//
// # Compatibility
//
// The names in this package and the bytes that Sign writes will not change. A token
// that this version refuses as invalid will not be accepted by a later version,
// unless a new setting asks for it.
package jwt
