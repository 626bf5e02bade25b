package jwt_test

// Making the rows of testdata/vectors/own.json. Their tokens are signed here, with
// the standard library only, so that they do not share a bug with the package.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
)

// ownNow is the clock of all rows.
const ownNow = 1767225600

var ownSecret = []byte("0123456789abcdef0123456789ABCDEF")

// corpus collects rows.
type corpus struct {
	t    *testing.T
	rows []map[string]any
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	ed   ed25519.PrivateKey
}

func newCorpus(t *testing.T) *corpus {
	return &corpus{
		t: t, rsa: pemKey(t, "rsa2048").(*rsa.PrivateKey), ec: pemKey(t, "p256").(*ecdsa.PrivateKey),
		ed: pemKey(t, "ed25519").(ed25519.PrivateKey),
	}
}

func pemKey(t *testing.T, name string) any {
	t.Helper()
	data, err := os.ReadFile("testdata/pyjwt/keys/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// row adds a row for the class. options and keys replace some of the defaults.
func (c *corpus) row(class, expect, why, token string, over ...map[string]any) {
	row := map[string]any{
		"class": class,
		"token": token, "expect": expect, "strictness": "own", "why": why,
		"keys": []any{map[string]any{"kty": "oct", "k": enc(ownSecret), "alg": "HS256", "kid": "h1", "use": "sig"}},
	}
	options := map[string]any{"algs": []string{"HS256"}, "iss": "https://auth.example", "aud": "api", "now": ownNow, "leeway": 0, "require": []string{"exp", "sub"}}
	for _, o := range over {
		for name, value := range o {
			if name == "keys" {
				row[name] = value
			} else {
				options[name] = value
			}
		}
	}
	row["options"] = options
	n := 1
	for _, other := range c.rows {
		if other["class"] == class {
			n++
		}
	}
	row["id"] = fmt.Sprintf("%s-%03d", class, n)
	c.rows = append(c.rows, row)
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func seg(text string) string { return enc([]byte(text)) }

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// claims returns a valid payload with changes: pairs of a name and its JSON, or ""
// to leave it out. A new name is added at the end.
func claims(pairs ...string) string {
	list := [][2]string{
		{"iss", `"https://auth.example"`},
		{"sub", `"1"`},
		{"aud", `"api"`},
		{"iat", fmt.Sprint(ownNow - 60)},
		{"nbf", fmt.Sprint(ownNow - 60)},
		{"exp", fmt.Sprint(ownNow + 300)},
		{"jti", `"a1"`},
	}
	for i := 0; i < len(pairs); i += 2 {
		at := slices.IndexFunc(list, func(m [2]string) bool { return m[0] == pairs[i] })
		if at < 0 {
			list = append(list, [2]string{pairs[i], pairs[i+1]})
		} else {
			list[at][1] = pairs[i+1]
		}
	}
	var b strings.Builder
	for _, m := range list {
		if m[1] != "" {
			fmt.Fprintf(&b, `,"%s":%s`, m[0], m[1])
		}
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

// mac signs two segments unchanged.
func mac(input string) string { return input + "." + enc(macBytes(crypto.SHA256, ownSecret, input)) }

func macBytes(h crypto.Hash, key []byte, input string) []byte {
	m := hmac.New(h.New, key)
	m.Write([]byte(input))
	return m.Sum(nil)
}

// hs returns a correctly signed token with a header and a payload.
func hs(header, payload string) string { return mac(seg(header) + "." + seg(payload)) }

func digest(h crypto.Hash, input string) []byte {
	sum := h.New()
	sum.Write([]byte(input))
	return sum.Sum(nil)
}

// input returns the signing input for another algorithm.
func input(alg string) string { return seg(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + seg(claims()) }

// Public keys with their other members.

func (c *corpus) rsaKeys(over ...string) map[string]any {
	return c.keys("RS256", map[string]any{"kty": "RSA", "n": enc(c.rsa.N.Bytes()), "e": "AQAB", "alg": "RS256", "kid": "r1", "use": "sig"}, over)
}

func (c *corpus) ecKeys(over ...string) map[string]any {
	point, err := c.ec.PublicKey.Bytes()
	if err != nil {
		c.t.Fatal(err)
	}
	return c.keys("ES256", map[string]any{"kty": "EC", "crv": "P-256", "x": enc(point[1:33]), "y": enc(point[33:]), "alg": "ES256", "kid": "e1", "use": "sig"}, over)
}

func (c *corpus) edKeys(over ...string) map[string]any {
	return c.keys("EdDSA", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": enc(c.ed.Public().(ed25519.PublicKey)), "alg": "EdDSA", "kid": "d1", "use": "sig"}, over)
}

// keys returns a JWK Set of a key with changes: pairs of a name and its JSON, or ""
// to leave it out.
func (c *corpus) keys(alg string, key map[string]any, over []string) map[string]any {
	for i := 0; i < len(over); i += 2 {
		delete(key, over[i])
		if over[i+1] != "" {
			key[over[i]] = json.RawMessage(over[i+1])
		}
	}
	return map[string]any{"keys": []any{key}, "algs": []string{alg}}
}

func (c *corpus) rs(h crypto.Hash, input string) []byte {
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.rsa, h, digest(h, input))
	if err != nil {
		c.t.Fatal(err)
	}
	return signature
}

func (c *corpus) ps(h crypto.Hash, salt int, input string) []byte {
	signature, err := rsa.SignPSS(rand.Reader, c.rsa, h, digest(h, input), &rsa.PSSOptions{SaltLength: salt})
	if err != nil {
		c.t.Fatal(err)
	}
	return signature
}

// rawRSA signs a block that the caller has padded.
func (c *corpus) rawRSA(block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, c.rsa.D, c.rsa.N).FillBytes(make([]byte, c.rsa.Size()))
}

// es signs with ECDSA and returns r and s.
func (c *corpus) es(input string) (r, s *big.Int) {
	r, s, err := ecdsa.Sign(rand.Reader, c.ec, digest(crypto.SHA256, input))
	if err != nil {
		c.t.Fatal(err)
	}
	return r, s
}

func halves(r, s *big.Int, size int) []byte {
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}
