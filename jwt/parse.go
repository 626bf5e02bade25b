package jwt

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Reading keys from documents: PEM (PKCS #1, PKCS #8, SEC 1, SPKI), a JWK, or
// a JWK Set.

// maxDocument bounds a key document.
const maxDocument = 1 << 20

// ParseKey reads one key, private or public, from a JWK or from PEM. alg is the
// algorithm to use it for; when empty, the JWK's alg counts, and otherwise what
// [NewKey] takes by default. A JWK that is for another algorithm, or not for
// signatures (use, key_ops), is refused.
func ParseKey(document []byte, alg Algorithm) (*Key, error) {
	if len(document) > maxDocument {
		return nil, errors.New("jwt: key document is longer than 1 MiB")
	}
	if isJSON(document) {
		j, err := readJWK(string(document))
		if err != nil {
			return nil, err
		}
		if err := j.purpose(true); err != nil {
			return nil, err
		}
		return j.key(alg)
	}
	keys, err := parsePEM(document)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("jwt: PEM holds %d keys, not one", len(keys))
	}
	return NewKey(alg, keys[0])
}

// ParseKeySet reads the keys to verify with: from a JWK Set (RFC 7517 section
// 5), a JWK, or PEM with any number of public keys. Private keys are refused:
// whoever only verifies must not have them. So is a set that mixes shared
// secrets with public keys, and one with two keys of the same id.
//
// algs lists the algorithms to allow. A key that names its algorithm must be
// for one of them; an RSA key or a secret that names none is taken for each that
// fits. Without algs a key is taken for the algorithm it names. An empty list
// that is not nil is refused: an empty setting must not mean any.
//
// Keys of a set that are not for such signatures (another kty, crv, alg or use)
// are passed over, as section 5 asks; a broken or weak one is an error.
func ParseKeySet(document []byte, algs ...Algorithm) (*KeySet, error) {
	if len(document) > maxDocument {
		return nil, errors.New("jwt: key document is longer than 1 MiB")
	}
	if algs != nil && len(algs) == 0 {
		return nil, errors.New("jwt: the list of algorithms is empty")
	}
	for _, a := range algs {
		if _, ok := a.method(); !ok {
			return nil, fmt.Errorf("jwt: unknown algorithm %q", a)
		}
	}
	keys, err := parseKeys(document, algs)
	if err != nil {
		return nil, err
	}
	return publicSet(keys)
}

// publicSet makes a set for verifying.
func publicSet(keys []*Key) (*KeySet, error) {
	for _, k := range keys {
		if k.signs && !k.IsSecret() {
			return nil, errors.New("jwt: a private key among the keys to verify with; give its public key")
		}
		if k.IsSecret() != keys[0].IsSecret() {
			return nil, errors.New("jwt: shared secrets and public keys in one set")
		}
	}
	return NewKeySet(keys...)
}

func parseKeys(document []byte, algs []Algorithm) ([]*Key, error) {
	if !isJSON(document) {
		return pemKeys(document, algs)
	}
	if set, ok := Raw(document).Member("keys"); ok {
		return setKeys(set, algs)
	}
	j, err := readJWK(string(document))
	if err != nil {
		return nil, err
	}
	return j.keys(algs)
}

// setKeys reads the keys of a JWK Set.
func setKeys(set Raw, algs []Algorithm) ([]*Key, error) {
	members, ok := set.Elements()
	if !ok {
		return nil, errors.New(`jwt: member "keys" is not an array`)
	}
	var keys []*Key
	for n, m := range members {
		found, err := keysOf(m, algs)
		if err != nil && !errors.Is(err, errNotForUs) {
			return nil, fmt.Errorf("%w (key %d of the set)", err, n)
		}
		keys = append(keys, found...)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: none of the %d keys of the set", errNotForUs, len(members))
	}
	return keys, nil
}

func keysOf(text Raw, algs []Algorithm) ([]*Key, error) {
	j, err := readJWK(string(text))
	if err != nil {
		return nil, err
	}
	return j.keys(algs)
}

// keys makes a key to verify with for each allowed algorithm that fits.
func (j *jwk) keys(algs []Algorithm) ([]*Key, error) {
	if err := j.purpose(false); err != nil {
		return nil, err
	}
	return each(algs, j.key)
}

// each calls make for each algorithm, or once with none where none is named.
// Several can fit only where the key itself names none.
func each(algs []Algorithm, make func(Algorithm) (*Key, error)) ([]*Key, error) {
	if algs == nil {
		algs = []Algorithm{""}
	}
	var keys []*Key
	var first error
	for _, a := range algs {
		k, err := make(a)
		switch {
		case err == nil && !slices.ContainsFunc(keys, k.clashes):
			keys = append(keys, k)
		case err != nil && (first == nil || errors.Is(first, errNotForUs)):
			first = err
		}
	}
	if len(keys) == 0 {
		return nil, first
	}
	return keys, nil
}

func pemKeys(document []byte, algs []Algorithm) ([]*Key, error) {
	found, err := parsePEM(document)
	if err != nil {
		return nil, err
	}
	var keys []*Key
	for _, f := range found {
		k, err := each(algs, func(a Algorithm) (*Key, error) { return NewKey(a, f) })
		if err != nil {
			return nil, err
		}
		keys = append(keys, k...)
	}
	return keys, nil
}

func isJSON(document []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(document, " \t\r\n"), []byte("{"))
}

// parsePEM reads every key of a PEM document. A block of another kind is an
// error, and so is text after the last block.
func parsePEM(document []byte) ([]any, error) {
	var keys []any
	for {
		block, rest := pem.Decode(document)
		if block == nil {
			break
		}
		document = rest
		k, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 || len(bytes.TrimSpace(document)) > 0 {
		return nil, errors.New("jwt: neither PEM nor a JWK")
	}
	return keys, nil
}

func parseBlock(b *pem.Block) (key any, err error) {
	switch b.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(b.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(b.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	default:
		return nil, fmt.Errorf("jwt: a PEM block %q is no key that can be read", b.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("jwt: PEM block %q: %w", b.Type, err)
	}
	return key, nil
}

// marshal writes an object as JSON.
func marshal(o Object) ([]byte, error) {
	var w writer
	if !w.value(reflect.ValueOf(o), 0) {
		return nil, w.err
	}
	return w.out, nil
}
