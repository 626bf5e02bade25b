package keyring

// Making, sealing and opening keys, and sealing texts.

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// NewKey generates a private key for the algorithm and seals it with the secret.
// Its id is the key's RFC 7638 thumbprint, so that two keys never share one.
func (r *Ring) NewKey(alg jwt.Algorithm, now time.Time) (record.Key, error) {
	private, err := generate(alg)
	if err != nil {
		return record.Key{}, err
	}
	key, err := jwt.NewKey(alg, private)
	if err != nil {
		return record.Key{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return record.Key{}, err
	}
	s := record.Key{ID: key.Thumbprint(), Algorithm: string(alg), State: record.KeyNext, Created: now}
	s.Sealed, err = seal(der, s.ID, keyPurpose, r.secrets[0])
	return s, err
}

// generate returns a private key of the size that the algorithm requires:
// 2048 bits for RS256 and PS256, 3072 bits for the other RSA algorithms.
func generate(alg jwt.Algorithm) (crypto.Signer, error) {
	switch alg {
	case jwt.RS256, jwt.PS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jwt.RS384, jwt.RS512, jwt.PS384, jwt.PS512:
		return rsa.GenerateKey(rand.Reader, 3072)
	case jwt.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwt.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jwt.ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jwt.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case jwt.HS256, jwt.HS384, jwt.HS512:
		return nil, fmt.Errorf("jotgate: no key is made for %s: it signs with SecretKey; choose ES256, ES384, ES512, EdDSA, RS256, RS384, RS512, PS256, PS384 or PS512", alg)
	default:
		return nil, fmt.Errorf("jotgate: there is no algorithm %q; choose ES256, ES384, ES512, EdDSA, RS256, RS384, RS512, PS256, PS384 or PS512", alg)
	}
}

// open unseals a stored key with the secret, or the fallback, that sealed it.
func (r *Ring) open(s record.Key) (*jwt.Key, error) {
	for _, secret := range r.secrets {
		der, err := unseal(s.Sealed, s.ID, keyPurpose, secret)
		if err != nil {
			continue
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, fmt.Errorf("signing key %s is damaged: %w", s.ID, err)
		}
		key, err := jwt.NewKey(jwt.Algorithm(s.Algorithm), private)
		if err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.ID, err)
		}
		return key.WithID(s.ID), nil
	}
	return nil, fmt.Errorf("signing key %s cannot be opened: it was sealed under another SECRET_KEY; add that one to SECRET_KEY_FALLBACKS", s.ID)
}

// seal encrypts with AES-256-GCM (NIST SP 800-38D) under a key derived from
// the secret by HKDF (RFC 5869) for one purpose. The id is authenticated, too,
// so that a row cannot be exchanged for another. The result is a random nonce
// and the ciphertext.
func seal(plain []byte, id, purpose string, secret string) ([]byte, error) {
	aead, err := sealer(purpose, secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(id)), nil
}

func unseal(sealed []byte, id, purpose string, secret string) ([]byte, error) {
	aead, err := sealer(purpose, secret)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("too short")
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id))
}

// Seal encrypts and authenticates a text under the secret, as base64url, for a
// client or a row of text. It can be opened only with the same id and purpose.
func (r *Ring) Seal(plain []byte, id, purpose string) (string, error) {
	sealed, err := seal(plain, id, purpose, r.secrets[0])
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// Open returns what Seal sealed under the secret or a fallback. It does not open
// a text of more than 4096 bytes.
func (r *Ring) Open(text, id, purpose string) (plain []byte, ok bool) {
	if len(text) > maxSealed {
		return nil, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, false
	}
	for _, secret := range r.secrets {
		if plain, err := unseal(sealed, id, purpose, secret); err == nil {
			return plain, true
		}
	}
	return nil, false
}

// maxSealed is also the longest cookie that browsers keep, in bytes.
const maxSealed = 4096

// keyPurpose is the purpose of keys that seal signing keys.
const keyPurpose = "jotgate signing keys v1"

func sealer(purpose string, secret string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
