package jwt

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// An Object is a set of claims in a chosen order, for names that are known only
// at run time:
//
//	jwt.Object{{"token_type", "access"}, {"exp", exp}}
//
// As the type of a verifier's claims it keeps the order of the token.
type Object []struct {
	Name  string
	Value any
}

// Sign makes a token of claims, whose type is one that a [Verifier] takes. The
// members stand in the order of the struct, maps sorted by name, and the bytes
// are those that PyJWT writes for the same claims: the header
// {"alg":"HS256","typ":"JWT"}, with a "kid" between the two when the key has an
// id (see [Key.WithID] and [Key.WithType]), and JSON as Python's json.dumps with separators (",", ":") has it. A
// [Raw] is checked and written anew in that form.
//
// It fails when the key is a public one, and when the claims hold what JSON
// cannot: text that is not UTF-8, NaN, an infinity, two members of one name. It
// also fails when the token would exceed the 8192 bytes that Verify takes.
func Sign[T any](key *Key, claims T) (string, error) {
	if key == nil || !key.signs {
		return "", errNoSign
	}
	return sign(key, key.header, &claims)
}

// A press is the working space of one signature over claims of type T.
type press[T any] struct {
	scratch
	claims T
	slot   slot
	json   []byte
}

// presses holds a pool of presses for each type that has been signed.
var presses sync.Map // reflect.Type → *sync.Pool

func pressesFor[T any]() (*sync.Pool, error) {
	t := reflect.TypeFor[T]()
	if pool, ok := presses.Load(t); ok {
		return pool.(*sync.Pool), nil
	}
	if err := checkClaims(t); err != nil {
		return nil, err
	}
	pool := &sync.Pool{New: func() any {
		p := &press[T]{}
		p.slot = lay(reflect.ValueOf(&p.claims).Elem())
		return p
	}}
	presses.Store(t, pool)
	return pool, nil
}

func sign[T any](key *Key, header string, claims *T) (string, error) {
	pool, err := pressesFor[T]()
	if err != nil {
		return "", err
	}
	p := pool.Get().(*press[T])
	p.claims = *claims
	token, err := p.run(key, header)
	var none T
	p.claims = none
	pool.Put(p)
	return token, err
}

func (p *press[T]) run(key *Key, header string) (string, error) {
	w := writer{out: p.json[:0]}
	if !w.claims(&p.slot) {
		return "", fmt.Errorf("jwt: cannot write claims: %w", w.err)
	}
	p.json = w.out
	p.in = append(append(p.in[:0], header...), '.')
	p.in = append64(p.in, p.json)
	signature, err := key.scheme.sign(&p.scratch, p.in)
	if err != nil {
		return "", fmt.Errorf("jwt: sign with %v: %w", key, err)
	}
	p.in = append64(append(p.in, '.'), signature)
	if len(p.in) > maxToken {
		return "", errors.New("jwt: claims make a token of more than 8192 bytes")
	}
	return string(p.in), nil
}
