package jwt

import (
	"crypto"
	"errors"
	"fmt"
	"hash"
	"log/slog"
)

// A Key signs or verifies tokens by one algorithm, which it carries: a header
// can only agree with it (RFC 8725 section 3.1). A Key is immutable and may be
// used by any number of goroutines. However it is printed, it shows its
// algorithm and id and nothing of its secret.
type Key struct {
	alg    Algorithm
	id     string
	typ    string // what Sign writes as typ
	scheme scheme
	signs  bool
	header string // what Sign writes for this key, encoded
	set    *KeySet
}

// A scheme is the cryptography of a key. All of its methods may be called
// concurrently, each call with a scratch of its own.
type scheme interface {
	sign(w *scratch, input []byte) ([]byte, error)
	verify(w *scratch, input []byte, signature string) bool
}

// A scratch holds the buffers of one signature.
type scratch struct {
	in   []byte   // the signing input
	sig  []byte   // the signature, decoded (HMAC: as text)
	der  []byte   // ECDSA: the signature as ASN.1
	sum  [64]byte // the hash
	want [86]byte // HMAC: the right signature as text

	mac   *mac      // HMAC: whose state this is
	keyed hash.Hash // HMAC: the state
}

func newKey(m method, s scheme, signs bool) *Key {
	return (&Key{alg: m.alg, typ: "JWT", scheme: s, signs: signs}).WithID("")
}

// Algorithm returns the algorithm that the key is for.
func (k *Key) Algorithm() Algorithm { return k.alg }

// ID returns the key's id, the kid of RFC 7517 section 4.5, or "".
func (k *Key) ID() string { return k.id }

// WithID returns the same key under the id kid, which Sign writes into headers.
// A token that names another kid is not tried with a key that has an id; a key
// without one is tried with any.
func (k *Key) WithID(kid string) *Key {
	c := *k
	c.id = kid
	return c.ready()
}

// WithType returns the same key, with which Sign writes typ into the header
// instead of "JWT", such as "at+jwt" (RFC 9068 section 2.1), or no typ when it
// is empty. It makes no difference to verifying.
func (k *Key) WithType(typ string) *Key {
	c := *k
	c.typ = typ
	return c.ready()
}

// ready fills in what follows from the rest.
func (k *Key) ready() *Key {
	k.header = headerText(k.alg, k.id, k.typ)
	k.set = newKeySet([]*Key{k})
	return k
}

// CanSign reports whether the key is a secret or a private key.
func (k *Key) CanSign() bool { return k.signs }

// IsSecret reports whether the key is a shared secret (HS256, HS384, HS512),
// which has no public part.
func (k *Key) IsSecret() bool {
	_, ok := k.scheme.(*mac)
	return ok
}

// Public returns the public key of a private one; a public key returns itself.
// A shared secret has none and gives an error.
func (k *Key) Public() (*Key, error) {
	if k.IsSecret() {
		return nil, errors.New("jwt: a shared secret has no public part")
	}
	if !k.signs {
		return k, nil
	}
	pub, err := NewKey(k.alg, k.public())
	if err != nil {
		return nil, err
	}
	return pub.WithID(k.id), nil
}

// public is the standard library's public key of k; nil for a secret.
func (k *Key) public() crypto.PublicKey {
	if s, ok := k.scheme.(interface{ publicKey() crypto.PublicKey }); ok {
		return s.publicKey()
	}
	return nil
}

// KeySet returns the set that holds this key alone, so that a verifier takes a
// key as it takes a set.
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

// GoString is String: %#v shows no secret either.
func (k *Key) GoString() string { return k.String() }

// Format is String for every verb, so that no %x or %+v shows a secret.
func (k *Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// LogValue is String for log/slog.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
