// Package jwks fetches the public keys of an issuer from its JWK Set over HTTPS
// (RFC 7517). It is for programs that verify tokens signed by another server. It is
// separate from package jwt so that programs without remote keys do not link an HTTP
// client.
//
// Create a [Remote] with [New] and use it as the keys of a verifier or of a
// jotgate.Guard. [Remote.Fetch] fetches the keys before the first request and finds a
// wrong address:
//
//	keys, err := jwks.New("https://auth.example/.well-known/jwks.json", jwks.Options{})
//	err = keys.Fetch(ctx)
//	verifier, err := jwt.NewVerifier[Claims](keys, jwt.Rules{Issuer: "https://auth.example"})
//
// The zero Options are the safe choice; Options.Algorithms also excludes algorithms
// that the issuer does not use.
//
// The set is fetched when it is first needed, kept in memory, and fetched again
// in the background. Verifying a token whose key is in the set never waits for a
// fetch, however slow the issuer is. A token that names an unknown key causes another
// fetch and waits for it, but not more often than Options.Interval, so that forged
// tokens cannot cause many requests to the issuer. One fetch runs at a time. If
// fetches fail, the keys remain in use until they are Options.MaxStale old; then there
// are no keys, and every token is rejected ([jwt.ErrNoKeys]) until a fetch succeeds.
// Only public keys are used: a private key or a shared secret in a published set is
// ignored, and so is a key that is weak, invalid or for another purpose.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// maxBody is the maximum size of a JWK Set in bytes, enough for a thousand keys.
const maxBody = 512 << 10

// retry is the least time between two fetches while there are no keys.
const retry = time.Second

// Options configure how the set is fetched. The zero value is the safe choice.
type Options struct {
	// Algorithms lists the algorithms to allow. A key that has an alg must have
	// one of them; an RSA key without an alg is used for each of them that fits.
	// If nil, a key is used for its alg, and an RSA key without an alg for RS256.
	// A list that is empty but not nil allows no key. Default: nil.
	Algorithms []jwt.Algorithm

	// Lifetime is how long a set is fresh. It is fetched again in the background
	// when two thirds of that time have passed. If the response has a shorter
	// max-age in Cache-Control, that is used instead, but not less than Interval.
	// Default: 15 minutes.
	Lifetime time.Duration

	// MaxStale is the maximum age of keys that are still used, counted from the
	// last successful fetch, or earlier by what the header Age of a response from a
	// cache says. It limits how long a key that the issuer has
	// withdrawn remains valid if the issuer cannot be reached. At least Lifetime
	// and Interval. Default: 24 hours, or the greater of the two if that is more.
	MaxStale time.Duration

	// Interval is the minimum time between two fetches. It limits how long a new
	// key of the issuer can be unknown. While there are no keys, it is at most one
	// second. Default: 30 seconds.
	Interval time.Duration

	// Timeout limits one fetch. Only a token that needs the fetch waits for it: the
	// first one, and one with an unknown key. Default: 5 seconds.
	Timeout time.Duration

	// Transport sends the request. Default: http.DefaultTransport.
	Transport http.RoundTripper

	// OnError is called for each failed fetch and each key that was ignored, so
	// that the program can log the error. Its calls are not concurrent. Default:
	// the errors are dropped.
	OnError func(error)

	// InsecureHTTP allows a URL without TLS. Use it only in a trusted network:
	// anyone who can change the response can sign tokens.
	InsecureHTTP bool
}

// A Remote is a JWK Set at a URL. Create it with New. It implements [jwt.Keys] and is
// safe for concurrent use.
type Remote struct {
	url     string
	o       Options
	client  *http.Client
	current atomic.Pointer[state]

	mu     sync.Mutex
	flight chan struct{} // closed when the running fetch ends; nil if none is running
	last   time.Time     // when the last fetch began
}

// A state is a set and how long it may be used.
type state struct {
	set     *jwt.KeySet
	fetched time.Time
	refresh time.Time // when it is fetched again in the background
	end     time.Time // when it becomes unusable
	wall    time.Time // end by the wall clock, which goes on while the machine is suspended
}

// New returns a Remote. It fails if the address is not an https URL or an option is
// out of range. It does not fetch; to find errors at the start of a program, call
// [Remote.Fetch].
func New(address string, o Options) (*Remote, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && o.InsecureHTTP) {
		return nil, fmt.Errorf("jwks: %q is not an https URL (in a trusted network, set Options.InsecureHTTP)", address)
	}
	if o.Lifetime < 0 || o.Interval < 0 || o.Timeout < 0 || o.MaxStale < 0 {
		return nil, errors.New("jwks: negative duration")
	}
	o.Lifetime = orDefault(o.Lifetime, 15*time.Minute)
	o.Interval = orDefault(o.Interval, 30*time.Second)
	least := max(o.Lifetime, o.Interval)
	if o.MaxStale = orDefault(o.MaxStale, max(24*time.Hour, least)); o.MaxStale < least {
		return nil, fmt.Errorf("jwks: MaxStale is %v, less than Lifetime or Interval (%v)", o.MaxStale, least)
	}
	o.Timeout = orDefault(o.Timeout, 5*time.Second)
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Remote{url: address, o: o, client: &http.Client{Transport: o.Transport, CheckRedirect: sameHost}}, nil
}

