package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
)

// NewKey makes a key from one of the standard library's: *rsa.PrivateKey,
// *rsa.PublicKey, *ecdsa.PrivateKey, *ecdsa.PublicKey, ed25519.PrivateKey or
// ed25519.PublicKey. alg may be empty for an EC or Ed25519 key, which leaves no
// choice; for an RSA key it then is RS256.
//
// It refuses RSA keys below 2048 bits, with an exponent that is even or below
// 65537, or with the ROCA weakness; EC points off their curve; Ed25519 points
// of small order; and halves that do not belong together.
func NewKey(alg Algorithm, key any) (*Key, error) {
	kind := ""
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if m, ok := choose(alg, RS256); ok && (m.kind == rsaFamily || m.kind == pssFamily) {
			return newRSA(m, &k.PublicKey, k)
		}
		kind = "an RSA key"
	case *rsa.PublicKey:
		if m, ok := choose(alg, RS256); ok && (m.kind == rsaFamily || m.kind == pssFamily) {
			return newRSA(m, k, nil)
		}
		kind = "an RSA key"
	case *ecdsa.PrivateKey:
		if m, ok := choose(alg, ofCurve(&k.PublicKey)); ok && m.kind == ecFamily {
			return newEC(m, &k.PublicKey, k)
		}
		kind = "an EC key"
	case *ecdsa.PublicKey:
		if m, ok := choose(alg, ofCurve(k)); ok && m.kind == ecFamily {
			return newEC(m, k, nil)
		}
		kind = "an EC key"
	case ed25519.PrivateKey:
		if m, ok := choose(alg, EdDSA); ok && m.kind == edFamily && len(k) == ed25519.PrivateKeySize {
			return newEd(m, k.Public().(ed25519.PublicKey), k)
		}
		kind = "an Ed25519 key"
	case ed25519.PublicKey:
		if m, ok := choose(alg, EdDSA); ok && m.kind == edFamily {
			return newEd(m, k, nil)
		}
		kind = "an Ed25519 key"
	default:
		return nil, fmt.Errorf("jwt: a %T is no key for signatures", key)
	}
	return nil, fmt.Errorf("jwt: %s cannot be used with algorithm %q", kind, alg)
}

// choose is the method of alg, or of the default where alg is empty.
func choose(alg, or Algorithm) (method, bool) {
	if alg == "" {
		alg = or
	}
	return alg.method()
}

// ofCurve is the algorithm that belongs to the curve of a key.
func ofCurve(pub *ecdsa.PublicKey) Algorithm {
	for _, m := range methods {
		if m.curve != nil && m.curve == pub.Curve {
			return m.alg
		}
	}
	return "unknown curve"
}

// GenerateKey makes a new key for the algorithm: a random secret as long as the
// hash for HS, RSA of 3072 bits for RS and PS, and the only choice for ES and
// EdDSA. Its id is empty; [Key.Thumbprint] makes a good one.
func (a Algorithm) GenerateKey() (*Key, error) {
	m, ok := a.method()
	if !ok {
		return nil, fmt.Errorf("jwt: unknown algorithm %q", a)
	}
	var key any
	var err error
	switch m.kind {
	case hmacFamily:
		secret := make([]byte, m.hash.Size())
		rand.Read(secret)
		return NewHMAC(a, secret)
	case rsaFamily, pssFamily:
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case ecFamily:
		key, err = ecdsa.GenerateKey(m.curve, rand.Reader)
	case edFamily:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	return NewKey(a, key)
}

// digest hashes input into the scratch.
func digest(w *scratch, h crypto.Hash, input []byte) []byte {
	switch h {
	case crypto.SHA256:
		sum := sha256.Sum256(input)
		return w.sum[:copy(w.sum[:], sum[:])]
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return w.sum[:copy(w.sum[:], sum[:])]
	}
	w.sum = sha512.Sum512(input)
	return w.sum[:]
}

// decode decodes a signature that must have size bytes.
func (w *scratch) decode(signature string, size int) ([]byte, bool) {
	if n, ok := decoded64(len(signature)); !ok || n != size {
		return nil, false
	}
	if cap(w.sig) < size {
		w.sig = make([]byte, size)
	}
	w.sig = w.sig[:size]
	_, ok := decode64(w.sig, signature)
	return w.sig, ok
}
