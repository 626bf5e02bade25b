// Package differential generates many valid and damaged tokens and verifies each with
// jotgate and six other libraries. The results may differ, since jotgate is meant to be
// stricter. But it must never accept a token that three others refuse, and must accept
// every undamaged token.
package differential

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/jotgate/jotgate/jwt"
)

// The values that every library requires in a token, in addition to exp.
const (
	issuer   = "https://auth.example"
	audience = "api"
)

// A library reports whether it accepts a token whose algorithm must be alg. It is nil if
// the library does not support the algorithm.
type library struct {
	name   string
	accept map[jwt.Algorithm]func(token string) bool
}

// keys holds one key for each algorithm, in every form that the libraries need.
type keys struct {
	secret []byte
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	ed     ed25519.PrivateKey
	own    map[jwt.Algorithm]*jwt.Key
}

var algorithms = []jwt.Algorithm{jwt.HS256, jwt.HS512, jwt.RS256, jwt.PS256, jwt.ES256, jwt.EdDSA}

func newKeys() (*keys, error) {
	k := &keys{secret: make([]byte, 64), own: map[jwt.Algorithm]*jwt.Key{}}
	rand.Read(k.secret)
	k.secret[0] = '#' // so that it is not the text of a key
	var err error
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if _, k.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, err
	}
	for _, alg := range algorithms {
		if alg == jwt.HS256 || alg == jwt.HS512 {
			k.own[alg], err = jwt.NewHMAC(alg, k.secret)
		} else {
			k.own[alg], err = jwt.NewKey(alg, k.private(alg))
		}
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *keys) private(alg jwt.Algorithm) any {
	switch alg {
	case jwt.RS256, jwt.PS256:
		return k.rsa
	case jwt.ES256:
		return k.ec
	case jwt.EdDSA:
		return k.ed
	}
	return k.secret
}

// public returns the key to verify with in the form that most libraries use.
func (k *keys) public(alg jwt.Algorithm) any {
	switch alg {
	case jwt.RS256, jwt.PS256:
		return &k.rsa.PublicKey
	case jwt.ES256:
		return &k.ec.PublicKey
	case jwt.EdDSA:
		return k.ed.Public()
	}
	return k.secret
}

// text returns the key for PyJWT: PEM, or the secret in base64.
func (k *keys) text(alg jwt.Algorithm) string {
	if alg == jwt.HS256 || alg == jwt.HS512 {
		return base64.StdEncoding.EncodeToString(k.secret)
	}
	der, err := x509.MarshalPKIXPublicKey(k.public(alg))
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// document returns the public key as a JWK Set.
func (k *keys) document(alg jwt.Algorithm) []byte {
	b, err := json.Marshal(k.own[alg].KeySet())
	if err != nil {
		panic(err)
	}
	return b
}

// jotgate is the library under test.
func jotgate(k *keys) (library, error) {
	l := library{"jotgate", map[jwt.Algorithm]func(string) bool{}}
	for alg, key := range k.own {
		v, err := jwt.NewVerifier[map[string]any](key, jwt.Rules{Issuer: issuer, Audience: []string{audience}})
		if err != nil {
			return l, fmt.Errorf("verifier for %s: %w", alg, err)
		}
		l.accept[alg] = func(token string) bool { _, err := v.Verify(token); return err == nil }
	}
	return l, nil
}