func orDefault(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return d
}

// sameHost allows a few redirects within the same scheme and host, since no other
// host is trusted with the keys.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return fmt.Errorf("refused a redirect to %s", req.URL.Redacted())
	}
	return nil
}

// KeySet returns the current keys, or nil if none could be fetched yet or all are
// older than Options.MaxStale. Only then does it wait for a fetch.
func (r *Remote) KeySet() *jwt.KeySet {
	s, now := r.current.Load(), time.Now()
	if !s.usable(now) {
		r.await()
		return r.keys()
	}
	if now.After(s.refresh) {
		r.start()
	}
	return s.set
}

// usable reports whether there are keys that are not too old.
func (s *state) usable(now time.Time) bool {
	return s != nil && now.Before(s.end) && now.Round(0).Before(s.wall)
}

// keys returns the keys that may be used now, or nil.
func (r *Remote) keys() *jwt.KeySet {
	if s := r.current.Load(); s.usable(time.Now()) {
		return s.set
	}
	return nil
}

// Age returns the time since the keys were last fetched, or math.MaxInt64 if they
// never were. Operators should monitor it: at Options.MaxStale every token is
// rejected.
func (r *Remote) Age() time.Duration {
	if s := r.current.Load(); s != nil {
		return time.Since(s.fetched)
	}
	return math.MaxInt64
}

// Missing fetches the set again, unless the last fetch began less than
// Options.Interval ago, waits for the fetch, and returns the current keys or nil. A
// verifier calls it for a token whose kid is not in the set; it ignores the argument.
func (r *Remote) Missing(string) *jwt.KeySet {
	r.await()
	return r.keys()
}

// Fetch fetches the set immediately, unless a fetch is already running, and waits for
// the end of the fetch. The error is that of ctx, or says that there are no usable
// keys. If the fetch fails while there are older keys that may still be used, Fetch
// returns nil; Options.OnError receives the failure.
func (r *Remote) Fetch(ctx context.Context) error {
	r.mu.Lock()
	r.last = time.Time{}
	r.mu.Unlock()
	select {
	case <-r.start():
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.keys() == nil {
		return errors.New("jwks: no keys could be fetched from " + r.url)
	}
	return nil
}

// await starts a fetch if it is time for one, and waits for a running one.
func (r *Remote) await() {
	if f := r.start(); f != nil {
		<-f
	}
}

// start returns the running fetch. If there is none, it starts one, or returns nil if
// the last one began too recently.
func (r *Remote) start() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flight != nil {
		return r.flight
	}
	wait := r.o.Interval
	if r.keys() == nil {
		wait = min(wait, retry)
	}
	if !r.last.IsZero() && time.Since(r.last) < wait {
		return nil
	}
	r.last, r.flight = time.Now(), make(chan struct{})
	go r.run(r.flight)
	return r.flight
}

func (r *Remote) run(done chan struct{}) {
	if err := r.fetch(); err != nil {
		r.o.OnError(r.failure(err))
	}
	r.mu.Lock()
	r.flight = nil
	r.mu.Unlock()
	close(done)
}

// failure describes a failed fetch and what follows from it.
func (r *Remote) failure(err error) error {
	switch age := r.Age(); {
	case age == math.MaxInt64:
		return fmt.Errorf("jwks: %w; there are no keys yet: every token is rejected", err)
	case r.keys() == nil:
		return fmt.Errorf("jwks: %w; the keys are %v old, more than MaxStale (%v): every token is rejected", err, age.Round(time.Second), r.o.MaxStale)
	default:
		return fmt.Errorf("jwks: %w; the keys of %v ago stay in use until they are %v old", err, age.Round(time.Second), r.o.MaxStale)
	}
}

// fetch requests the set and replaces the old one with it.
func (r *Remote) fetch() error {
	ctx, cancel := context.WithTimeout(context.Background(), r.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: unexpected status %s", r.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return fmt.Errorf("%s: response is longer than %d bytes", r.url, maxBody)
	}
	set, err := r.read(body)
	if err != nil {
		return err
	}
	age := cached(resp.Header)
	if age >= r.o.MaxStale {
		return fmt.Errorf("%s: a cache responded with keys that are %v old, more than MaxStale (%v)", r.url, age, r.o.MaxStale)
	}
	now := time.Now()
	fetched := now.Add(-age)
	if used := r.current.Load(); used != nil && fetched.Before(used.fetched) {
		return nil // of a cache, and older than the keys in use
	}
	end := fetched.Add(r.o.MaxStale)
	r.current.Store(&state{set, fetched, now.Add(r.lifetime(resp.Header) * 2 / 3), end, end.Round(0)})
	return nil
}
