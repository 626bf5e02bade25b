package webhook

// Secrets and signatures.

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
	secretPrefix = "whsec_"
	secretBytes  = 32
	purpose      = "jotgate webhooks"
)

// newSecret returns a secret: whsec_ and the base64 of 32 random bytes.
func newSecret() string {
	key := make([]byte, secretBytes)
	rand.Read(key)
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// newID returns prefix and 22 alphanumeric characters, 130 random bits.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:22]) }

// seal encrypts the secret of an endpoint for the store.
func (w *Webhooks) seal(secret, endpoint string) (string, error) {
	return w.ring.Seal([]byte(secret), endpoint, purpose)
}

var errSealed = errors.New("its secret was sealed with another SECRET_KEY: add that one to SECRET_KEY_FALLBACKS, or rotate the secret of the endpoint")

// keys returns the keys that sign now: that of the secret, and the former one for as
// long as it is valid.
func (w *Webhooks) keys(e *Endpoint, now time.Time) (keys [][]byte, err error) {
	sealed := []string{e.Sealed}
	if e.Previous != "" && now.Before(e.PreviousUntil) {
		sealed = append(sealed, e.Previous)
	}
	for _, text := range sealed {
		secret, ok := w.ring.Open(text, e.ID, purpose)
		if !ok {
			return nil, errSealed
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), secretPrefix))
		if err != nil {
			return nil, errSealed
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// sign sets the headers of an attempt at the time now, with a signature by each key.
func sign(h http.Header, keys [][]byte, id, body string, now time.Time) {
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
