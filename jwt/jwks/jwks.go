// Package jwks fetches the public keys of an issuer from its JWK Set over HTTPS
// (RFC 7517), for programs that verify tokens which another server signs. It is
// apart from package jwt so that a program with a secret of its own does not
// carry an HTTP client.
//
//	keys, err := jwks.New("https://auth.example/.well-known/jwks.json", jwks.Options{})
//	verifier, err := jwt.NewVerifier[Claims](keys, jwt.Rules{Issuer: "https://auth.example"})
//
// The set is fetched when it is first needed, kept in memory, and fetched again
// in the background. A token whose key is in the set never waits for a fetch, no
// matter how slow the issuer is. A token that names an unknown key causes one more
// fetch and waits for it, but not more often than Options.Interval, so that forged
// tokens cannot flood the issuer. One fetch runs at a time. If fetches fail, the
// keys stay in use until they are Options.MaxStale old; then there are no keys and
// every token is rejected (jwt.ErrNoKeys) until a fetch succeeds. Only public keys
// are used: a private key or a shared secret in a published set is ignored, and so
// is a key that is weak, broken or for another purpose.
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

// maxBody bounds a JWK Set: a thousand keys are less.
const maxBody = 512 << 10

// retry is how soon a failed first fetch is tried again.
const retry = time.Second

// Options change how the set is fetched. The zero value is right for most.
type Options struct {
	// Algorithms are those to accept. A key that names its algorithm must name
	// one of them; an RSA key that names none is taken for each that fits. When
	// nil, keys are taken for what they name, and RSA keys that name nothing for
	// RS256.
	Algorithms []jwt.Algorithm

	// Lifetime is how long a set is fresh, default 15 minutes. It is fetched again
	// in the background when two thirds have passed. A shorter max-age of the
	// response's Cache-Control counts instead.
	Lifetime time.Duration

	// MaxStale is the greatest age, since the last successful fetch, at which keys
	// are still used; it bounds how long a key that the issuer has withdrawn stays
	// valid if the issuer cannot be reached. At least Lifetime and Interval.
	// Default 24 hours, or the greater of the two if that is more.
	MaxStale time.Duration

	// Interval is the least time between two fetches, default 30 seconds. It
	// bounds how long a new key of the issuer can stay unknown.
	Interval time.Duration

	// Timeout bounds one fetch, default 5 seconds. Only a token that needs the
	// fetch waits for it: the first one, and one with an unknown key.
	Timeout time.Duration

	// Transport sends the request, default http.DefaultTransport.
	Transport http.RoundTripper

	// OnError receives failed fetches and keys that were ignored, for a log. It is called from the goroutine that fetches.
	OnError func(error)

	// InsecureHTTP allows a URL without TLS, for a network that is trusted:
	// whoever can change the answer can sign tokens.
	InsecureHTTP bool
}

// Remote is a JWK Set at a URL. It is a [jwt.Keys] and may be used by any number
// of goroutines.
type Remote struct {
	url     string
	o       Options
	client  *http.Client
	current atomic.Pointer[state]

	mu     sync.Mutex
	flight chan struct{} // closed when the running fetch ends; nil when none runs
	last   time.Time     // when the last fetch began
}

// A state is a set and how long it is good.
type state struct {
	set     *jwt.KeySet
	fetched time.Time
	refresh time.Time // from then on it is fetched in the background
	end     time.Time // from then on it is not used
}

// New makes a Remote. It does not fetch; [Remote.Fetch] does, for a program that
// wants to know at its start.
func New(address string, o Options) (*Remote, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && o.InsecureHTTP) {
		return nil, fmt.Errorf("jwks: %q is not an https URL (in a network that is trusted: Options.InsecureHTTP)", address)
	}
	if o.Lifetime < 0 || o.Interval < 0 || o.Timeout < 0 || o.MaxStale < 0 {
		return nil, errors.New("jwks: negative duration")
	}
	o.Lifetime = either(o.Lifetime, 15*time.Minute)
	o.Interval = either(o.Interval, 30*time.Second)
	least := max(o.Lifetime, o.Interval)
	if o.MaxStale = either(o.MaxStale, max(24*time.Hour, least)); o.MaxStale < least {
		return nil, fmt.Errorf("jwks: MaxStale is %v, less than Lifetime or Interval (%v)", o.MaxStale, least)
	}
	o.Timeout = either(o.Timeout, 5*time.Second)
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Remote{url: address, o: o, client: &http.Client{Transport: o.Transport, CheckRedirect: sameHost}}, nil
}

func either(d, or time.Duration) time.Duration {
	if d == 0 {
		return or
	}
	return d
}

// sameHost allows a few redirects that stay with the host and its scheme: another
// host has not been trusted with the keys.
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
func (s *state) usable(now time.Time) bool { return s != nil && now.Before(s.end) }

// keys returns the keys that may be used now, or nil.
func (r *Remote) keys() *jwt.KeySet {
	if s := r.current.Load(); s.usable(time.Now()) {
		return s.set
	}
	return nil
}

// Age returns how long ago the keys were last fetched, or math.MaxInt64 if they
// never were. Watch it: at Options.MaxStale every token is rejected.
func (r *Remote) Age() time.Duration {
	if s := r.current.Load(); s != nil {
		return time.Since(s.fetched)
	}
	return math.MaxInt64
}

// Missing is called by a verifier for a token whose kid is not in the set. It
// fetches again if the last fetch is old enough.
func (r *Remote) Missing(string) *jwt.KeySet {
	r.await()
	return r.keys()
}

// Fetch fetches now, unless a fetch is running already, and waits for its end.
// It fails when there are no keys afterwards.
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

// start returns the running fetch, after beginning one if none runs and the
// last is old enough; nil if it is not.
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

// fetch gets the set and puts it in place of the old one.
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
		return fmt.Errorf("%s answers %s", r.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return fmt.Errorf("%s answers more than %d bytes", r.url, maxBody)
	}
	set, err := r.read(body)
	if err != nil {
		return err
	}
	now := time.Now()
	r.current.Store(&state{set, now, now.Add(r.lifetime(resp.Header) * 2 / 3), now.Add(r.o.MaxStale)})
	return nil
}
