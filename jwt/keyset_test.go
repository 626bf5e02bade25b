package jwt_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

func set(t testing.TB, keys ...*jwt.Key) *jwt.KeySet {
	t.Helper()
	s, err := jwt.NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func numbered(t testing.TB, n int) *jwt.Key {
	t.Helper()
	k, err := jwt.NewHMAC(jwt.HS256, fmt.Appendf(nil, "%036d-abcdefgh", n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeySetFindsKeys(t *testing.T) {
	a, b, bare, other := numbered(t, 1).WithID("a"), numbered(t, 2).WithID("b"), numbered(t, 3), keyFor(t, jwt.ES256)
	full := set(t, a, b, bare, other)
	tests := []struct {
		name string
		keys *jwt.KeySet
		sign *jwt.Key
		kid  string
		ok   bool
	}{
		{"its own id", full, a, "a", true},
		{"its own id, second", full, b, "b", true},
		{"no id", full, b, "", true},
		{"no id, key without", full, bare, "", true},
		{"another's id", full, b, "a", false},
		{"unknown id, key without", full, bare, "z", true},
		{"unknown id", full, a, "z", false},
		{"id of a key of another algorithm", full, bare, other.ID(), true},
		{"known id, key without", full, bare, "a", false},
		{"taken out", set(t, b), a, "a", false},
		{"taken out, no id", set(t, b), a, "", false},
	}
	for _, test := range tests {
		token := sign(t, test.sign.WithID(test.kid), good)
		if _, err := verifier[jwt.Raw](t, test.keys, jwt.Rules{}).Verify(token); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestKeySetLimitsTries(t *testing.T) {
	var keys []*jwt.Key
	for n := range 9 {
		keys = append(keys, numbered(t, n).WithID(fmt.Sprint(n)))
	}
	token := sign(t, keys[7].WithID(""), good)
	if _, err := verifier[jwt.Raw](t, set(t, keys[:8]...), jwt.Rules{}).Verify(token); err != nil {
		t.Errorf("eight keys: %v", err)
	}
	_, err := verifier[jwt.Raw](t, set(t, keys...), jwt.Rules{}).Verify(token)
	looksAlike(t, err, "more than 8 keys")
	if _, err := verifier[jwt.Raw](t, set(t, keys...), jwt.Rules{}).Verify(sign(t, keys[8], good)); err != nil {
		t.Errorf("by its id: %v", err)
	}
}

func TestNewKeySet(t *testing.T) {
	a := numbered(t, 1).WithID("a")
	if _, err := jwt.NewKeySet(); err == nil {
		t.Error("empty set")
	}
	if _, err := jwt.NewKeySet(a, nil); err == nil {
		t.Error("nil key")
	}
	if once, err := jwt.NewKeySet(a, numbered(t, 1).WithID("a"), a); err != nil || len(once.Keys()) != 1 {
		t.Errorf("one key three times: %v %v", once, err)
	}
	other, err := jwt.NewHMAC(jwt.HS512, secret)
	if err != nil {
		t.Fatal(err)
	}
	s := set(t, a, other.WithID("a"), numbered(t, 3), numbered(t, 4))
	if keys := s.Keys(); len(keys) != 4 || keys[0] != a || s.KeySet() != s {
		t.Errorf("%v", keys)
	}
	if !strings.Contains(s.String(), `kid="a"`) {
		t.Error(s)
	}
}

// Different keys with one id are all tried, eight at most.
func TestKeysThatShareAnID(t *testing.T) {
	keys := []*jwt.Key{}
	for n := range 9 {
		keys = append(keys, numbered(t, n+1).WithID("a"))
	}
	v := verifier[jwt.Raw](t, set(t, keys[:8]...), jwt.Rules{})
	for _, k := range keys {
		_, err := v.Verify(sign(t, k, good))
		if (err == nil) != (k != keys[8]) {
			t.Errorf("%v: %v", k, err)
		}
	}
	_, err := verifier[jwt.Raw](t, set(t, keys...), jwt.Rules{}).Verify(sign(t, keys[0], good))
	looksAlike(t, err, "more than 8 keys")
}

// A token with a kid that no key has, verified by a key without an id, does not
// ask the source for newer keys.
func TestKeyWithoutIDVerifiesBeforeTheSourceIsAsked(t *testing.T) {
	keys := &swapped{}
	keys.current.Store(set(t, numbered(t, 1)))
	keys.missing = keys.current.Load()
	v := verifier[jwt.Raw](t, keys, jwt.Rules{})
	if _, err := v.Verify(sign(t, numbered(t, 1).WithID("x"), good)); err != nil || keys.asked.Load() != 0 {
		t.Errorf("known key: %v, asked %d times", err, keys.asked.Load())
	}
	_, err := v.Verify(sign(t, numbered(t, 2).WithID("x"), good))
	if looksAlike(t, err, "signature"); keys.asked.Load() != 1 {
		t.Errorf("unknown key: asked %d times", keys.asked.Load())
	}
	keys.missing = set(t, numbered(t, 1), numbered(t, 2).WithID("x"))
	if _, err := v.Verify(sign(t, numbered(t, 2).WithID("x"), good)); err != nil || keys.asked.Load() != 2 {
		t.Errorf("new key: %v, asked %d times", err, keys.asked.Load())
	}
}

func TestNoKeys(t *testing.T) {
	_, err := verifier[jwt.Raw](t, &swapped{}, jwt.Rules{}).Verify(sign(t, numbered(t, 1), good))
	if !errors.Is(err, jwt.ErrNoKeys) || !errors.Is(err, jwt.ErrInvalid) {
		t.Errorf("without keys: %v", err)
	}
	_, err = verifier[jwt.Raw](t, numbered(t, 2), jwt.Rules{}).Verify(sign(t, numbered(t, 1), good))
	if errors.Is(err, jwt.ErrNoKeys) || !errors.Is(err, jwt.ErrInvalid) {
		t.Errorf("with another key: %v", err)
	}
}

// Keys may change while tokens are verified.
type swapped struct {
	current atomic.Pointer[jwt.KeySet]
	missing *jwt.KeySet
	asked   atomic.Int32
}

func (s *swapped) KeySet() *jwt.KeySet { return s.current.Load() }

func (s *swapped) Missing(string) *jwt.KeySet {
	s.asked.Add(1)
	return s.missing
}

func TestKeysRotateUnderLoad(t *testing.T) {
	a, b := numbered(t, 1).WithID("a"), keyFor(t, jwt.EdDSA)
	both := []*jwt.KeySet{set(t, a, b), set(t, b, a)}
	var keys swapped
	keys.current.Store(both[0])
	v := verifier[struct{}](t, &keys, jwt.Rules{Cache: 4})
	tokens := []string{sign(t, a, `{"exp":1767225601,"sub":"a"}`), sign(t, b, `{"exp":1767225601,"sub":"b"}`)}
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for n := range 300 {
				keys.current.Store(both[n%2])
				got, err := v.Verify(tokens[(n+g)%2])
				if want := string("ab"[(n+g)%2]); err != nil || got.Subject != want {
					t.Errorf("%v %v", got.Subject, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestMissing(t *testing.T) {
	a, b := numbered(t, 1).WithID("a"), numbered(t, 2).WithID("b")
	keys := &swapped{}
	v := verifier[jwt.Raw](t, keys, jwt.Rules{})
	_, err := v.Verify(sign(t, a, good))
	if !errors.Is(err, jwt.ErrNoKeys) || !errors.Is(err, jwt.ErrInvalid) || errors.Is(err, jwt.ErrExpired) {
		t.Errorf("without keys: %v", err)
	}
	keys.current.Store(set(t, a))
	if _, err := v.Verify(sign(t, a, good)); err != nil || keys.asked.Load() != 0 {
		t.Errorf("known key: %v, asked %d times", err, keys.asked.Load())
	}
	_, err = v.Verify(sign(t, b, good))
	looksAlike(t, err, "not in the set")
	keys.missing = set(t, a, b)
	if _, err := v.Verify(sign(t, b, good)); err != nil || keys.asked.Load() != 2 {
		t.Errorf("new key: %v, asked %d times", err, keys.asked.Load())
	}
	if _, err := v.Verify(sign(t, b.WithID(""), good)); err == nil || keys.asked.Load() != 2 {
		t.Errorf("no kid: %v, asked %d times", err, keys.asked.Load())
	}
}

// The cache saves the signature check, and no other check.
func TestCache(t *testing.T) {
	moment := time.Unix(now, 0)
	rules := jwt.Rules{Cache: 2, Now: func() time.Time { return moment }, Audience: []string{"a"}}
	k := keyFor(t, jwt.ES256)
	keys := &swapped{}
	keys.current.Store(set(t, k))
	type claims struct {
		List []string `json:"list"`
	}
	w := verifier[claims](t, keys, rules)
	token := sign(t, k, `{"exp":1767225601,"aud":"a","list":["x"]}`)
	for range 3 {
		got, err := w.Verify(token)
		if err != nil || len(got.Claims.List) != 1 || got.Claims.List[0] != "x" {
			t.Fatal(got, err)
		}
		got.Claims.List[0] = "changed by the caller"
	}
	moment = moment.Add(time.Second)
	if _, err := w.Verify(token); !errors.Is(err, jwt.ErrExpired) {
		t.Errorf("cached and expired: %v", err)
	}
	moment = moment.Add(-time.Second)
	keys.current.Store(set(t, keyFor(t, jwt.ES256)))
	if _, err := w.Verify(token); !errors.Is(err, jwt.ErrInvalid) {
		t.Errorf("cached, key taken out: %v", err)
	}
	keys.current.Store(set(t, k))
	forged := token[:len(token)-10] + strings.Repeat("A", 10)
	for range 2 {
		if _, err := w.Verify(forged); !errors.Is(err, jwt.ErrInvalid) {
			t.Errorf("forged: %v", err)
		}
	}
}
