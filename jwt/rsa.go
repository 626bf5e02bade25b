package jwt

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
)

// RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5).

const (
	minRSA = 2048 // bits (RFC 7518 section 3.3)
	maxRSA = 16384
	minE   = 65537 // FIPS 186-5 section A.1.1
)

// An rsaScheme is an RSA key with its hash.
type rsaScheme struct {
	pub  *rsa.PublicKey
	priv *rsa.PrivateKey // nil for a public key
	hash crypto.Hash
	pss  *rsa.PSSOptions // nil for PKCS #1 v1.5
}

// newRSA checks and copies a key.
func newRSA(m method, pub *rsa.PublicKey, priv *rsa.PrivateKey) (scheme, error) {
	if err := checkRSA(pub); err != nil {
		return nil, err
	}
	pub = &rsa.PublicKey{N: new(big.Int).Set(pub.N), E: pub.E}
	s := &rsaScheme{pub: pub, hash: m.hash}
	if priv != nil {
		if len(priv.Primes) != 2 {
			return nil, errors.New("jwt: RSA key does not have two primes")
		}
		p, q := new(big.Int).Set(priv.Primes[0]), new(big.Int).Set(priv.Primes[1])
		s.priv = &rsa.PrivateKey{PublicKey: *pub, D: new(big.Int).Set(priv.D), Primes: []*big.Int{p, q}}
		if err := s.priv.Validate(); err != nil {
			return nil, fmt.Errorf("jwt: RSA key: %w", err)
		}
		s.priv.Precompute()
	}
	if m.kind == pssFamily {
		// The salt must be as long as the hash (RFC 7518 section 3.5).
		s.pss = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.hash}
	}
	return s, nil
}

// checkRSA returns an error if a public key is weak.
func checkRSA(pub *rsa.PublicKey) error {
	switch bits := pub.N.BitLen(); {
	case bits < minRSA || bits > maxRSA:
		return fmt.Errorf("jwt: RSA key has %d bits, not %d to %d", bits, minRSA, maxRSA)
	case pub.N.Bit(0) == 0:
		return errors.New("jwt: RSA modulus is even")
	case pub.E < minE || pub.E%2 == 0 || pub.E > 1<<31-1:
		return fmt.Errorf("jwt: RSA exponent %d is not an odd number from %d to 2^31-1", pub.E, minE)
	case roca(pub.N):
		return errors.New("jwt: RSA key has the ROCA weakness (CVE-2017-15361)")
	}
	return nil
}

func (s *rsaScheme) publicKey() crypto.PublicKey { return s.pub }

func (s *rsaScheme) sign(w *scratch, input []byte) ([]byte, error) {
	sum := w.digest(s.hash, input)
	if s.pss != nil {
		return rsa.SignPSS(rand.Reader, s.priv, s.hash, sum, s.pss)
	}
	return rsa.SignPKCS1v15(nil, s.priv, s.hash, sum)
}

func (s *rsaScheme) verify(w *scratch, input []byte, signature string) bool {
	sig, ok := w.decode(signature, s.pub.Size())
	if !ok {
		return false
	}
	sum := w.digest(s.hash, input)
	if s.pss != nil {
		return rsa.VerifyPSS(s.pub, s.hash, sum, sig, s.pss) == nil
	}
	return rsa.VerifyPKCS1v15(s.pub, s.hash, sum, sig) == nil
}

// rocaPrimes are small primes that divide the modulus of the weak generator.
var rocaPrimes = []uint64{
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
}

// roca reports whether a modulus has the fingerprint of keys that some smart
// cards generated: modulo each of these primes it is a power of 65537. The
// probability of a false alarm is about 2^-27. (Nemec and others, "The Return of
// Coppersmith's Attack", 2017, section 2.)
func roca(n *big.Int) bool {
	for _, p := range rocaPrimes {
		r := new(big.Int).Mod(n, new(big.Int).SetUint64(p)).Uint64()
		if !power(r, p) {
			return false
		}
	}
	return true
}

// power reports whether r is a power of 65537 modulo p.
func power(r, p uint64) bool {
	x := uint64(1)
	for range p {
		if x == r {
			return true
		}
		x = x * 65537 % p
	}
	return false
}
