package main

// The floor: the unavoidable work and nothing else, written for this one token.
// Verify: find the dots, know the header, the keyed hash from a pool, the
// signature compared as text, the payload out of base64url, valid UTF-8, one
// pass of JSON grammar, the clock. Not in it: which claim is which, duplicate
// names, other headers, Go values. For the other algorithms it is the bare call
// of the standard library with its hash.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

var errFloor = errors.New("floor refuses")

var b64 = base64.RawURLEncoding.Strict()

// A floorState is the pooled state of one operation.
type floorState struct {
	mac     hash.Hash
	in      []byte
	sum     []byte
	want    []byte
	payload []byte
}

func newStates(secret []byte) *sync.Pool {
	return &sync.Pool{New: func() any {
		return &floorState{mac: hmac.New(sha256.New, secret), in: make([]byte, 0, 1024), sum: make([]byte, 0, 32), want: make([]byte, 43), payload: make([]byte, 1024)}
	}}
}

func floorVerify(k *keys, alg, token string) runner {
	last := strings.LastIndexByte(token, '.')
	input := []byte(token[:last])
	signature, _ := b64.DecodeString(token[last+1:])
	if alg != "HS256" {
		return runner{"floor", bareVerify(k, alg, input, signature)}
	}
	header := token[:strings.IndexByte(token, '.')]
	pool := newStates(k.secret)
	bearer := "Bearer " + token
	var exp int64 = 1 << 40
	return runner{"floor", func() error { return floorOpen(pool, header, bearer, exp) }}
}

func floorOpen(pool *sync.Pool, header, bearer string, exp int64) error {
	d := pool.Get().(*floorState)
	defer pool.Put(d)
	token, ok := strings.CutPrefix(bearer, "Bearer ")
	if !ok {
		return errFloor
	}
	first := strings.IndexByte(token, '.')
	last := first + 1 + strings.IndexByte(token[first+1:], '.')
	if first < 0 || last <= first || strings.IndexByte(token[last+1:], '.') >= 0 || token[:first] != header {
		return errFloor
	}
	d.in = append(d.in[:0], token...)
	d.mac.Reset()
	d.mac.Write(d.in[:last])
	d.sum = d.mac.Sum(d.sum[:0])
	b64.Encode(d.want, d.sum)
	if subtle.ConstantTimeCompare(d.want, d.in[last+1:]) != 1 {
		return errFloor
	}
	n, err := b64.Decode(d.payload, d.in[first+1:last])
	if err != nil || !utf8.Valid(d.payload[:n]) || scanValue(d.payload[:n], 0) != n {
		return errFloor
	}
	if exp <= time.Now().Unix() {
		return errFloor
	}
	return nil
}

func bareVerify(k *keys, alg string, input, signature []byte) func() error {
	ok := func(good bool) error {
		if !good {
			return errFloor
		}
		return nil
	}
	switch alg {
	case "RS256":
		return func() error {
			sum := sha256.Sum256(input)
			return rsa.VerifyPKCS1v15(&k.rsa.PublicKey, crypto.SHA256, sum[:], signature)
		}
	case "ES256":
		der := toDER(signature)
		return func() error {
			sum := sha256.Sum256(input)
			return ok(ecdsa.VerifyASN1(&k.ec.PublicKey, sum[:], der))
		}
	}
	pub := k.ed.Public().(ed25519.PublicKey)
	return func() error { return ok(ed25519.Verify(pub, input, signature)) }
}

// floorSign writes the claims by hand, then signs.
func floorSign(k *keys, alg string, write func([]byte) []byte) runner {
	header := b64.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "."
	if alg != "HS256" {
		input := b64.AppendEncode([]byte(header), write(nil))
		return runner{"floor", bareSign(k, alg, input)}
	}
	pool := newStates(k.secret)
	return runner{"floor", func() error {
		d := pool.Get().(*floorState)
		defer pool.Put(d)
		d.payload = write(d.payload[:0])
		d.in = append(d.in[:0], header...)
		d.in = b64.AppendEncode(d.in, d.payload)
		d.mac.Reset()
		d.mac.Write(d.in)
		d.sum = d.mac.Sum(d.sum[:0])
		d.in = b64.AppendEncode(append(d.in, '.'), d.sum)
		Token = string(d.in)
		return nil
	}}
}

// Token keeps the last token, so that the compiler cannot leave it out.
var Token string

func appendSimple(b []byte, c *Simple) []byte {
	b = append(append(b, `{"token_type":"`...), c.TokenType...)
	b = strconv.AppendInt(append(b, `","exp":`...), c.Exp, 10)
	b = strconv.AppendInt(append(b, `,"iat":`...), c.Iat, 10)
	b = append(append(b, `,"jti":"`...), c.JTI...)
	b = append(append(b, `","user_id":"`...), c.UserID...)
	return append(b, `"}`...)
}

func appendSeed(b []byte, c *Seed) []byte {
	b = append(append(b, `{"role":{"id":"`...), c.Role.ID...)
	b = append(append(b, `","display_name":"`...), c.Role.DisplayName...)
	b = append(append(b, `","role_type":"`...), c.Role.RoleType...)
	b = append(append(b, `"},"id":"`...), c.ID...)
	b = append(append(b, `","email":"`...), c.Email...)
	b = strconv.AppendInt(append(b, `","exp":`...), c.Exp, 10)
	return append(b, '}')
}

func bareSign(k *keys, alg string, input []byte) func() error {
	switch alg {
	case "RS256":
		return func() error {
			sum := sha256.Sum256(input)
			_, err := rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, sum[:])
			return err
		}
	case "ES256":
		return func() error {
			sum := sha256.Sum256(input)
			_, err := ecdsa.SignASN1(rand.Reader, k.ec, sum[:])
			return err
		}
	}
	return func() error { ed25519.Sign(k.ed, input); return nil }
}
