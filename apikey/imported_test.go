package apikey_test

import (
	"crypto/sha512"
	"encoding/hex"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/passwd"
)

// imported adds a key as `apikey import` does.
func (w *site) imported(key, digest string, change func(*apikey.Key)) {
	w.t.Helper()
	id, _, _ := strings.Cut(key, ".")
	k := apikey.Key{ID: id, Digest: digest, User: w.alice.ID, Name: "carrier", Scopes: []string{"orders:read"}, Created: w.Clock.Now()}
	if change != nil {
		change(&k)
	}
	if err := w.db.APIKeys().Add(w.t.Context(), k); err != nil {
		w.t.Fatal(err)
	}
}

// A key with a digest of djangorestframework-api-key is accepted as its clients send
// it. A slow hash is computed once: its first use replaces it.
func TestImported(t *testing.T) {
	w := newSite(t, apikey.Settings{Imported: true}, nil)
	hasher, err := passwd.New("pbkdf2_sha256:1000")
	if err != nil {
		t.Fatal(err)
	}
	secret := "." + strings.Repeat("s3cretAB", 4)
	slow, fast, ended := "slowSlow"+secret, "fastFast"+secret, "endedEnd"+secret
	hash, err := hasher.Make(slow)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512([]byte(fast))
	w.imported(slow, hash, nil)
	w.imported(fast, "sha512$$"+hex.EncodeToString(sum[:]), nil)
	w.imported(ended, hash, func(k *apikey.Key) { k.Expires = w.Clock.Now() })

	w.expect("a slow hash", w.gate, request(slow), 200, 1)
	w.expect("again", w.gate, request(slow), 200, 0)
	w.expect("SHA-512", w.gate, request(fast), 200, 1)
	for _, wrong := range []string{slow[:len(slow)-1] + "0", fast[:len(fast)-1] + "0", "fastFast" + "." + slow[9:len(slow)-1], ended, "nobody00" + secret} {
		w.expect(wrong, w.gate, request(wrong), 401, 1)
	}
	for _, other := range []string{"slowSlow", "slowSlow.", secret, "slowSlow.short", "slowSlowly" + secret, slow + "é", "slow.low" + secret} {
		w.expect(other, w.gate, request(other), 401, 0)
	}
	r := httptest.NewRequest("GET", "/", nil)
	for scheme, status := range map[string]int{"Api-Key ": 200, "api-key ": 200, "Bearer ": 401, "Token ": 401, "": 401} {
		r.Header.Set("Authorization", scheme+slow)
		w.expect(scheme, w.gate, r, status, 0)
	}

	if err := w.keys.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := w.db.APIKeys().Find(t.Context(), "slowSlow")
	if err != nil || strings.Contains(key.Digest, "$") || key.Digest == slow || key.Used.IsZero() {
		t.Errorf("after its first use: %+v, %v", key, err)
	}
	w.Clock.Advance(5 * time.Minute)
	w.expect("with the faster digest", w.gate, request(slow), 200, 1)
	w.expect("another secret", w.gate, request(slow[:len(slow)-1]+"0"), 401, 1)

	rotated, err := w.keys.Rotate(t.Context(), w.alice.ID, "slowSlow", 0, jotgate.Client{})
	if err != nil || !strings.HasPrefix(rotated.Secret, "jgk_") {
		t.Fatal(rotated, err)
	}
	w.expect("rotated", w.gate, request(slow), 401, 0)
	w.expect("its successor", w.gate, request(rotated.Secret), 200, 1)

	// Without the setting the form is that of any other key of the program behind the gate.
	off, _ := w.node(w.gate.Settings(), apikey.Settings{})
	w.expect("off", off, request(fast), 401, 0)
}
