package jwt

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"slices"
	"sync"
)

// HMAC with SHA-2 (RFC 7518 section 3.2).

// NewHMAC makes a key from a shared secret for HS256, HS384 or HS512. The
// secret is copied. It must be at least as long as the hash: 32, 48 or 64 bytes
// (RFC 7518 section 3.2); a shorter one can be found by trying. Also refused is
// what Django's check security.W009 warns of: fewer than five different bytes,
// or the prefix "django-insecure-" of a generated development key. PEM or JWK
// text is no secret but a key to be read by [ParseKey], and always refused: it
// is often public.
func NewHMAC(alg Algorithm, secret []byte) (*Key, error) {
	if err := strong(alg, secret); err != nil {
		return nil, err
	}
	if different(secret) < 5 {
		return nil, errMonotonous
	}
	return InsecureHMAC(alg, secret)
}

// jwkHMAC is NewHMAC for a secret out of a JWK. There a monotonous one is
// refused only if it is text that somebody typed: zero bytes stand in published
// test keys.
func jwkHMAC(alg Algorithm, secret []byte) (*Key, error) {
	if err := strong(alg, secret); err != nil {
		return nil, err
	}
	if different(secret) < 5 && printable(string(secret)) == len(secret) {
		return nil, errMonotonous
	}
	return InsecureHMAC(alg, secret)
}

// InsecureHMAC is NewHMAC for a secret that must be kept although it is short or
// well known, because tokens signed with it are in use. An empty one is refused
// all the same, and so is PEM or JWK text.
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

// strong says why a secret is too weak for alg.
func strong(alg Algorithm, secret []byte) error {
	m, _ := alg.method()
	if m.kind == hmacFamily && len(secret) < m.hash.Size() {
		return fmt.Errorf("%w: %s needs at least %d bytes (RFC 7518 section 3.2), got %d", errWeak, alg, m.hash.Size(), len(secret))
	}
	if bytes.HasPrefix(secret, []byte("django-insecure-")) {
		return fmt.Errorf("%w: Django's django-insecure- keys are for development only", errWeak)
	}
	return nil
}

var errMonotonous = fmt.Errorf("%w: fewer than 5 different bytes", errWeak)

func different(secret []byte) int {
	s := slices.Sorted(slices.Values(secret))
	return len(slices.Compact(s))
}

// isKeyText reports whether a secret is in truth a key document: PEM, a JWK or
// a JWK Set, or an OpenSSH public key (CVE-2022-29217 and its kin).
func isKeyText(secret []byte) bool {
	s := bytes.TrimSpace(secret)
	return bytes.Contains(s, []byte("-----BEGIN ")) ||
		bytes.HasPrefix(s, []byte("{")) && (bytes.Contains(s, []byte(`"kty"`)) || bytes.Contains(s, []byte(`"keys"`))) ||
		bytes.HasPrefix(s, []byte("ssh-")) || bytes.HasPrefix(s, []byte("ecdsa-sha2-"))
}

// A mac is a secret ready for use. Keyed hashes are pooled: an hmac that has
// been reset once starts again from its saved state, which is half the cost of
// a new one.
type mac struct {
	secret []byte
	hash   crypto.Hash
	states sync.Pool
}

func newMAC(h crypto.Hash, secret []byte) *mac {
	m := &mac{secret: secret, hash: h}
	m.states.New = func() any { return hmac.New(newHash(h), secret) }
	return m
}

func newHash(h crypto.Hash) func() hash.Hash {
	switch h {
	case crypto.SHA256:
		return sha256.New
	case crypto.SHA384:
		return sha512.New384
	}
	return sha512.New
}

// state is a keyed hash at its start. The scratch keeps the one it used last.
func (w *scratch) state(m *mac) hash.Hash {
	if w.mac != m {
		if w.mac != nil {
			w.mac.states.Put(w.keyed)
		}
		w.mac, w.keyed = m, m.states.Get().(hash.Hash)
	}
	w.keyed.Reset()
	return w.keyed
}

func (m *mac) sign(w *scratch, input []byte) ([]byte, error) {
	h := w.state(m)
	h.Write(input)
	return h.Sum(w.sum[:0]), nil
}

// verify compares the two signatures as text, so that only the canonical
// spelling of the right one passes.
func (m *mac) verify(w *scratch, input []byte, signature string) bool {
	sum, _ := m.sign(w, input)
	w.sig = append(w.sig[:0], signature...)
	return subtle.ConstantTimeCompare(append64(w.want[:0], sum), w.sig) == 1
}
