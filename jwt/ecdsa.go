package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
)

// ECDSA (RFC 7518 section 3.4). A token carries the signature as the two
// numbers r and s side by side, each as wide as the curve; the standard library
// speaks ASN.1.

type ecScheme struct {
	pub  *ecdsa.PublicKey
	priv *ecdsa.PrivateKey // nil for a public key
	hash crypto.Hash
	size int // bytes of r and of s
}

// newEC makes a key of copies, which nobody else can change.
func newEC(m method, pub *ecdsa.PublicKey, priv *ecdsa.PrivateKey) (*Key, error) {
	if pub.Curve != m.curve {
		return nil, fmt.Errorf("jwt: %s needs a key on %s", m.alg, m.curve.Params().Name)
	}
	point, err := pub.Bytes() // checks that it is on the curve
	if err != nil {
		return nil, fmt.Errorf("jwt: EC key: %w", err)
	}
	s := &ecScheme{hash: m.hash, size: (m.curve.Params().BitSize + 7) / 8}
	if s.pub, err = ecdsa.ParseUncompressedPublicKey(m.curve, point); err != nil {
		return nil, fmt.Errorf("jwt: EC key: %w", err)
	}
	if priv != nil {
		if s.priv, err = copyEC(m, priv); err != nil || !s.priv.PublicKey.Equal(s.pub) {
			return nil, errors.New("jwt: EC key: the private and the public part do not belong together")
		}
	}
	return newKey(m, s, priv != nil), nil
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
	der, err := ecdsa.SignASN1(rand.Reader, s.priv, digest(w, s.hash, input))
	if err != nil {
		return nil, err
	}
	w.sig = append(w.sig[:0], make([]byte, 2*s.size)...)
	if !fromASN1(w.sig, der) {
		return nil, errors.New("unexpected form of an ECDSA signature")
	}
	return w.sig, nil
}

func (s *ecScheme) verify(w *scratch, input []byte, signature string) bool {
	sig, ok := w.decode(signature, 2*s.size)
	if !ok {
		return false
	}
	w.der = toASN1(w.der[:0], sig)
	return ecdsa.VerifyASN1(s.pub, digest(w, s.hash, input), w.der)
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

// trim cuts leading zeros off, but keeps one byte.
func trim(n []byte) []byte {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	return n
}

// integerSize is the length of n as a DER INTEGER: a zero goes before a first
// byte whose high bit would make the number negative.
func integerSize(n []byte) int { return 2 + len(n) + int(n[0]>>7) }

func appendInteger(der, n []byte) []byte {
	der = append(der, 0x02, byte(len(n)+int(n[0]>>7)))
	if n[0]>>7 == 1 {
		der = append(der, 0)
	}
	return append(der, n...)
}

// fromASN1 reads DER into the two halves of sig, which are zero.
func fromASN1(sig, der []byte) bool {
	if len(der) < 2 || der[0] != 0x30 {
		return false
	}
	der = der[2:]
	if len(der) > 0 && der[0] != 0x02 { // a length of two bytes
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

// integer reads one DER INTEGER to the right end of to.
func integer(to, der []byte) (rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 0x02 || der[1] == 0 || len(der) < 2+int(der[1]) {
		return nil, false
	}
	n := der[2 : 2+int(der[1])]
	rest = der[2+len(n):]
	if len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) > len(to) {
		return nil, false
	}
	copy(to[len(to)-len(n):], n)
	return rest, true
}
