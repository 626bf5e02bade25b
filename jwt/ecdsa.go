package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
)

// ECDSA (RFC 7518 section 3.4). The signature in a token is the numbers r and s,
// each as wide as the curve, one after the other. The standard library uses
// ASN.1.

type ecScheme struct {
	pub  *ecdsa.PublicKey
	priv *ecdsa.PrivateKey // nil for a public key
	hash crypto.Hash
	size int // bytes of r and of s
}

// newEC checks and copies a key.
func newEC(m method, pub *ecdsa.PublicKey, priv *ecdsa.PrivateKey) (scheme, error) {
	if pub.Curve != m.curve {
		return nil, fmt.Errorf("jwt: %s needs a key on %s", m.alg, m.curve.Params().Name)
	}
	point, err := pub.Bytes() // fails if it is not on the curve
	if err != nil {
		return nil, fmt.Errorf("jwt: EC key: %w", err)
	}
	s := &ecScheme{hash: m.hash, size: (m.curve.Params().BitSize + 7) / 8}
	if s.pub, err = ecdsa.ParseUncompressedPublicKey(m.curve, point); err != nil {
		return nil, fmt.Errorf("jwt: EC key: %w", err)
	}
	if priv != nil {
		if s.priv, err = copyEC(m, priv); err != nil || !s.priv.PublicKey.Equal(s.pub) {
			return nil, errors.New("jwt: EC key: the private and the public key do not match")
		}
	}
	return s, nil
}

func copyEC(m method, priv *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	d, err := priv.Bytes()
	if err != nil {
		return nil, err
	}
	return ecdsa.ParseRawPrivateKey(m.curve, d)
}

func (s *ecScheme) publicKey() crypto.PublicKey { return s.pub }

func (s *ecScheme) sign(w *scratch, input []byte) ([]byte, error) {
	der, err := ecdsa.SignASN1(rand.Reader, s.priv, w.digest(s.hash, input))
	if err != nil {
		return nil, err
	}
	w.sig = append(w.sig[:0], make([]byte, 2*s.size)...)
	if !fromASN1(w.sig, der) {
		return nil, errors.New("the ECDSA signature is not as expected")
	}
	return w.sig, nil
}

func (s *ecScheme) verify(w *scratch, input []byte, signature string) bool {
	sig, ok := w.decode(signature, 2*s.size)
	if !ok {
		return false
	}
	w.der = toASN1(w.der[:0], sig)
	return ecdsa.VerifyASN1(s.pub, w.digest(s.hash, input), w.der)
}

// toASN1 appends r and s, the halves of sig, as a SEQUENCE of two INTEGERs in
// DER (RFC 3279 section 2.2.3). It is at most 141 bytes long.
func toASN1(der, sig []byte) []byte {
	half := len(sig) / 2
	r, s := trim(sig[:half]), trim(sig[half:])
	n := integerSize(r) + integerSize(s)
	der = append(der, 0x30)
	if n >= 0x80 {
		der = append(der, 0x81)
	}
	der = append(der, byte(n))
	return appendInteger(appendInteger(der, r), s)
}

// trim removes leading zeros, but keeps at least one byte.
func trim(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}

// integerSize returns the length of n as a DER INTEGER. A zero byte precedes a
// first byte whose high bit is set, which would make the number negative.
func integerSize(n []byte) int { return 2 + len(n) + int(n[0]>>7) }

func appendInteger(der, n []byte) []byte {
	der = append(der, 0x02, byte(len(n)+int(n[0]>>7)))
	if n[0]>>7 == 1 {
		der = append(der, 0)
	}
	return append(der, n...)
}

// fromASN1 reads DER into the two halves of sig, which must be zero.
func fromASN1(sig, der []byte) bool {
	if len(der) < 2 || der[0] != 0x30 {
		return false
	}
	der = der[2:]
	if len(der) > 0 && der[0] != 0x02 { // the length takes two bytes
		der = der[1:]
	}
	half := len(sig) / 2
	rest, ok := integer(sig[:half], der)
	if !ok {
		return false
	}
	rest, ok = integer(sig[half:], rest)
	return ok && len(rest) == 0
}

// integer reads a DER INTEGER and stores it right-aligned in dst.
func integer(dst, der []byte) (rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 0x02 || der[1] == 0 || len(der) < 2+int(der[1]) {
		return nil, false
	}
	n := der[2 : 2+int(der[1])]
	rest = der[2+len(n):]
	if len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) > len(dst) {
		return nil, false
	}
	copy(dst[len(dst)-len(n):], n)
	return rest, true
}
