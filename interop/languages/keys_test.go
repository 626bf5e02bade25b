package languages

// Throw-away keys, new in each run.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
)

// pair is what a party signs with and what verifies it.
type pair struct{ private, public string }

var (
	keys      = sync.OnceValues(newPairs)
	otherKeys = sync.OnceValues(newPairs) // belong to nobody: what they sign is to be refused
)

// keyFor returns the key of an algorithm; the RSA algorithms share one.
func keyFor(t *testing.T, alg string) pair { t.Helper(); return pick(t, keys, alg) }

func otherKeyFor(t *testing.T, alg string) pair { t.Helper(); return pick(t, otherKeys, alg) }

func pick(t *testing.T, pairs func() (map[string]pair, error), alg string) pair {
	t.Helper()
	made, err := pairs()
	if err != nil {
		t.Fatal(err)
	}
	return made[alg]
}

func newPairs() (map[string]pair, error) {
	made := map[string]pair{}
	for _, alg := range everyAlgorithm {
		key, err := newPair(alg, made)
		if err != nil {
			return nil, err
		}
		made[alg] = key
	}
	return made, nil
}

func newPair(alg string, made map[string]pair) (pair, error) {
	switch {
	case strings.HasPrefix(alg, "HS"):
		secret := rand.Text() + rand.Text() + rand.Text() // 78 characters: enough for SHA-512
		return pair{secret, secret}, nil
	case alg == "RS256":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		return pemPair(key, err)
	case strings.Contains("RS384 RS512 PS256 PS384 PS512", alg):
		return made["RS256"], nil
	case alg == "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return pemPair(key, err)
	}
	curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[alg]
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	return pemPair(key, err)
}

func pemPair(key crypto.Signer, err error) (pair, error) {
	if err != nil {
		return pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return pair{}, err
	}
	return pair{toPEM("PRIVATE KEY", private), toPEM("PUBLIC KEY", public)}, nil
}

func toPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
