package jwt

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// A scheme is the cryptography of a key. Its methods may be called concurrently,
// each call with its own scratch.
type scheme interface {
	// sign returns the signature of input, which may be a part of w.
	sign(w *scratch, input []byte) ([]byte, error)

	// verify checks a signature in base64url.
	verify(w *scratch, input []byte, signature string) bool
}

// A scratch holds the buffers of one signature.
type scratch struct {
	in   []byte   // signing input
	sig  []byte   // signature, decoded (HMAC: as text)
	der  []byte   // ECDSA: signature as ASN.1
	sum  [64]byte // hash
	want [86]byte // HMAC: correct signature as text

	keyed   hash.Hash // HMAC: hash that has been keyed by keyedBy
	keyedBy scheme
}

// digest hashes input into the scratch.
func (w *scratch) digest(h crypto.Hash, input []byte) []byte {
	switch h {
	case crypto.SHA256:
		sum := sha256.Sum256(input)
		return w.sum[:copy(w.sum[:], sum[:])]
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return w.sum[:copy(w.sum[:], sum[:])]
	}
	w.sum = sha512.Sum512(input)
	return w.sum[:]
}

// decode decodes a signature that must have size bytes.
func (w *scratch) decode(signature string, size int) ([]byte, bool) {
	if n, ok := decoded64(len(signature)); !ok || n != size {
		return nil, false
	}
	if cap(w.sig) < size {
		w.sig = make([]byte, size)
	}
	w.sig = w.sig[:size]
	_, ok := decode64(w.sig, signature)
	return w.sig, ok
}
