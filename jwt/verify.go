package jwt

import (
	"errors"
	"reflect"
	"strings"
	"sync"
)

// maxToken bounds a token before any work is done on it. Cookies and header
// lines end at 4 or 8 KiB anyway.
const maxToken = 8192

// A Verifier turns tokens into verified claims of type T: a struct of strings,
// bools, numbers, structs, pointers, slices and maps, named by json tags; a
// map; an [Object]; or a [Raw]. It may be used by any number of goroutines.
type Verifier[T any] struct {
	keys  Keys
	rules Rules
	cache *cache
	pool  sync.Pool
}

// NewVerifier makes a verifier. It fails when a rule contradicts another or is
// out of range, when keys is nil, and when T cannot hold claims.
func NewVerifier[T any](keys Keys, rules Rules) (*Verifier[T], error) {
	if keys == nil {
		return nil, errors.New("jwt: no keys")
	}
	if err := checkClaims(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	rules, err := rules.prepare()
	if err != nil {
		return nil, err
	}
	v := &Verifier[T]{keys: keys, rules: rules, cache: newCache(rules.Cache)}
	v.pool.New = func() any { return newDesk[T](&v.rules) }
	return v, nil
}

// A desk is the working space of one verification.
type desk[T any] struct {
	work
	claims T
	slot   slot
}

// work is the part of a desk that does not depend on T.
type work struct {
	scratch
	scanner
	reader
	buf     []byte
	header  header
	payload string
}

func newDesk[T any](rules *Rules) *desk[T] {
	d := &desk[T]{}
	d.slot = lay(reflect.ValueOf(&d.claims).Elem())
	d.slot.keep()
	d.rules, d.root = rules, &d.slot
	for i := range d.slot.slots {
		d.own |= d.slot.slots[i].claim
	}
	d.buf = make([]byte, maxToken)
	return d
}

// Verify checks the signature of a compact token (RFC 7519 section 7.2), then
// reads its claims and holds them to the rules. It returns either a verified
// token or an [*Error], never both. Before the signature is found right, the
// reason is always [ErrInvalid].
func (v *Verifier[T]) Verify(token string) (t Token[T], _ error) {
	d := v.pool.Get().(*desk[T])
	err := d.run(v, token)
	if err == nil {
		t.Algorithm, t.KeyID, t.Type = d.header.alg, d.header.kid, d.header.typ
		t.Issuer, t.Subject, t.ID = d.reg.issuer, d.reg.subject, d.reg.id
		t.ExpiresAt, t.NotBefore, t.IssuedAt = d.reg.expiresAt, d.reg.notBefore, d.reg.issuedAt
		t.Claims, t.payload = d.claims, d.payload
	}
	d.clear()
	v.pool.Put(d)
	if err != nil { // a nil *Error must not become an error
		return t, err
	}
	return t, nil
}

func (d *desk[T]) run(v *Verifier[T], token string) *Error {
	if err := d.open(v.keys, v.cache, token); err != nil {
		return err
	}
	if err := d.read(); err != nil {
		return err
	}
	return d.judge(d.header.typ)
}

// clear lets go of everything that came from the token.
func (d *desk[T]) clear() {
	var none T
	d.claims = none
	d.reg, d.has, d.seen, d.ours = registered{}, 0, 0, false
	d.header, d.payload = header{}, ""
	d.scanner.release()
}

// read reads the payload into the claims.
func (w *work) read() *Error {
	ok := w.scanner.reset(w.payload, 0) && w.document(&w.reader)
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

// open checks everything up to and with the signature, and decodes the payload.
func (w *work) open(from Keys, seen *cache, token string) *Error {
	first, last, err := split(token)
	if err != nil {
		return err
	}
	set := from.KeySet()
	if set == nil {
		return errNoKeys
	}
	keys, err := w.candidates(from, set, token[:first])
	if err != nil {
		return err
	}
	if !w.genuine(keys, seen, token, last) {
		return errSignature
	}
	n, ok := decode64(w.buf, token[first+1:last])
	if !ok {
		return errNotJSON
	}
	w.payload = string(w.buf[:n])
	return nil
}

// split finds the two dots of a token.
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

// candidates finds the keys that the header allows.
func (w *work) candidates(from Keys, set *KeySet, segment string) ([]*Key, *Error) {
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
	if m, ok := from.(interface{ Missing(kid string) *KeySet }); ok && h.named && !set.has(h.kid) {
		if newer := m.Missing(h.kid); newer != nil {
			set = newer
		}
	}
	return set.find(h)
}

// genuine checks the signature with each of the keys.
func (w *work) genuine(keys []*Key, seen *cache, token string, last int) bool {
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
