// Package hooksign signs requests as Standard Webhooks describes it
// (https://www.standardwebhooks.com).
package hooksign

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	prefix      = "whsec_"
	secretBytes = 32
)

// NewSecret returns a secret: whsec_ and the base64 of 32 random bytes.
func NewSecret() string {
	key := make([]byte, secretBytes)
	rand.Read(key)
	return prefix + base64.StdEncoding.EncodeToString(key)
}

var errSecret = errors.New("the secret is not whsec_ and the base64 of 24 to 64 bytes")

// Key returns the key of a secret, from 24 to 64 bytes.
func Key(secret string) ([]byte, error) {
	text, marked := strings.CutPrefix(secret, prefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !marked || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errSecret
	}
	return key, nil
}

// NewID returns prefix and 22 alphanumeric characters, 110 random bits.
func NewID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:22]) }

// Sign sets the headers of an attempt at the time now, with a signature by each key.
func Sign(h http.Header, keys [][]byte, id, body string, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + at + "." + body))
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
}
