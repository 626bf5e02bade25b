// Package jwt signs and verifies JSON Web Tokens (RFC 7519) in their compact
// form, on nothing but the standard library.
//
// Two calls do the work:
//
//	key, err := jwt.NewHMAC(jwt.HS256, secret)
//	token, err := jwt.Sign(key, claims)
//
//	verifier, err := jwt.NewVerifier[Claims](key, jwt.Rules{Issuer: "https://auth.example"})
//	verified, err := verifier.Verify(token)
//
// Claims is a struct of yours; verified.Claims is one, filled in, and the
// registered claims (exp, iss, sub, …) stand beside it. Build keys and verifiers
// once and share them: they are safe for concurrent use.
//
// What Verify does, in this order: it bounds the length (8192 bytes), splits at
// exactly two dots, reads the header, finds a key whose algorithm and id agree
// with it, checks the signature, and only then reads the claims, in one pass,
// and holds them to the rules. Before the signature is found right every
// failure is [ErrInvalid]; afterwards the reason is told.
//
// The safe choice is the default:
//
//   - The key carries the algorithm; a header can only agree (RFC 8725 section
//     3.1). There is no "none", and keys inside a token are never used.
//   - A token has one spelling: base64url without padding, line breaks or spare
//     bits, strict JSON with every name once, valid UTF-8.
//   - exp is required, aud is refused unless expected, and a claim of the wrong
//     type is an error, never absent and never coerced.
//   - crit is refused, since no extension is understood (RFC 7515 section 4.1.11).
//   - Secrets and keys that are too weak are refused when they are made.
//
// A verification costs no allocation of its own but one string that holds the
// claims, and for HMAC little more than the hash itself.
//
// Promised to stay: the names here, the bytes that Sign writes, and that no
// later version accepts a token that this one refuses as invalid without a
// new, named setting.
package jwt
