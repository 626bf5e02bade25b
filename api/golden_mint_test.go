package api

// Tokens that the recorder signed itself, good ones and forged ones.

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
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
	case "noncanonical":
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(alphabet, token[len(token)-1])
		token = token[:len(token)-1] + alphabet[last^1:last^1+1]
	}
	return token
}

// compact writes JSON as it stands, without blanks, with times filled in.
func (w *world) compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		w.t.Fatal(err)
	}
	text := b.String()
	for {
		at := strings.Index(text, `"{{now`)
		if at < 0 {
			return w.fill(text)
		}
		end := at + strings.Index(text[at:], `}}"`)
		by, err := strconv.ParseInt(text[at+len(`"{{now`):end], 10, 64)
		if err != nil {
			w.t.Fatal(err)
		}
		text = text[:at] + fmt.Sprint(w.now().Unix()+by) + text[end+len(`}}"`):]
	}
}

func (w *world) sign(alg, key, input string) []byte {
	hashes := map[string]struct {
		of  crypto.Hash
		new func() hash.Hash
	}{"256": {crypto.SHA256, sha256.New}, "384": {crypto.SHA384, sha512.New384}, "512": {crypto.SHA512, sha512.New}}
	if alg == "none" {
		return nil
	}
	h := hashes[alg[2:]]
	if alg[:2] == "HS" {
		mac := hmac.New(h.new, []byte(key))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	}
	block, _ := pem.Decode([]byte(key))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	sum := h.new()
	sum.Write([]byte(input))
	var signature []byte
	if alg[:2] == "PS" {
		signature, err = rsa.SignPSS(rand.Reader, private.(*rsa.PrivateKey), h.of, sum.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		signature, err = rsa.SignPKCS1v15(rand.Reader, private.(*rsa.PrivateKey), h.of, sum.Sum(nil))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return signature
}
