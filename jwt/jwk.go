package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

// errUnsuitable is the error for a key that may be valid but is not for signatures
// with a supported algorithm. In a set, such keys are ignored (RFC 7517 section 5).
var errUnsuitable = errors.New("jwt: key is not for these signatures")

// A jwk holds the members of a JWK that are used.
type jwk struct {
	text map[string]string // members that are strings
	ops  []string
	has  bool // key_ops is present
}

// member implements sink.
func (j *jwk) member(p *scanner, name string, i int) int {
	switch name {
	case "kty", "use", "alg", "kid", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "k":
		s, end := p.text(i)
		if end == bad {
			p.err = claimError(ErrMalformed, name, "not a string")
		}
		j.text[name] = s
		return end
	case "key_ops":
		j.has = true
		return j.operations(p, i)
	case "oth":
		p.err = claimError(ErrMalformed, name, "RSA keys with more than two primes are not supported")
		return bad
	}
	return p.value(i)
}

// operations reads key_ops, which has no duplicates (RFC 7517 section 4.3).
func (j *jwk) operations(p *scanner, i int) int {
	end := p.strings(i, &j.ops)
	for n, op := range j.ops {
		if slices.Contains(j.ops[:n], op) {
			return bad
		}
	}
	return end
}

func readJWK(text string) (*jwk, error) {
	j := &jwk{text: map[string]string{}}
	var p scanner
	if !p.reset(text, 0) || !p.document(j) {
		if p.err != nil {
			return nil, errors.New("jwt: JWK: " + p.err.Detail())
		}
		return nil, errors.New("jwt: JWK is not a strict JSON object")
	}
	return j, nil
}

// checkUse checks by use, key_ops and alg that the key is for verifying signatures
// with a supported algorithm, or, if toSign is set, for making them.
func (j *jwk) checkUse(toSign bool) error {
	if use, ok := j.text["use"]; ok && use != "sig" {
		return fmt.Errorf("%w: use is %q", errUnsuitable, use)
	}
	if j.has && !slices.Contains(j.ops, "verify") && !(toSign && slices.Contains(j.ops, "sign")) {
		return fmt.Errorf("%w: key_ops is %q", errUnsuitable, j.ops)
	}
	if alg, ok := j.text["alg"]; ok {
		if _, known := Algorithm(alg).method(); !known {
			return fmt.Errorf("%w: alg is %q", errUnsuitable, alg)
		}
	}
	return nil
}

// key returns the key. alg is the algorithm that the caller wants, or "" for the
// one of the JWK.
func (j *jwk) key(alg Algorithm) (*Key, error) {
	if own, ok := j.text["alg"]; ok {
		m, _ := Algorithm(own).method()
		if want, known := alg.method(); alg != "" && (!known || want.alg != m.alg) {
			return nil, fmt.Errorf("%w: alg is %q, not %q", errUnsuitable, own, alg)
		}
		alg = m.alg
	}
	k, err := j.ofType(alg)
	if err != nil {
		return nil, err
	}
	return k.WithID(j.text["kid"]), nil
}

// ofType makes the key of the type that kty names.
func (j *jwk) ofType(alg Algorithm) (*Key, error) {
	switch kty := j.text["kty"]; kty {
	case "oct":
		return j.oct(alg)
	case "RSA":
		return j.rsa(alg)
	case "EC":
		return j.ec(alg)
	case "OKP":
		return j.okp(alg)
	case "":
		return nil, errors.New("jwt: JWK has no kty")
	default:
		return nil, fmt.Errorf("%w: kty is %q", errUnsuitable, kty)
	}
}

// bytes decodes a member. size is the required length; 0 allows any but 0.
func (j *jwk) bytes(name string, size int) ([]byte, error) {
	text := j.text[name]
	b := make([]byte, len(text))
	n, ok := decode64(b, text)
	if !ok || n == 0 || size != 0 && n != size {
		return nil, fmt.Errorf("jwt: JWK member %q is missing, is not base64url, or has the wrong length", name)
	}
	return b[:n], nil
}

func (j *jwk) oct(alg Algorithm) (*Key, error) {
	k, err := j.bytes("k", 0)
	if err != nil {
		return nil, err
	}
	if alg == "" {
		return nil, errors.New("jwt: JWK of a secret has no alg")
	}
	return jwkHMAC(alg, k)
}

