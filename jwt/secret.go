package jwt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Shared secrets: which are accepted as HMAC keys.

// minDistinct is how many different bytes a secret needs at least, as in
// Django's check security.W009.
const minDistinct = 5

// NewHMAC returns a key for HS256, HS384 or HS512 from a shared secret, which it
// copies. The secret must be at least as long as the hash, which is 32, 48 or 64
// bytes (RFC 7518 section 3.2): a shorter one can be found by trial.
//
// Secrets that Django's check security.W009 warns about are also refused: those
// with fewer than five different bytes, and those that begin with
// "django-insecure-", as generated development keys do. A secret that is the text
// of a PEM document or a JWK is refused because it is often a public key; read it
// with [ParseKey].
func NewHMAC(alg Algorithm, secret []byte) (*Key, error) {
	if err := checkSecret(alg, secret); err != nil {
		return nil, err
	}
	if distinct(secret) < minDistinct {
		return nil, errMonotonous
	}
	return InsecureHMAC(alg, secret)
}

// jwkHMAC is NewHMAC for a secret from a JWK. Published test keys consist of zero
// bytes, so a monotonous secret is refused only if it is text.
func jwkHMAC(alg Algorithm, secret []byte) (*Key, error) {
	if err := checkSecret(alg, secret); err != nil {
		return nil, err
	}
	if distinct(secret) < minDistinct && printable(string(secret)) == len(secret) {
		return nil, errMonotonous
	}
	return InsecureHMAC(alg, secret)
}

// InsecureHMAC is [NewHMAC] without the checks of length and variety. It is for a
// weak secret that cannot be replaced yet because tokens signed with it are in
// use. It refuses an empty secret and the text of a PEM document or a JWK.
func InsecureHMAC(alg Algorithm, secret []byte) (*Key, error) {
	m, ok := alg.method()
	if !ok || m.kind != hmacFamily {
		return nil, fmt.Errorf("jwt: %q is not an HMAC algorithm", alg)
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errWeak)
	}
	if isKeyText(secret) {
		return nil, errors.New("jwt: a PEM or JWK document was given as a secret; read it with ParseKey")
	}
	return newKey(m, newMAC(m.hash, slices.Clone(secret)), true), nil
}

// checkSecret returns an error if a secret is too short or well known.
func checkSecret(alg Algorithm, secret []byte) error {
	m, _ := alg.method()
	if m.kind == hmacFamily && len(secret) < m.hash.Size() {
		return fmt.Errorf("%w: %s needs at least %d bytes (RFC 7518 section 3.2), got %d", errWeak, alg, m.hash.Size(), len(secret))
	}
	if bytes.HasPrefix(secret, []byte("django-insecure-")) {
		return fmt.Errorf("%w: Django's django-insecure- keys are for development only", errWeak)
	}
	return nil
}

var errMonotonous = fmt.Errorf("%w: fewer than %d different bytes", errWeak, minDistinct)

// distinct returns the number of different bytes.
func distinct(secret []byte) int {
	s := slices.Sorted(slices.Values(secret))
	return len(slices.Compact(s))
}

// isKeyText reports whether a secret is the text of a key document: PEM, a JWK, a
// JWK Set, or an OpenSSH public key. Using a public key as a secret lets anyone
// sign (CVE-2022-29217).
func isKeyText(secret []byte) bool {
	s := bytes.TrimSpace(secret)
	return bytes.Contains(s, []byte("-----BEGIN ")) ||
		bytes.HasPrefix(s, []byte("{")) && (bytes.Contains(s, []byte(`"kty"`)) || bytes.Contains(s, []byte(`"keys"`))) ||
		bytes.HasPrefix(s, []byte("ssh-")) || bytes.HasPrefix(s, []byte("ecdsa-sha2-"))
}
