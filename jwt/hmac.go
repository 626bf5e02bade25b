package jwt

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"sync"
)

// HMAC with SHA-2 (RFC 7518 section 3.2).

// A mac is the scheme of a shared secret. Keyed hashes are pooled: after its
// first Reset, an hmac restores a saved state, which costs half as much as a new
// one.
type mac struct {
	secret []byte
	hash   crypto.Hash
	states sync.Pool
}

func newMAC(h crypto.Hash, secret []byte) *mac {
	m := &mac{secret: secret, hash: h}
	m.states.New = func() any { return hmac.New(newHash(h), secret) }
	return m
}

func newHash(h crypto.Hash) func() hash.Hash {
	switch h {
	case crypto.SHA256:
		return sha256.New
	case crypto.SHA384:
		return sha512.New384
	}
	return sha512.New
}

// start returns a keyed hash without input. The scratch keeps the last one.
func (m *mac) start(w *scratch) hash.Hash {
	if w.keyedBy != m {
		if last, ok := w.keyedBy.(*mac); ok {
			last.states.Put(w.keyed)
		}
		w.keyedBy, w.keyed = m, m.states.Get().(hash.Hash)
	}
	w.keyed.Reset()
	return w.keyed
}

func (m *mac) sign(w *scratch, input []byte) ([]byte, error) {
	h := m.start(w)
	h.Write(input)
	return h.Sum(w.sum[:0]), nil
}

// verify compares the signatures as text, so that only the canonical encoding is
// accepted. The comparison takes constant time.
func (m *mac) verify(w *scratch, input []byte, signature string) bool {
	sum, _ := m.sign(w, input)
	w.sig = append(w.sig[:0], signature...)
	return subtle.ConstantTimeCompare(append64(w.want[:0], sum), w.sig) == 1
}
