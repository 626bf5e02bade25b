package jwt

import (
	"errors"
	"reflect"
	"strings"
	"sync"
)

// maxToken is the maximum length of a token, checked before anything else. Most
// servers limit header lines to 8 KiB as well.
const maxToken = 8192

// A Verifier verifies tokens and decodes their claims into a value of the type T. T is
// a struct, a map with string keys, an [Object] or a [Raw]. The fields of a struct are
// named as in encoding/json, and may be strings, bools, numbers, structs, pointers,
// slices, maps, any, Object and Raw. NewVerifier makes one. It is safe for concurrent
// use.
type Verifier[T any] struct {
	keys  Keys
	rules Rules
	cache *cache
	pool  sync.Pool
}

// NewVerifier returns a verifier that accepts tokens signed with one of the keys,
// if they conform to the rules. It fails if keys is nil, if a rule is out of range
// or contradicts another, and if T is not a type for claims.
func NewVerifier[T any](keys Keys, rules Rules) (*Verifier[T], error) {
	if keys == nil {
		return nil, errors.New("jwt: keys is nil")
	}
	if err := checkClaims(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	rules, err := rules.prepare()
	if err != nil {
		return nil, err
	}
	v := &Verifier[T]{keys: keys, rules: rules, cache: newCache(rules.Cache)}
	v.pool.New = func() any { return newVerifyState[T](&v.rules) }
	return v, nil
}

// A verifyState is the reusable state of a verification.
type verifyState[T any] struct {
	verifyWork
	claims T
	plan   fieldPlan // of claims
}

// verifyWork is the part of a verifyState that does not depend on T.
type verifyWork struct {
	scratch
	scanner
	claimReader
	buf     []byte
	header  header
	payload string
}

func newVerifyState[T any](rules *Rules) *verifyState[T] {
	s := &verifyState[T]{}
	s.plan = plan(reflect.ValueOf(&s.claims).Elem())
	s.plan.addShapes()
	s.rules, s.root = rules, &s.plan
	for i := range s.plan.fields {
		s.own |= s.plan.fields[i].claim
	}
	s.buf = make([]byte, maxToken)
	return s
}

// Verify checks the signature of a token in compact form (RFC 7519 section 7.2),
// reads its claims and checks them against the rules. Every error is an [*Error].
// Its reason is [ErrInvalid] for every failure before the signature check has
// succeeded.
func (v *Verifier[T]) Verify(token string) (t Token[T], _ error) {
	s := v.pool.Get().(*verifyState[T])
	err := s.run(v, token)
	if err == nil {
		t.Algorithm, t.KeyID, t.Type = s.header.alg, s.header.kid, s.header.typ
		t.Issuer, t.Subject, t.ID = s.reg.issuer, s.reg.subject, s.reg.id
		t.ExpiresAt, t.NotBefore, t.IssuedAt = s.reg.expiresAt, s.reg.notBefore, s.reg.issuedAt
		t.Claims, t.payload = s.claims, s.payload
	}
	s.clear()
	v.pool.Put(s)
	if err != nil { // a nil *Error must not become an error
		return t, err
	}
	return t, nil
}

func (s *verifyState[T]) run(v *Verifier[T], token string) *Error {
	if err := s.authenticate(v.keys, v.cache, token); err != nil {
		return err
	}
	if err := s.read(); err != nil {
		return err
	}
	return s.check(s.header.typ)
}

// clear removes everything that came from the token.
func (s *verifyState[T]) clear() {
	var zero T
	s.claims = zero
	s.reg, s.present, s.seen, s.ours = registered{}, 0, 0, false
	s.header, s.payload = header{}, ""
	s.scanner.release()
}

// read reads the payload into the claims.
func (w *verifyWork) read() *Error {
	ok := w.scanner.reset(w.payload, 0) && w.readClaims()
	if ok && w.root.kind != structKind {
		ok = w.root.read(&w.scanner, w.space(0)) != bad
	}
	switch {
	case w.scanner.err != nil:
		return w.scanner.err
	case !ok:
		return errNotJSON
	}
	return nil
}

// readClaims reads the payload as an object that probably has the shape of the one
// before.
func (w *verifyWork) readClaims() bool {
	i := w.space(0)
	return i < len(w.s) && w.s[i] == '{' && w.atEnd(w.root.shape.object(&w.scanner, &w.claimReader, i))
}

// authenticate makes all checks up to and including that of the signature, and
// decodes the payload.
func (w *verifyWork) authenticate(from Keys, seen *cache, token string) *Error {
	first, last, err := split(token)
	if err != nil {
		return err
	}
	set := from.KeySet()
	if set == nil {
		return errNoKeys
	}
	keys, err := w.candidates(set, token[:first])
	signed := err == nil && w.signed(keys, seen, token, last)
	if newer := w.newer(from, set, signed); newer != nil {
		keys, err = newer.find(w.header)
		signed = err == nil && w.signed(keys, seen, token, last)
	}
	switch {
	case err != nil:
		return err
	case !signed:
		return errSignature
	}
	n, ok := decode64(w.buf, token[first+1:last])
	if !ok {
		return errNotJSON
	}
	w.payload = string(w.buf[:n])
	return nil
}

// split returns the indexes of the two dots of a token.
func split(token string) (first, last int, err *Error) {
	if len(token) > maxToken {
		return 0, 0, errSize
	}
	first = strings.IndexByte(token, '.')
	last = first + 1 + strings.IndexByte(token[first+1:], '.')
	if first < 0 || last <= first || strings.IndexByte(token[last+1:], '.') >= 0 {
		return 0, 0, errSegments
	}
	return first, last, nil
}

// candidates returns the keys that may have signed a token with this header.
func (w *verifyWork) candidates(set *KeySet, segment string) ([]*Key, *Error) {
	for i := range set.known {
		if c := &set.known[i]; c.segment == segment {
			w.header = c.header
			return c.keys, nil
		}
	}
	h, err := parseHeader(&w.scanner, w.buf, segment)
	if err != nil {
		return nil, err
	}
	w.header = h
	return set.find(h)
}

// newer asks the source for a newer set if the token names a kid that set lacks
// and no key of set has signed it. It returns nil if there is none. So a token
// whose key is known never waits for the source.
func (w *verifyWork) newer(from Keys, set *KeySet, signed bool) *KeySet {
	if signed || !w.header.named || set.has(w.header.kid) {
		return nil
	}
	if m, ok := from.(interface{ Missing(kid string) *KeySet }); ok {
		if newer := m.Missing(w.header.kid); newer != set {
			return newer
		}
	}
	return nil
}

// signed reports whether one of the keys has signed the token, whose last dot is
// at index last.
func (w *verifyWork) signed(keys []*Key, seen *cache, token string, last int) bool {
	w.in = append(w.in[:0], token[:last]...)
	for _, k := range keys {
		if seen.holds(token, k) {
			return true
		}
		if k.scheme.verify(&w.scratch, w.in, token[last+1:]) {
			seen.add(token, k)
			return true
		}
	}
	return false
}
