package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
)

// NewKey returns a key from one of the standard library: *rsa.PrivateKey,
// *rsa.PublicKey, *ecdsa.PrivateKey, *ecdsa.PublicKey, ed25519.PrivateKey or
// ed25519.PublicKey. It copies the key. If alg is empty, it is RS256 for an RSA
// key, and the only possible algorithm for an EC or Ed25519 key.
//
// NewKey refuses RSA keys of fewer than 2048 or more than 16384 bits, with an
// exponent that is even or below 65537, or with the ROCA weakness
// (CVE-2017-15361); EC points that are not on their curve; Ed25519 points of
// small order; and private keys that do not match their public key.
func NewKey(alg Algorithm, key any) (*Key, error) {
	if incomplete(key) {
		return nil, fmt.Errorf("jwt: the %T is nil or incomplete", key)
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
	return nil, fmt.Errorf("jwt: %T is not a supported type of key", key)
}

// incomplete reports whether a part of a key is missing. The standard library
// would panic.
func incomplete(key any) bool {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k == nil || k.N == nil || k.D == nil || len(k.Primes) == 0 || slices.Contains(k.Primes, nil)
	case *rsa.PublicKey:
		return k == nil || k.N == nil
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 there is no other way to find a missing number
		return k == nil || k.D == nil || incomplete(&k.PublicKey)
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
	s, err := newRSA(m, pub, priv)
	return schemeKey(m, s, priv != nil, err)
}

func ecKey(alg Algorithm, pub *ecdsa.PublicKey, priv *ecdsa.PrivateKey) (*Key, error) {
	m, ok := choose(alg, ofCurve(pub))
	if !ok || m.kind != ecFamily {
		return nil, fmt.Errorf("jwt: an EC key on %s cannot be used with algorithm %q", pub.Curve.Params().Name, alg)
	}
	s, err := newEC(m, pub, priv)
	return schemeKey(m, s, priv != nil, err)
}

func edKey(alg Algorithm, pub ed25519.PublicKey, priv ed25519.PrivateKey) (*Key, error) {
	m, ok := choose(alg, EdDSA)
	if !ok || m.kind != edFamily {
		return nil, fmt.Errorf("jwt: an Ed25519 key cannot be used with algorithm %q", alg)
	}
	s, err := newEd(pub, priv)
	return schemeKey(m, s, priv != nil, err)
}

// schemeKey returns the key of a scheme, unless making the scheme failed.
func schemeKey(m method, s scheme, signs bool, err error) (*Key, error) {
	if err != nil {
		return nil, err
	}
	return newKey(m, s, signs), nil
}

// choose returns the method of alg, or that of byDefault if alg is empty.
func choose(alg, byDefault Algorithm) (method, bool) {
	if alg == "" {
		alg = byDefault
	}
	return alg.method()
}

// ofCurve returns the algorithm for the curve of a key.
func ofCurve(pub *ecdsa.PublicKey) Algorithm {
	for _, m := range methods {
		if m.curve != nil && m.curve == pub.Curve {
			return m.alg
		}
	}
	return "unknown curve"
}

// Public returns the public key of a private key, with the same id. For a public
// key it returns k itself. It fails for a shared secret, which has no public key.
func (k *Key) Public() (*Key, error) {
	if k.IsSecret() {
		return nil, errors.New("jwt: a shared secret has no public key")
	}
	if !k.signs {
		return k, nil
	}
	pub, err := NewKey(k.alg, k.public())
	if err != nil {
		return nil, err
	}
	return pub.WithID(k.id), nil
}

// GenerateKey returns a new random key for the algorithm: for HS a secret as long
// as the hash, for RS and PS an RSA key of 3072 bits, for ES and EdDSA a key of
// the only possible kind. Its id is empty; [Key.Thumbprint] makes a good one.
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
