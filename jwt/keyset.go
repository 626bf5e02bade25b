package jwt

import (
	"errors"
	"fmt"
	"slices"
)

// maxTries is how many keys are tried for a token that names none. Each try of
// a forged token costs a whole signature check.
const maxTries = 8

// Keys gives a verifier the keys of the moment. [*Key] and [*KeySet] are Keys
// that never change; a program that rotates its keys implements it over an
// atomic pointer. KeySet is called for every token, by many goroutines, and may
// return nil while there are no keys: then every token is refused.
//
// If the Keys also has a method Missing(kid string) *KeySet, it is called when
// a token names a kid that the set lacks, and may return a newer set. It must
// bound how often it does work, for anybody can name a kid.
type Keys interface {
	KeySet() *KeySet
}

// A KeySet is an immutable set of keys, in which a token finds its key by kid
// and algorithm. It may be used by any number of goroutines.
//
// A token that names a kid is tried with the keys of its algorithm that have
// this id, or, where none has, with those that have no id. A token without a
// kid (it is optional, RFC 7515 section 4.1.4) is tried with every key of its
// algorithm, at most eight.
type KeySet struct {
	keys  []*Key
	known []candidate
}

// A candidate is a header that is met so often that it need not be read: its
// text, what it says, and the keys that fit it.
type candidate struct {
	segment string
	header  header
	keys    []*Key
}

// NewKeySet makes a set of keys: the current ones and those that are retired
// but whose tokens still live. Two keys of one algorithm may not share an id.
func NewKeySet(keys ...*Key) (*KeySet, error) {
	if len(keys) == 0 {
		return nil, errors.New("jwt: a key set needs a key")
	}
	for i, k := range keys {
		if k == nil {
			return nil, errors.New("jwt: nil key")
		}
		if k.id != "" && slices.ContainsFunc(keys[:i], k.clashes) {
			return nil, fmt.Errorf("jwt: two %s keys have the id %q", k.alg, k.id)
		}
	}
	return newKeySet(slices.Clone(keys)), nil
}

func (k *Key) clashes(o *Key) bool { return o != nil && o.id == k.id && o.alg == k.alg }

func newKeySet(keys []*Key) *KeySet {
	s := &KeySet{keys: keys}
	for _, k := range keys {
		s.learn(header{alg: k.alg, kid: k.id, typ: k.typ, named: k.id != ""}, k.header)
		s.learn(header{alg: k.alg, typ: "JWT"}, headerText(k.alg, "", "JWT"))
		s.learn(header{alg: k.alg, typ: "JWT"}, b64.EncodeToString([]byte(`{"typ":"JWT","alg":"`+string(k.alg)+`"}`)))
	}
	return s
}

// learn adds a header to those that need not be read. Sets with many keys read
// the rest: comparing with all would cost more.
func (s *KeySet) learn(h header, segment string) {
	if len(s.known) >= 12 || slices.ContainsFunc(s.known, func(c candidate) bool { return c.segment == segment }) {
		return
	}
	if keys, err := s.find(h); err == nil {
		s.known = append(s.known, candidate{segment, h, keys})
	}
}

// Keys returns the keys of the set, in order.
func (s *KeySet) Keys() []*Key { return slices.Clone(s.keys) }

// KeySet returns s, so that a set is its own [Keys].
func (s *KeySet) KeySet() *KeySet { return s }

// String lists the keys without their secrets.
func (s *KeySet) String() string { return fmt.Sprintf("jwt.KeySet%v", s.keys) }

// find returns the keys that a token with this header may be signed with.
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
	case len(named) > 0:
		return named, nil
	case len(other) == 0:
		return nil, errKey
	case len(other) > maxTries:
		return nil, errTooMany
	}
	return other, nil
}

// has reports whether any key has this id.
func (s *KeySet) has(kid string) bool {
	return slices.ContainsFunc(s.keys, func(k *Key) bool { return k.id == kid })
}
