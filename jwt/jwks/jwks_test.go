package jwks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

// An issuer responds from memory, so that tests can use a synthetic clock.
type issuer struct {
	mu     sync.Mutex
	keys   []*jwt.Key
	extra  string        // more members of "keys"
	header http.Header   // of the answer
	fail   error         // in place of an answer
	status int           // in place of 200
	delay  time.Duration // before the answer
	count  atomic.Int32
}

func (i *issuer) RoundTrip(req *http.Request) (*http.Response, error) {
	i.count.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	select {
	case <-time.After(i.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if i.fail != nil {
		return nil, i.fail
	}
	var members []string
	for _, k := range i.keys {
		text, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		members = append(members, string(text))
	}
	if i.extra != "" {
		members = append(members, i.extra)
	}
	status := http.StatusOK
	if i.status != 0 {
		status = i.status
	}
	body := fmt.Sprintf(`{"keys":[%s]}`, strings.Join(members, ","))
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: i.header, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// set changes the issuer between requests.
func (i *issuer) set(change func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

func newKey(t *testing.T, kid string) *jwt.Key {
	t.Helper()
	k, err := jwt.EdDSA.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k.WithID(kid)
}

type errorLog struct {
	mu   sync.Mutex
	list []string
}

func (l *errorLog) add(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, err.Error())
}

func (l *errorLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

const address = "https://auth.example/jwks.json"

func remote(t *testing.T, i *issuer, o jwks.Options) *jwks.Remote {
	t.Helper()
	o.Transport = i
	r, err := jwks.New(address, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verify(t *testing.T, r *jwks.Remote, k *jwt.Key) error {
	t.Helper()
	v, err := jwt.NewVerifier[jwt.Raw](r, jwt.Rules{InsecureNoExpiration: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Sign(k, jwt.Raw("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(token)
	return err
}

func (i *issuer) expect(t *testing.T, n int32) {
	t.Helper()
	if got := i.count.Load(); got != n {
		t.Errorf("%d requests, want %d", got, n)
	}
}

func TestFetchesOnceAndRefreshesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t, "a")
		i := &issuer{keys: []*jwt.Key{a}, delay: time.Second}
		r := remote(t, i, jwks.Options{Lifetime: 15 * time.Minute})
		for range 10 {
			if err := verify(t, r, a); err != nil {
				t.Fatal(err)
			}
		}
		i.expect(t, 1)
		first := r.KeySet().Keys()[0]
		time.Sleep(9 * time.Minute)
		r.KeySet()
		i.expect(t, 1)
		time.Sleep(2 * time.Minute) // two thirds have passed: in the background
		start := time.Now()
		for range 10 {
			r.KeySet()
		}
		if time.Since(start) != 0 {
			t.Errorf("waited %v for a background fetch", time.Since(start))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		i.expect(t, 2)
		if r.KeySet().Keys()[0] != first {
			t.Error("the same key was replaced by a copy")
		}
		time.Sleep(time.Hour) // not fresh any more: in the background all the same
		start = time.Now()
		if r.KeySet() == nil || time.Since(start) != 0 {
			t.Errorf("waited %v with keys in memory", time.Since(start))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		i.expect(t, 3)
	})
}

func TestOneFetchAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t, "a")
		i := &issuer{keys: []*jwt.Key{a}, delay: time.Second}
		r := remote(t, i, jwks.Options{})
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				if r.KeySet() == nil {
					t.Error("no keys")
				}
			})
		}
		wait.Wait()
		i.expect(t, 1)
	})
}

func TestUnknownKeysFetchOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newKey(t, "a"), newKey(t, "b")
		i := &issuer{keys: []*jwt.Key{a}}
		r := remote(t, i, jwks.Options{Interval: time.Minute})
		if err := verify(t, r, a); err != nil {
			t.Fatal(err)
		}
		i.set(func(i *issuer) { i.keys = append(i.keys, b) })
		for range 100 {
			if err := verify(t, r, b); !errors.Is(err, jwt.ErrInvalid) {
				t.Fatal(err)
			}
		}
		i.expect(t, 1)
		time.Sleep(time.Minute)
		if err := verify(t, r, b); err != nil {
			t.Errorf("new key after the interval: %v", err)
		}
		i.expect(t, 2)
		for range 100 {
			verify(t, r, newKey(t, "forged"))
		}
		i.expect(t, 2)
	})
}

func TestKeepsTheOldKeysWhenAFetchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t, "a")
		i := &issuer{keys: []*jwt.Key{a}}
		var log errorLog
		r := remote(t, i, jwks.Options{OnError: log.add})
		if err := verify(t, r, a); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*issuer){
			"network":  func(i *issuer) { i.fail = errors.New("network down") },
			"status":   func(i *issuer) { i.status = http.StatusBadGateway },
			"no keys":  func(i *issuer) { i.keys = nil },
			"not JSON": func(i *issuer) { i.extra = "}" },
			"huge":     func(i *issuer) { i.extra = `"` + strings.Repeat("x", 1<<20) + `"` },
			"slow":     func(i *issuer) { i.delay = time.Minute },
		} {
			i.set(change)
			time.Sleep(time.Hour)
			start := time.Now()
			if err := verify(t, r, a); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if time.Since(start) != 0 {
				t.Errorf("%s: took %v", name, time.Since(start))
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			i.set(func(i *issuer) { i.keys, i.extra, i.fail, i.status, i.delay = []*jwt.Key{a}, "", nil, 0, 0 })
		}
		for _, want := range []string{"network down", "Bad Gateway", "not a JWK Set", "longer than", "deadline"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, &log)
			}
		}
	})
}

func TestFirstFetchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t, "a")
		i := &issuer{keys: []*jwt.Key{a}, fail: errors.New("down")}
		r := remote(t, i, jwks.Options{})
		if err := r.Fetch(t.Context()); err == nil {
			t.Error("no error")
		}
		for range 20 {
			if err := verify(t, r, a); !errors.Is(err, jwt.ErrInvalid) {
				t.Fatal(err)
			}
		}
		i.expect(t, 1)
		i.set(func(i *issuer) { i.fail = nil })
		time.Sleep(time.Second)
		if err := verify(t, r, a); err != nil {
			t.Errorf("a second later: %v", err)
		}
		i.expect(t, 2)
		if err := r.Fetch(t.Context()); err != nil {
			t.Error(err)
		}
		i.expect(t, 3)
		i.set(func(i *issuer) { i.delay = 3 * time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
	})
}

func TestIgnoredKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, private := newKey(t, "a"), newKey(t, "private")
		leaked, err := private.MarshalPrivateJWK()
		if err != nil {
			t.Fatal(err)
		}
		shared, err := jwt.HS256.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		shared = shared.WithID("shared")
		secret, err := shared.MarshalPrivateJWK()
		if err != nil {
			t.Fatal(err)
		}
		i := &issuer{keys: []*jwt.Key{a}, extra: string(leaked) + "," + string(secret) + `,{"kty":"RSA","n":"AQ","e":"AQAB","kid":"weak"}`}
		var log errorLog
		r := remote(t, i, jwks.Options{OnError: log.add})
		if err := verify(t, r, a); err != nil {
			t.Error(err)
		}
		for _, k := range []*jwt.Key{private, shared} {
			if err := verify(t, r, k); err == nil {
				t.Errorf("%v verifies", k)
			}
		}
		if keys := r.KeySet().Keys(); len(keys) != 1 {
			t.Errorf("%v", keys)
		}
		if strings.Count(log.String(), "is ignored") != 3 {
			t.Errorf("log:\n%s", &log)
		}
		only := remote(t, i, jwks.Options{Algorithms: []jwt.Algorithm{jwt.ES256}})
		if err := verify(t, only, a); err == nil {
			t.Error("an algorithm that is not allowed")
		}
	})
}

func TestLifetimeFromTheResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newKey(t, "a")
		for header, wait := range map[string]time.Duration{
			"":                           10 * time.Minute,
			"public, Max-Age=120":        80 * time.Second,
			"max-age=100000":             10 * time.Minute,
			"max-age=0":                  20 * time.Second, // not below Interval
			"max-age=x, max-age=-1, foo": 10 * time.Minute,
		} {
			i := &issuer{keys: []*jwt.Key{a}, header: http.Header{"Cache-Control": {header}}}
			r := remote(t, i, jwks.Options{})
			r.KeySet()
			time.Sleep(wait)
			r.KeySet()
			synctest.Wait()
			i.expect(t, 1)
			time.Sleep(11 * time.Second)
			r.KeySet()
			synctest.Wait()
			i.expect(t, 2)
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "auth.example", "http://auth.example/", "ftp://auth.example/", "https://", "https://a b/", "://"} {
		if _, err := jwks.New(bad, jwks.Options{}); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
	if _, err := jwks.New("http://127.0.0.1/", jwks.Options{}); err == nil || !strings.Contains(err.Error(), "Options.InsecureHTTP") {
		t.Errorf("without TLS: %v, which does not name the option", err)
	}
	if _, err := jwks.New("http://127.0.0.1/", jwks.Options{InsecureHTTP: true}); err != nil {
		t.Error(err)
	}
	if _, err := jwks.New(address, jwks.Options{Interval: -1}); err == nil {
		t.Error("negative interval: accepted")
	}
}

// A redirect within the host is followed, another is not. This test uses real HTTP.
func TestRedirects(t *testing.T) {
	a := newKey(t, "a")
	text, err := json.Marshal(a.KeySet())
	if err != nil {
		t.Fatal(err)
	}
	keys := func(w http.ResponseWriter, _ *http.Request) { w.Write(text) }
	other := httptest.NewServer(http.HandlerFunc(keys))
	defer other.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", keys)
	mux.Handle("/here", http.RedirectHandler("/keys", http.StatusFound))
	mux.Handle("/there", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, want := range map[string]bool{"/keys": true, "/here": true, "/there": false, "/loop": false} {
		r, err := jwks.New(server.URL+path, jwks.Options{InsecureHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Fetch(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
