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
	"slices"
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
	if hollow(key) {
		return nil, fmt.Errorf("jwt: the %T is empty", key)
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return rsaKey(alg, &k.PublicKey, k)
	case *rsa.PublicKey:
		return rsaKey(alg, k, nil)
	case *ecdsa.PrivateKey:
		return ecKey(alg, &k.PublicKey, k)
	case *ecdsa.PublicKey:
		return ecKey(alg, k, nil)
	case ed25519.PrivateKey:
		return edKey(alg, k.Public().(ed25519.PublicKey), k)
	case ed25519.PublicKey:
		return edKey(alg, k, nil)
	}
	return nil, fmt.Errorf("jwt: a %T is no key for signatures", key)
}

// hollow reports a key that was never filled in, which the standard library
// would trip over.
func hollow(key any) bool {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k == nil || k.N == nil || k.D == nil || len(k.Primes) == 0 || slices.Contains(k.Primes, nil)
	case *rsa.PublicKey:
		return k == nil || k.N == nil
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 there is no other way to see that a number is not there
		return k == nil || k.D == nil || hollow(&k.PublicKey)
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 as above
		return k == nil || k.Curve == nil || k.X == nil || k.Y == nil
	case ed25519.PrivateKey:
		return len(k) != ed25519.PrivateKeySize
	}
	return false
}

func rsaKey(alg Algorithm, pub *rsa.PublicKey, priv *rsa.PrivateKey) (*Key, error) {
	m, ok := choose(alg, RS256)
	if !ok || m.kind != rsaFamily && m.kind != pssFamily {
		return nil, fmt.Errorf("jwt: an RSA key cannot be used with algorithm %q", alg)
	}
	return newRSA(m, pub, priv)
}

func ecKey(alg Algorithm, pub *ecdsa.PublicKey, priv *ecdsa.PrivateKey) (*Key, error) {
	m, ok := choose(alg, ofCurve(pub))
	if !ok || m.kind != ecFamily {
		return nil, fmt.Errorf("jwt: an EC key on %s cannot be used with algorithm %q", pub.Curve.Params().Name, alg)
	}
	return newEC(m, pub, priv)
}

func edKey(alg Algorithm, pub ed25519.PublicKey, priv ed25519.PrivateKey) (*Key, error) {
	m, ok := choose(alg, EdDSA)
	if !ok || m.kind != edFamily {
		return nil, fmt.Errorf("jwt: an Ed25519 key cannot be used with algorithm %q", alg)
	}
	return newEd(m, pub, priv)
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
