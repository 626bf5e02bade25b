package api

// Tokens that the recorder signed itself, good ones and forged ones.

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
)

var b64 = base64.RawURLEncoding

// mint signs the step's token and spoils it as told.
func (w *world) mint(s *step) string {
	header, claims := w.compact(s.Header), w.compact(s.Claims)
	var text string
	if json.Unmarshal(s.Claims, &text) == nil {
		claims = text // the payload as it is
	}
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
	key := s.Key
	if key == "SECRET_KEY" {
		key = w.Settings.SecretKey
	}
	signature := w.sign(s.Alg, key, input)
	token := input + "." + b64.EncodeToString(signature)
	switch s.Tamper {
	case "signature":
		token = token[:len(token)-4] + map[bool]string{true: "BBBB", false: "AAAA"}[strings.HasSuffix(token, "AAAA")]
	case "payload":
		other := strings.Replace(claims, `"user_id":1`, `"user_id":4`, 1)
		token = b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(other)) + "." + b64.EncodeToString(signature)
	case "truncate":
		token = input
	case "padded":
		token += "="
	case "":
	case "noncanonical":
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(alphabet, token[len(token)-1])
		token = token[:len(token)-1] + alphabet[last^1:last^1+1]
	default:
		panic("tamper " + s.Tamper)
	}
	return token
}

// compact writes JSON as it stands, without blanks, with times filled in.
func (w *world) compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		panic(err)
	}
	text := b.String()
	for {
		at := strings.Index(text, `"{{now`)
		if at < 0 {
			return w.fill(text)
		}
		end := at + strings.Index(text[at:], `}}"`)
		by, err := strconv.ParseInt(cmp.Or(text[at+len(`"{{now`):end], "0"), 10, 64)
		if err != nil {
			panic(err)
		}
		text = text[:at] + fmt.Sprint(w.now().Unix()+by) + text[end+len(`}}"`):]
	}
}

func (w *world) sign(alg, key, input string) []byte {
	if alg == "none" {
		return nil
	}
	h, ok := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[strings.TrimLeft(alg, "HRPS")]
	if !ok || len(alg) != len("HS256") {
		panic("the algorithm " + alg)
	}
	if alg[:2] == "HS" {
		mac := hmac.New(h.New, []byte(key))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		panic("a key for " + alg + " that is not PEM")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	sum := h.New()
	sum.Write([]byte(input))
	var options crypto.SignerOpts = h
	if alg[:2] == "PS" {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}
	}
	signature, err := private.(*rsa.PrivateKey).Sign(rand.Reader, sum.Sum(nil), options)
	if err != nil {
		panic(err)
	}
	return signature
}
