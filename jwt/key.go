package jwt

import (
	"crypto"
	"fmt"
	"log/slog"
	"slices"
)

// A Key signs or verifies tokens with one algorithm, which belongs to the key:
// the header of a token can only agree with it (RFC 8725 section 3.1). A Key is
// immutable and safe for concurrent use. All of its printed forms show the
// algorithm and the id, but no secret. NewHMAC, NewKey, ParseKey and
// Algorithm.GenerateKey make keys; the zero Key must not be used.
type Key struct {
	alg    Algorithm
	id     string
	typ    string // that Sign writes
	scheme scheme
	signs  bool
	header string  // that Sign writes, encoded
	set    *KeySet // that holds this key only
}

// A KeySet is an immutable set of keys, from which Verify chooses by the key id (kid)
// and the algorithm in the token's header. It is safe for concurrent use. NewKeySet
// and ParseKeySet make one.
//
// A token with a kid is verified with the keys of its algorithm that have this
// id, or, if there are none, with those that have no id. A token without a kid,
// which is optional (RFC 7515 section 4.1.4), is verified with every key of its
// algorithm. A token is refused if more than eight keys would have to be tried.
type KeySet struct {
	keys  []*Key
	known []knownHeader
}

// A knownHeader is a header that needs no parsing because many tokens have it,
// with the keys that match it.
type knownHeader struct {
	segment string
	header  header
	keys    []*Key
}

// Keys provides a verifier with its current keys. [*Key] and [*KeySet] implement
// it without ever changing; a program that rotates its keys implements it with
// an atomic pointer.
//
// KeySet is called for every token, concurrently. If it returns nil, there are
// no keys yet and the token is refused.
//
// An implementation may also have the method
//
//	Missing(kid string) *KeySet
//
// It is called if a token names a kid that is not in the set and no key without an
// id has signed it. It may return a newer set, or nil. It must limit how often it
// does any work, since anyone can send a token with an unknown kid.
type Keys interface {
	KeySet() *KeySet
}

// maxTries limits the keys that a token is verified with. Each of them costs a
// signature check for every forged token.
const maxTries = 8

// maxKnown limits the headers that are compared before one is parsed. With more
// of them, comparing would take longer than parsing.
const maxKnown = 12

func newKey(m method, s scheme, signs bool) *Key {
	return (&Key{alg: m.alg, typ: "JWT", scheme: s, signs: signs}).WithID("")
}

// Algorithm returns the algorithm of the key.
func (k *Key) Algorithm() Algorithm { return k.alg }

// ID returns the key id (kid, RFC 7517 section 4.5), or "" if the key has none.
func (k *Key) ID() string { return k.id }

// WithID returns a copy of the key with the given id, which Sign writes into the
// header as kid. A key with an id does not verify tokens that name another kid;
// a key without one verifies tokens with any kid.
func (k *Key) WithID(kid string) *Key {
	c := *k
	c.id = kid
	return c.prepare()
}

// WithType returns a copy of the key with which Sign writes typ into the header
// instead of "JWT", such as "at+jwt" (RFC 9068 section 2.1). If typ is empty, the
// header has no typ. It has no effect on verifying; see Type in [Rules].
func (k *Key) WithType(typ string) *Key {
	c := *k
	c.typ = typ
	return c.prepare()
}

// prepare sets the fields that depend on others.
func (k *Key) prepare() *Key {
	k.header = headerText(k.alg, k.id, k.typ)
	k.set = newKeySet([]*Key{k})
	return k
}

// CanSign reports whether the key is a shared secret or a private key.
func (k *Key) CanSign() bool { return k.signs }

// IsSecret reports whether the key is a shared secret (HS256, HS384, HS512),
// which has no public key.
func (k *Key) IsSecret() bool {
	_, ok := k.scheme.(*mac)
	return ok
}

// public returns the public key in its standard library type, or nil for a
// shared secret.
func (k *Key) public() crypto.PublicKey {
	if s, ok := k.scheme.(interface{ publicKey() crypto.PublicKey }); ok {
		return s.publicKey()
	}
	return nil
}

// KeySet returns the set that holds only this key, so that a single key can be
// used as [Keys].
func (k *Key) KeySet() *KeySet { return k.set }

// String describes the key without its secret.
func (k *Key) String() string {
	kind := "public"
	switch {
	case k.IsSecret():
		kind = "secret"
	case k.signs:
		kind = "private"
	}
	return fmt.Sprintf("jwt.Key{%s %s kid=%q}", kind, k.alg, k.id)
}

// GoString returns the same text as String, so that %#v shows no secret.
func (k *Key) GoString() string { return k.String() }

// Format writes the same text as String for every verb, so that %x and %+v show
// no secret.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// LogValue returns the same text as String, for log/slog.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k *Key) clashes(o *Key) bool { return o != nil && o.id == k.id && o.alg == k.alg }

func newKeySet(keys []*Key) *KeySet {
	s := &KeySet{keys: keys}
	for _, k := range keys {
		s.addKnown(header{alg: k.alg, kid: k.id, typ: k.typ, named: k.id != ""}, k.header)
		s.addKnown(header{alg: k.alg, typ: "JWT"}, headerText(k.alg, "", "JWT"))
		s.addKnown(header{alg: k.alg, typ: "JWT"}, b64.EncodeToString([]byte(`{"typ":"JWT","alg":"`+string(k.alg)+`"}`)))
	}
	return s
}

// addKnown adds a header to those that need no parsing.
func (s *KeySet) addKnown(h header, segment string) {
	if len(s.known) >= maxKnown || slices.ContainsFunc(s.known, func(k knownHeader) bool { return k.segment == segment }) {
		return
	}
	if keys, err := s.find(h); err == nil {
		s.known = append(s.known, knownHeader{segment, h, keys})
	}
}

// Keys returns the keys in the order in which they were given.
func (s *KeySet) Keys() []*Key { return slices.Clone(s.keys) }

// KeySet returns s itself, so that a set can be used as [Keys].
func (s *KeySet) KeySet() *KeySet { return s }

// String lists the keys without their secrets.
func (s *KeySet) String() string { return fmt.Sprintf("jwt.KeySet%v", s.keys) }

// find returns the keys that may have signed a token with the header h.
func (s *KeySet) find(h header) ([]*Key, *Error) {
	var named, other []*Key
	algorithm := false
	for _, k := range s.keys {
		if k.alg != h.alg {
			continue
		}
		algorithm = true
		if h.named && k.id == h.kid && k.id != "" {
			named = append(named, k)
		} else if !h.named || k.id == "" {
			other = append(other, k)
		}
	}
	switch {
	case !algorithm:
		return nil, errAlgorithm
	case len(named) > maxTries:
		return nil, errTooMany
	case len(named) > 0:
		return named, nil
	case len(other) == 0:
		return nil, errKey
	case len(other) > maxTries:
		return nil, errTooMany
	}
	return other, nil
}

// has reports whether a key has this id.
func (s *KeySet) has(kid string) bool {
	return slices.ContainsFunc(s.keys, func(k *Key) bool { return k.id == kid })
}
