package jwt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Parsing keys: PEM (PKCS #1, PKCS #8, SEC 1, SPKI), a JWK, or a JWK Set.

// maxDocument is the maximum size of a key document, in bytes.
const maxDocument = 1 << 20

// ParseKey parses a JWK, or a PEM document with one key, which may be private or
// public. alg is the algorithm of the key. If it is empty, the algorithm is the
// alg of the JWK or else the default of [NewKey]. ParseKey refuses a JWK that is
// for another algorithm or not for signatures (use, key_ops), and a document of
// more than 1 MiB.
func ParseKey(document []byte, alg Algorithm) (*Key, error) {
	if len(document) > maxDocument {
		return nil, errors.New("jwt: key document is longer than 1 MiB")
	}
	document = normalize(document)
	if isJSON(document) {
		j, err := readJWK(string(document))
		if err != nil {
			return nil, err
		}
		if err := j.checkUse(true); err != nil {
			return nil, err
		}
		return j.key(alg)
	}
	keys, err := parsePEM(document)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, fmt.Errorf("jwt: PEM document has %d keys, not one", len(keys))
	}
	return NewKey(alg, keys[0])
}

// ParseKeySet parses the keys to verify tokens with: a JWK Set (RFC 7517 section
// 5), a JWK, or a PEM document with any number of public keys. It refuses private
// keys, which a verifier must not have; a set with both shared secrets and public
// keys; and a document of more than 1 MiB.
//
// algs lists the algorithms to allow. A key that has an alg must be for one of
// them. An RSA key or a secret without an alg is used for each of them that fits.
// Without algs, a key is used for its alg, or else for the default of [NewKey]. A
// list that is empty but not nil is refused, so that an empty setting does not
// mean any algorithm.
//
// Keys of a JWK Set that are not for such signatures (by kty, crv, alg, use or
// key_ops) are ignored, as section 5 recommends. An invalid or weak key is an
// error.
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
	keys, err := parseKeys(normalize(document), algs)
	if err != nil {
		return nil, err
	}
	return publicSet(keys)
}

// publicSet returns a set of keys to verify with.
func publicSet(keys []*Key) (*KeySet, error) {
	for _, k := range keys {
		if k.signs && !k.IsSecret() {
			return nil, errors.New("jwt: the key set contains a private key; use its public key")
		}
		if k.IsSecret() != keys[0].IsSecret() {
			return nil, errors.New("jwt: the key set contains both shared secrets and public keys")
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

// setKeys parses the keys of a JWK Set.
func setKeys(set Raw, algs []Algorithm) ([]*Key, error) {
	members, ok := set.Elements()
	if !ok {
		return nil, errors.New(`jwt: member "keys" is not an array`)
	}
	var keys []*Key
	for n, m := range members {
		found, err := keysOf(m, algs)
		if err != nil && !errors.Is(err, errUnsuitable) {
			return nil, fmt.Errorf("%w (keys[%d] of the set)", err, n)
		}
		keys = append(keys, found...)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: none of the %d keys in the set", errUnsuitable, len(members))
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

// keys returns a key for each allowed algorithm that fits.
func (j *jwk) keys(algs []Algorithm) ([]*Key, error) {
	if err := j.checkUse(false); err != nil {
		return nil, err
	}
	return forEach(algs, j.key)
}

// forEach calls make for each algorithm, or once with "" if algs is nil, and
// returns the keys of the calls that succeed. Several can succeed only if the key
// does not have an alg itself.
func forEach(algs []Algorithm, make func(Algorithm) (*Key, error)) ([]*Key, error) {
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
		case err != nil && (first == nil || errors.Is(first, errUnsuitable)):
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
		k, err := forEach(algs, func(a Algorithm) (*Key, error) { return NewKey(a, f) })
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
