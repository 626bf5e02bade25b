package webhook

// Secrets in the store.

import (
	"errors"
	"time"

	"github.com/jotgate/jotgate/internal/hooksign"
)

const purpose = "jotgate webhooks"

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
		key, err := hooksign.Key(string(secret))
		if err != nil {
			return nil, errSealed
		}
		keys = append(keys, key)
	}
	return keys, nil
}
