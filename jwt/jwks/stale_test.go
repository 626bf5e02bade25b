package jwks_test

// An issuer that hangs or fails for a long time, and unusual sets.

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

// A document is an issuer that serves a text unchanged.
type document string

func (d document) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(d))), Request: req}, nil
}

// Valid tokens of known keys never wait for the issuer, whether it hangs, fails or
// is slow, for two hours at every moment of its cycle.
func TestKnownKeysNeverWait(t *testing.T) {
	for name, change := range map[string]func(*issuer){
		"hangs":  func(i *issuer) { i.delay = 24 * time.Hour },
		"slow":   func(i *issuer) { i.delay = 4 * time.Second },
		"fails":  func(i *issuer) { i.fail = errors.New("down") },
		"status": func(i *issuer) { i.status, i.delay = http.StatusServiceUnavailable, time.Second },
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newKey(t, "a")
			i := &issuer{keys: []*jwt.Key{a}}
			r := remote(t, i, jwks.Options{Lifetime: 3 * time.Second, Interval: 8 * time.Second})
			if err := verify(t, r, a); err != nil {
				t.Fatal(err)
			}
			i.set(change)
			for range 1000 {
				start := time.Now()
				if err := verify(t, r, a); err != nil || time.Since(start) != 0 {
					t.Fatalf("%s: %v after %v", name, err, time.Since(start))
				}
				time.Sleep(7 * time.Second)
			}
			synctest.Wait()
		})
	}
}

