package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// Sign returns a signed token with the given claims, which may be of every type
// that a [Verifier] accepts.
//
// The bytes are those that PyJWT writes for the same claims. The header is
// {"alg":"HS256","typ":"JWT"}, with "kid" between the two if the key has an id (see
// [Key.WithID] and [Key.WithType]). The payload is what Python's json.dumps writes
// with the separators "," and ":". Members are in the order of the struct or
// [Object]; maps are sorted by name. A [Raw] is checked and rewritten in this form.
//
// Sign fails if the key is a public key, if the claims contain what JSON cannot
// represent (text that is not UTF-8, NaN, an infinity, two members of the same
// name), and if the token would be longer than the 8192 bytes that Verify accepts.
// It is safe for concurrent use.
func Sign[T any](key *Key, claims T) (string, error) {
	if key == nil || !key.signs {
		return "", errNoSign
	}
	return sign(key, key.header, &claims)
}

// A signState is the reusable state of signing claims of type T.
type signState[T any] struct {
	scratch
	claims T
	plan   fieldPlan // of claims
	json   []byte
}

// signStates holds a pool of signStates for each type that has been signed.
var signStates sync.Map // reflect.Type → *sync.Pool

func signStatesFor[T any]() (*sync.Pool, error) {
	t := reflect.TypeFor[T]()
	if pool, ok := signStates.Load(t); ok {
		return pool.(*sync.Pool), nil
	}
	if err := checkClaims(t); err != nil {
		return nil, err
	}
	pool := &sync.Pool{New: func() any {
		s := &signState[T]{}
		s.plan = plan(reflect.ValueOf(&s.claims).Elem())
		return s
	}}
	signStates.Store(t, pool)
	return pool, nil
}

func sign[T any](key *Key, header string, claims *T) (string, error) {
	pool, err := signStatesFor[T]()
	if err != nil {
		return "", err
	}
	s := pool.Get().(*signState[T])
	s.claims = *claims
	token, err := s.run(key, header)
	var zero T
	s.claims = zero
	pool.Put(s)
	return token, err
}

func (s *signState[T]) run(key *Key, header string) (string, error) {
	w := writer{out: s.json[:0]}
	if !w.claims(&s.plan) {
		return "", fmt.Errorf("jwt: cannot write claims: %w", w.err)
	}
	s.json = w.out
	s.in = append(append(s.in[:0], header...), '.')
	s.in = append64(s.in, s.json)
	signature, err := key.scheme.sign(&s.scratch, s.in)
	if err != nil {
		return "", fmt.Errorf("jwt: sign with %v: %w", key, err)
	}
	s.in = append64(append(s.in, '.'), signature)
	if len(s.in) > maxToken {
		return "", errors.New("jwt: the claims make a token of more than 8192 bytes")
	}
	return string(s.in), nil
}
