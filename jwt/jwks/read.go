package jwks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// Parsing a published set. Unlike a local file, it may contain unsuitable keys, which
// must not prevent the use of the others (RFC 7517 section 5).

// read returns a set of the usable keys in a document. Unknown members are ignored
// (RFC 7517 section 5), and so is a byte order mark (RFC 8259 section 8.1 allows
// that). Keys that are in use already stay the same objects, so that a verifier's
// cache stays valid.
func (r *Remote) read(document []byte) (*jwt.KeySet, error) {
	var members map[string]json.RawMessage
	var list []json.RawMessage
	err := json.Unmarshal(bytes.TrimPrefix(document, []byte("\ufeff")), &members)
	if err != nil || json.Unmarshal(members["keys"], &list) != nil {
		return nil, errors.New("the response is not a JWK Set")
	}
	var keys []*jwt.Key
	for n, m := range list {
		found, err := jwt.ParseKeySet(m, r.o.Algorithms...)
		if err == nil && found.Keys()[0].IsSecret() {
			err = errors.New("a shared secret is published")
		}
		if err != nil {
			r.o.OnError(fmt.Errorf("jwks: key %d is ignored: %w", n, err))
			continue
		}
		for _, k := range found.Keys() {
			keys = append(keys, r.known(k))
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none of the %d keys of the set can be used", len(list))
	}
	return jwt.NewKeySet(keys...)
}

// known returns the equal key that is already in use, or else k.
func (r *Remote) known(k *jwt.Key) *jwt.Key {
	if s := r.current.Load(); s != nil {
		for _, old := range s.set.Keys() {
			if old.Equal(k) {
				return old
			}
		}
	}
	return k
}

// lifetime returns how long a response is fresh: Options.Lifetime, or less if its
// max-age is less (RFC 9111 section 5.2.2.1), but never less than Options.Interval.
func (r *Remote) lifetime(h http.Header) time.Duration {
	life := r.o.Lifetime
	for _, d := range strings.Split(h.Get("Cache-Control"), ",") {
		text, ok := strings.CutPrefix(strings.TrimSpace(strings.ToLower(d)), "max-age=")
		if seconds, err := strconv.Atoi(text); ok && err == nil && seconds >= 0 && seconds < int(life/time.Second) {
			life = time.Duration(seconds) * time.Second
		}
	}
	return max(life, r.o.Interval)
}

// cached returns how long a response was in a cache (RFC 9111, section 5.1).
func cached(h http.Header) time.Duration {
	seconds, _ := strconv.Atoi(h.Get("Age"))
	return time.Duration(min(max(seconds, 0), math.MaxInt32)) * time.Second
}