// Siblings: other tokens that wait do not delay those with a known key, and a key
// that is published without an id is known, too.
func TestKnownKeysDoNotWaitForUnknownOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, bare := newKey(t, "a"), newKey(t, "")
		i := &issuer{keys: []*jwt.Key{a, bare}}
		r := remote(t, i, jwks.Options{})
		if err := verify(t, r, a); err != nil {
			t.Fatal(err)
		}
		i.set(func(i *issuer) { i.delay = time.Hour })
		time.Sleep(time.Minute)
		var wait sync.WaitGroup
		for range 100 {
			unknown := newKey(t, "unknown")
			wait.Go(func() {
				if err := verify(t, r, unknown); !errors.Is(err, jwt.ErrInvalid) {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		start := time.Now()
		for _, k := range []*jwt.Key{a, bare, bare.WithID("a-kid-of-its-own")} {
			if err := verify(t, r, k); err != nil || time.Since(start) != 0 {
				t.Errorf("%v: %v after %v", k, err, time.Since(start))
			}
		}
		wait.Wait()
		i.expect(t, 2)
	})
}

// Keys that are too old are not used, whatever the reason is that there are no
// newer ones, and the issuer's return is noticed.
func TestMaxStale(t *testing.T) {
	for name, change := range map[string]func(*issuer){
		"hangs":    func(i *issuer) { i.delay = 240 * time.Hour },
		"fails":    func(i *issuer) { i.fail = errors.New("down") },
		"no keys":  func(i *issuer) { i.keys = nil },
		"no set":   func(i *issuer) { i.extra = "}" },
		"redirect": func(i *issuer) { i.status = http.StatusFound },
	} {
		for _, o := range []jwks.Options{{}, {MaxStale: time.Hour}, {MaxStale: 96 * time.Hour}, {Lifetime: 48 * time.Hour}} {
			synctest.Test(t, func(t *testing.T) {
				a := newKey(t, "a")
				i := &issuer{keys: []*jwt.Key{a}}
				var log errorLog
				o.OnError = log.add
				limit := max(24*time.Hour, o.Lifetime)
				if o.MaxStale > 0 {
					limit = o.MaxStale
				}
				r := remote(t, i, o)
				if r.Age() != math.MaxInt64 {
					t.Errorf("%s: age before the first fetch: %v", name, r.Age())
				}
				if err := verify(t, r, a); err != nil || r.Age() != 0 {
					t.Fatalf("%s: %v, age %v", name, err, r.Age())
				}
				i.set(change)
				time.Sleep(limit - time.Second)
				if err := verify(t, r, a); err != nil || r.Age() != limit-time.Second {
					t.Errorf("%s: a second before %v: %v, age %v", name, limit, err, r.Age())
				}
				time.Sleep(time.Minute)
				for range 3 {
					if err := verify(t, r, a); !errors.Is(err, jwt.ErrNoKeys) {
						t.Errorf("%s: a minute after %v: %v", name, limit, err)
					}
					if err := verify(t, r, newKey(t, "unknown")); !errors.Is(err, jwt.ErrNoKeys) {
						t.Errorf("%s: an unknown key: %v", name, err)
					}
					time.Sleep(time.Minute)
				}
				if err := r.Fetch(t.Context()); err == nil {
					t.Errorf("%s: Fetch reports keys", name)
				}
				if !strings.Contains(log.String(), "more than MaxStale ("+limit.String()+"): every token is rejected") {
					t.Errorf("%s: the log does not say so:\n%s", name, &log)
				}
				i.set(func(i *issuer) { i.keys, i.extra, i.fail, i.status, i.delay = []*jwt.Key{a}, "", nil, 0, 0 })
				time.Sleep(time.Minute)
				if err := verify(t, r, a); err != nil || r.Age() > time.Minute {
					t.Errorf("%s: with the issuer back: %v, age %v", name, err, r.Age())
				}
			})
		}
	}
	for _, o := range []jwks.Options{{MaxStale: -1}, {MaxStale: time.Minute}, {MaxStale: time.Hour, Lifetime: 2 * time.Hour}, {MaxStale: time.Hour, Interval: 2 * time.Hour}} {
		if _, err := jwks.New(address, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// Unusual members, or an invalid key, do not prevent the use of the other keys.
func TestOddSets(t *testing.T) {
	a, other := newKey(t, "a"), newKey(t, "a")
	text := func(k *jwt.Key) string {
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	A, B := text(a), text(other)
	with := func(member string) string { return strings.TrimSuffix(A, "}") + "," + member + "}" }
	for name, c := range map[string]struct {
		set  string
		keys int
	}{
		"the same key twice":                {`{"keys":[` + A + `,` + A + `]}`, 1},
		"the same key in another form":      {`{"keys":[` + A + `,` + with(`"x5t":"AAAA","key_ops":["verify"]`) + `]}`, 1},
		"two keys of one id":                {`{"keys":[` + A + `,` + B + `]}`, 2},
		"two keys of one id, twice":         {`{"keys":[` + B + `,` + A + `,` + B + `,` + A + `]}`, 2},
		"a byte order mark":                 {"\ufeff" + `{"keys":[` + A + `]}`, 1},
		"a byte order mark and a duplicate": {"\ufeff" + ` {"keys":[` + A + `,` + A + `]}` + "\r\n", 1},
		"members of the set":                {`{"issuer":null,"keys":[` + A + `],"x":{"y":[1,null]},"Keys":[],"KEYS":null}`, 1},
		"members of a key":                  {`{"keys":[` + with(`"x5c":["AA=="],"x5t":null,"exp":null,"iat":1.5,"":{}`) + `]}`, 1},
		"null as a key":                     {`{"keys":[null,` + A + `]}`, 1},
		"other values as keys":              {`{"keys":[1,"a",[],{},true,` + A + `]}`, 1},
		"alg null":                          {`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","alg":null},` + A + `]}`, 1},
		"a kid that is a number":            {`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":1},` + A + `]}`, 1},
		"a key with a member twice":         {`{"keys":[{"kty":"OKP","kty":"RSA"},` + A + `]}`, 1},
		"a key that is not UTF-8":           {"{\"keys\":[{\"kty\":\"\xff\"}," + A + `]}`, 1},
		"a member that is not UTF-8":        {"{\"x\":\"\xff\",\"keys\":[" + A + `]}`, 1},
		"a deep key":                        {`{"keys":[` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,` + A + `]}`, 1},
		"post-quantum and encryption keys":  {`{"keys":[{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"},{"kty":"OKP","crv":"X25519","x":"AA","use":"enc"},` + A + `]}`, 1},
		"a weak RSA key":                    {`{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"},` + A + `]}`, 1},
	} {
		r, err := jwks.New(address, jwks.Options{Transport: document(c.set)})
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, r, a); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.keys == 2 {
			if err := verify(t, r, other); err != nil {
				t.Errorf("%s, the other key: %v", name, err)
			}
		}
		if got := len(r.KeySet().Keys()); got != c.keys {
			t.Errorf("%s: %d keys, want %d", name, got, c.keys)
		}
		if err := verify(t, r, newKey(t, "a")); err == nil {
			t.Errorf("%s: a foreign key verifies", name)
		}
	}
}

// Documents without a usable key are failures.
func TestSetsWithoutKeys(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":[]}`, `{"keys":[null]}`, `{"Keys":[]}`, `{"keys":[]`,
		"\ufeff\ufeff{}", `{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}`, "<html>",
	} {
		var log errorLog
		r, err := jwks.New(address, jwks.Options{Transport: document(text), OnError: log.add})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Fetch(t.Context()); err == nil || r.KeySet() != nil || !strings.Contains(log.String(), "there are no keys yet") {
			t.Errorf("%q: %v\n%s", text, err, &log)
		}
	}
}

// A cache that goes on serving a set for an issuer that it cannot reach does not keep a
// withdrawn key valid: the age of the keys includes the time in the cache.
func TestMaxStaleBehindACache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newKey(t, "a"), newKey(t, "b")
		i := &issuer{keys: []*jwt.Key{a}}
		var log errorLog
		r := remote(t, i, jwks.Options{OnError: log.add})
		age := func(d time.Duration) {
			i.set(func(i *issuer) { i.header = http.Header{"Age": {strconv.Itoa(int(d / time.Second))}} })
		}
		age(time.Hour)
		if err := verify(t, r, a); err != nil || r.Age() != time.Hour {
			t.Fatal(err, r.Age())
		}
		for hour := range 22 {
			time.Sleep(time.Hour)
			age(time.Duration(hour+2) * time.Hour)
			if err := verify(t, r, a); err != nil {
				t.Fatalf("after %d hours: %v", hour+2, err)
			}
		}
		time.Sleep(time.Hour)
		age(24 * time.Hour)
		if err := verify(t, r, a); !errors.Is(err, jwt.ErrNoKeys) {
			t.Errorf("after a day in a cache: %v", err)
		}
		if !strings.Contains(log.String(), "a cache responded with keys that are 24h0m0s old") {
			t.Errorf("the log does not say so: %s", &log)
		}
		// Keys of the issuer itself are not replaced with older ones of a cache.
		i.set(func(i *issuer) { i.keys, i.header = []*jwt.Key{b}, nil })
		time.Sleep(time.Minute)
		if err := verify(t, r, b); err != nil {
			t.Fatal(err)
		}
		i.set(func(i *issuer) { i.keys = []*jwt.Key{a} })
		age(time.Hour)
		time.Sleep(20 * time.Minute)
		for range 2 {
			if err := verify(t, r, b); err != nil {
				t.Errorf("after an older response: %v", err)
			}
			if err := verify(t, r, a); err == nil {
				t.Error("an older response revived a withdrawn key")
			}
			time.Sleep(time.Minute)
		}
	})
}
