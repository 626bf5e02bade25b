package jwt

import (
	"crypto"
	"crypto/elliptic"
	"slices"
)

// An Algorithm is the name of a signature algorithm, as in the header of a token
// (RFC 7518 section 3.1, RFC 8037 section 3.1). Names are case-sensitive. There
// is no "none": an unsigned token is never accepted.
type Algorithm string

// The algorithms. HS256, HS384 and HS512 use a shared secret. The others sign
// with a private key and verify with its public key: RS and PS with an RSA key of
// 2048 to 16384 bits; ES256, ES384 and ES512 with a key on P-256, P-384 and P-521;
// EdDSA with an Ed25519 key. "Ed25519" (RFC 9864 section 2.2) is accepted as
// another name of EdDSA.
const (
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA"
)

// A family is a group of algorithms with the same type of key and signature.
type family int

const (
	hmacFamily family = iota + 1
	rsaFamily
	pssFamily
	ecFamily
	edFamily
)

// A method is what an algorithm determines.
type method struct {
	alg   Algorithm
	kind  family
	hash  crypto.Hash    // zero for Ed25519, which hashes by itself
	curve elliptic.Curve // for ES only
}

var methods = []method{
	{HS256, hmacFamily, crypto.SHA256, nil},
	{HS384, hmacFamily, crypto.SHA384, nil},
	{HS512, hmacFamily, crypto.SHA512, nil},
	{RS256, rsaFamily, crypto.SHA256, nil},
	{RS384, rsaFamily, crypto.SHA384, nil},
	{RS512, rsaFamily, crypto.SHA512, nil},
	{PS256, pssFamily, crypto.SHA256, nil},
	{PS384, pssFamily, crypto.SHA384, nil},
	{PS512, pssFamily, crypto.SHA512, nil},
	{ES256, ecFamily, crypto.SHA256, elliptic.P256()},
	{ES384, ecFamily, crypto.SHA384, elliptic.P384()},
	{ES512, ecFamily, crypto.SHA512, elliptic.P521()},
	{EdDSA, edFamily, 0, nil},
}

// method returns the method that a names. ok is false if there is none.
func (a Algorithm) method() (m method, ok bool) {
	if a == "Ed25519" {
		a = EdDSA
	}
	i := slices.IndexFunc(methods, func(m method) bool { return m.alg == a })
	if i < 0 {
		return method{}, false
	}
	return methods[i], true
}