// number decodes a Base64urlUInt, which has no leading zero byte (RFC 7518 section
// 2).
func (j *jwk) number(name string) (*big.Int, error) {
	b, err := j.bytes(name, 0)
	if err != nil {
		return nil, err
	}
	if b[0] == 0 && len(b) > 1 {
		return nil, fmt.Errorf("jwt: JWK member %q begins with a zero byte", name)
	}
	return new(big.Int).SetBytes(b), nil
}

func (j *jwk) numbers(names ...string) ([]*big.Int, error) {
	var list []*big.Int
	for _, name := range names {
		n, err := j.number(name)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func (j *jwk) rsa(alg Algorithm) (*Key, error) {
	ne, err := j.numbers("n", "e")
	if err != nil {
		return nil, err
	}
	if ne[1].BitLen() > 31 {
		return nil, errors.New("jwt: RSA exponent is above 2^31-1")
	}
	pub := &rsa.PublicKey{N: ne[0], E: int(ne[1].Int64())}
	if !j.private() {
		return NewKey(alg, pub)
	}
	dpq, err := j.numbers("d", "p", "q")
	if err != nil {
		return nil, err
	}
	if err := checkRSA(pub); err != nil { // before the private key is used
		return nil, err
	}
	return NewKey(alg, &rsa.PrivateKey{PublicKey: *pub, D: dpq[0], Primes: dpq[1:]})
}

// private reports whether the JWK holds a private key.
func (j *jwk) private() bool {
	_, ok := j.text["d"]
	return ok
}

func curveOf(name string) (elliptic.Curve, bool) {
	for _, m := range methods {
		if m.curve != nil && m.curve.Params().Name == name {
			return m.curve, true
		}
	}
	return nil, false
}

func (j *jwk) ec(alg Algorithm) (*Key, error) {
	crv, ok := j.text["crv"]
	curve, known := curveOf(crv)
	switch {
	case !ok:
		return nil, errors.New("jwt: JWK of kty EC has no crv")
	case !known:
		return nil, fmt.Errorf("%w: crv is %q", errUnsuitable, crv)
	}
	size := (curve.Params().BitSize + 7) / 8
	x, errX := j.bytes("x", size)
	y, errY := j.bytes("y", size)
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, fmt.Errorf("jwt: EC key: %w", err)
	}
	if !j.private() {
		return NewKey(alg, pub)
	}
	d, err := j.bytes("d", size)
	if err != nil {
		return nil, err
	}
	priv, err := ecdsa.ParseRawPrivateKey(curve, d)
	if err != nil || !priv.PublicKey.Equal(pub) {
		return nil, errors.New("jwt: EC key: the private and the public key do not match")
	}
	return NewKey(alg, priv)
}

func (j *jwk) okp(alg Algorithm) (*Key, error) {
	if crv := j.text["crv"]; crv != "Ed25519" {
		return nil, fmt.Errorf("%w: crv is %q", errUnsuitable, crv)
	}
	x, err := j.bytes("x", ed25519.PublicKeySize)
	if err != nil {
		return nil, err
	}
	if !j.private() {
		return NewKey(alg, ed25519.PublicKey(x))
	}
	d, err := j.bytes("d", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return NewKey(alg, ed25519.PrivateKey(slices.Concat(d, x)))
}

// Thumbprint returns the SHA-256 thumbprint of the key in base64url (RFC 7638). It
// is the same for a private key and its public key, and makes a good key id.
func (k *Key) Thumbprint() string {
	b, _ := marshal(k.thumbprintMembers())
	sum := sha256.Sum256(b)
	return b64.EncodeToString(sum[:])
}

// thumbprintMembers returns the members that RFC 7638 section 3.2 requires, in its
// order.
func (k *Key) thumbprintMembers() Object {
	switch pub := k.public().(type) {
	case *rsa.PublicKey:
		return Object{{"e", unsigned(big.NewInt(int64(pub.E)))}, {"kty", "RSA"}, {"n", unsigned(pub.N)}}
	case *ecdsa.PublicKey:
		point, _ := pub.Bytes()
		half := len(point) / 2
		x, y := b64.EncodeToString(point[1:1+half]), b64.EncodeToString(point[1+half:])
		return Object{{"crv", pub.Params().Name}, {"kty", "EC"}, {"x", x}, {"y", y}}
	case ed25519.PublicKey:
		return Object{{"crv", "Ed25519"}, {"kty", "OKP"}, {"x", b64.EncodeToString(pub)}}
	}
	return Object{{"k", b64.EncodeToString(k.scheme.(*mac).secret)}, {"kty", "oct"}}
}

func unsigned(n *big.Int) string { return b64.EncodeToString(n.Bytes()) }

// publicMembers returns the members of the public JWK.
func (k *Key) publicMembers() Object {
	o := append(Object{}, k.thumbprintMembers()...)
	o = append(o, Object{{"alg", string(k.alg)}, {"use", "sig"}}...)
	if k.id != "" {
		o = append(o, Object{{"kid", k.id}}...)
	}
	return o
}

// MarshalJSON returns the public key as a JWK, also if k is a private key. It
// fails for a shared secret, which has no public key.
func (k *Key) MarshalJSON() ([]byte, error) {
	if k.IsSecret() {
		return nil, errors.New("jwt: a shared secret has no public key")
	}
	return marshal(k.publicMembers())
}

// MarshalPrivateJWK returns the complete key as a JWK, INCLUDING THE PRIVATE KEY OR
// SECRET, for storing it in a safe place. It fails for a public key.
func (k *Key) MarshalPrivateJWK() ([]byte, error) {
	if !k.signs {
		return nil, errors.New("jwt: a public key has no private JWK")
	}
	return marshal(append(k.publicMembers(), k.privateMembers()...))
}

// privateMembers returns the members that a private JWK has in addition.
func (k *Key) privateMembers() Object {
	switch s := k.scheme.(type) {
	case *rsaScheme:
		p := s.priv.Precomputed
		return Object{
			{"d", unsigned(s.priv.D)},
			{"p", unsigned(s.priv.Primes[0])},
			{"q", unsigned(s.priv.Primes[1])},
			{"dp", unsigned(p.Dp)},
			{"dq", unsigned(p.Dq)},
			{"qi", unsigned(p.Qinv)},
		}
	case *ecScheme:
		d, _ := s.priv.Bytes()
		return Object{{"d", b64.EncodeToString(d)}}
	case *edScheme:
		return Object{{"d", b64.EncodeToString(s.priv.Seed())}}
	}
	return nil // the k of a secret is one of publicMembers
}

// NewKeySet returns a set of keys: the current ones, and retired ones whose
// tokens have not expired. A key that is given twice is one key. Different keys of
// one algorithm may have the same id, which RFC 7517 section 4.5 only recommends
// against: each of them is tried. NewKeySet fails without a key and for a nil key.
func NewKeySet(keys ...*Key) (*KeySet, error) {
	if len(keys) == 0 {
		return nil, errors.New("jwt: key set is empty")
	}
	type identity struct {
		alg            Algorithm
		id, thumbprint string
		signs          bool
	}
	seen := make(map[identity]bool, len(keys))
	var distinct []*Key
	for _, k := range keys {
		if k == nil {
			return nil, errors.New("jwt: key is nil")
		}
		if i := (identity{k.alg, k.id, k.Thumbprint(), k.signs}); !seen[i] {
			seen[i] = true
			distinct = append(distinct, k)
		}
	}
	return newKeySet(distinct), nil
}

// MarshalJSON returns the public keys as a JWK Set (RFC 7517 section 5), without
// the shared secrets.
func (s *KeySet) MarshalJSON() ([]byte, error) {
	keys := []Object{}
	for _, k := range s.keys {
		if !k.IsSecret() {
			keys = append(keys, k.publicMembers())
		}
	}
	return marshal(Object{{"keys", keys}})
}

// PublicKey returns the public key as an *rsa.PublicKey, *ecdsa.PublicKey or
// ed25519.PublicKey, which must not be modified. It returns nil for a shared secret.
func (k *Key) PublicKey() crypto.PublicKey { return k.public() }

// Equal reports whether two keys have the same algorithm, id and key material.
// A private key does not equal its public key.
func (k *Key) Equal(o *Key) bool {
	return k.alg == o.alg && k.id == o.id && k.signs == o.signs && bytes.Equal([]byte(k.Thumbprint()), []byte(o.Thumbprint()))
}
