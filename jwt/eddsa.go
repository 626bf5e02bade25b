package jwt

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
)

// EdDSA with Ed25519 (RFC 8037 section 3.1). Ed448 is not supported, since the
// standard library does not have it.

type edScheme struct {
	pub  ed25519.PublicKey
	priv ed25519.PrivateKey // nil for a public key
}

// newEd checks and copies a key.
func newEd(pub ed25519.PublicKey, priv ed25519.PrivateKey) (scheme, error) {
	if len(pub) != ed25519.PublicKeySize {
		return nil, errors.New("jwt: Ed25519 key has the wrong length")
	}
	if smallOrder(pub) {
		return nil, errors.New("jwt: Ed25519 key is a point of small order, for which anyone can make signatures")
	}
	if priv != nil && !bytes.Equal(ed25519.NewKeyFromSeed(priv.Seed()), priv) {
		return nil, errors.New("jwt: Ed25519 key: the private and the public key do not match")
	}
	return &edScheme{bytes.Clone(pub), bytes.Clone(priv)}, nil
}

func (s *edScheme) publicKey() crypto.PublicKey { return s.pub }

func (s *edScheme) sign(_ *scratch, input []byte) ([]byte, error) {
	return ed25519.Sign(s.priv, input), nil
}

func (s *edScheme) verify(w *scratch, input []byte, signature string) bool {
	sig, ok := w.decode(signature, ed25519.SignatureSize)
	return ok && ed25519.Verify(s.pub, input, sig)
}

// smallPoints are the y coordinates, little-endian, of the eight points whose
// order divides 8, in every encoding that a decoder might accept: 0, 1, p-1, the
// two of order 8, and p and p+1, which some decoders read as 0 and 1 (RFC 8032
// section 5.1.3).
var smallPoints = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// smallOrder reports whether pub is one of smallPoints. The highest bit, the sign
// of x, is ignored.
func smallOrder(pub ed25519.PublicKey) bool {
	y := bytes.Clone(pub)
	y[31] &= 0x7f
	text := hex.EncodeToString(y)
	for _, p := range smallPoints {
		if p == text {
			return true
		}
	}
	return false
}
