package differential

// Generating tokens: valid ones, and ones that are damaged in one to three ways. Most of
// these are signed correctly after the damage.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// A made is a token and its damage.
type made struct {
	alg    jwt.Algorithm
	token  string
	damage []string // empty for a valid token
}

// A member of a JSON object, as text.
type member struct{ name, value string }

// A draft is a token before it is assembled.
type draft struct {
	r       *mrand.Rand
	header  []member
	payload []member
	keys    *keys
	alg     jwt.Algorithm
}

// day is far longer than a run takes, in seconds.
const day = 86400

var b64 = base64.RawURLEncoding

// makeToken draws a token. It depends only on r, the keys, the clock, and the randomness
// of signatures.
func makeToken(r *mrand.Rand, k *keys) made {
	d := &draft{r: r, keys: k, alg: algorithms[0]}
	if n := r.IntN(40); n < len(algorithms) {
		d.alg = algorithms[n]
	}
	d.sound()
	m := made{alg: d.alg}
	damages := r.IntN(4) // a quarter is not damaged
	for range damages {
		p := parts[r.IntN(len(parts))]
		p.change(d)
		m.damage = append(m.damage, p.name)
	}
	header, payload := d.text(d.header), d.text(d.payload)
	if damages > 0 && r.IntN(4) == 0 {
		t := texts[r.IntN(len(texts))]
		header, payload = t.change(d, header, payload)
		m.damage = append(m.damage, t.name)
	}
	m.token = d.sign(b64.EncodeToString([]byte(header)), b64.EncodeToString([]byte(payload)))
	if damages > 0 && r.IntN(4) == 0 {
		t := tokens[r.IntN(len(tokens))]
		m.token = t.change(d, m.token)
		m.damage = append(m.damage, t.name)
	}
	return m
}

// sound draws a header and claims that every library should accept.
func (d *draft) sound() {
	r, now := d.r, time.Now().Unix()
	d.header = []member{{"alg", quote(string(d.alg))}, {"typ", `"JWT"`}}
	if r.IntN(2) == 0 {
		d.header[0], d.header[1] = d.header[1], d.header[0]
	}
	d.payload = []member{{"exp", fmt.Sprint(now + day + r.Int64N(1000))}, {"iss", quote(issuer)}, {"aud", quote(audience)}}
	for _, m := range []member{
		{"iat", fmt.Sprint(now - 600 - r.Int64N(1000))},
		{"nbf", fmt.Sprint(now - 600 - r.Int64N(1000))},
		{"sub", quote(d.word())},
		{"jti", quote(d.word())},
		{"user_id", d.value(0)},
		{"role", d.value(0)},
		{"email", quote(d.word())},
		{d.word(), d.value(0)},
	} {
		if r.IntN(2) == 0 {
			d.payload = append(d.payload, m)
		}
	}
	r.Shuffle(len(d.payload), func(i, j int) { d.payload[i], d.payload[j] = d.payload[j], d.payload[i] })
}

// word draws a name or text, sometimes with escapes or characters beyond ASCII.
func (d *draft) word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	w := ""
	for range 4 + d.r.IntN(8) {
		w += string(letters[d.r.IntN(26)])
	}
	switch d.r.IntN(12) {
	case 0:
		return w + "é\U0001f600"
	case 1:
		return w + `\u00e9\n\"`
	}
	return w
}

// value draws any JSON value.
func (d *draft) value(depth int) string {
	switch n := d.r.IntN(8); {
	case n == 0:
		return "true"
	case n == 1:
		return "null"
	case n == 2:
		return fmt.Sprint(d.r.Int64N(1 << 40))
	case n == 3:
		return "-1.5e3"
	case n == 4 && depth < 3:
		return "[" + d.value(depth+1) + ", " + d.value(depth+1) + "]"
	case n == 5 && depth < 3:
		return `{"` + d.word() + `": ` + d.value(depth+1) + "}"
	}
	return quote(d.word())
}

// quote puts escaped text between quotes.
func quote(s string) string { return `"` + s + `"` }

// text assembles members, sometimes with white space.
func (d *draft) text(members []member) string {
	var parts []string
	space := ""
	if d.r.IntN(4) == 0 {
		space = " "
	}
	for _, m := range members {
		parts = append(parts, quote(m.name)+":"+space+m.value)
	}
	return "{" + strings.Join(parts, ","+space) + "}"
}

// sign signs with the key of the draft, regardless of the header.
func (d *draft) sign(header, payload string) string {
	input := header + "." + payload
	return input + "." + b64.EncodeToString(d.signature(input))
}

func (d *draft) signature(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	var sig []byte
	var err error
	switch d.alg {
	case jwt.HS256:
		h := hmac.New(sha256.New, d.keys.secret)
		h.Write([]byte(input))
		sig = h.Sum(nil)
	case jwt.HS512:
		h := hmac.New(sha512.New, d.keys.secret)
		h.Write([]byte(input))
		sig = h.Sum(nil)
	case jwt.RS256:
		sig, err = rsa.SignPKCS1v15(nil, d.keys.rsa, crypto.SHA256, sum[:])
	case jwt.PS256:
		sig, err = rsa.SignPSS(rand.Reader, d.keys.rsa, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case jwt.ES256:
		r, s, e := ecdsa.Sign(rand.Reader, d.keys.ec, sum[:])
		if err = e; err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case jwt.EdDSA:
		sig = ed25519.Sign(d.keys.ed, []byte(input))
	}
	if err != nil {
		panic(err)
	}
	return sig
}
