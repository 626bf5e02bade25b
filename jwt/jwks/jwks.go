// Package jwks fetches the public keys of an issuer from its JWK Set over HTTPS
// (RFC 7517), for programs that verify tokens which another server signs. It is
// apart from package jwt so that a program with a secret of its own does not
// carry an HTTP client.
//
//	keys, err := jwks.New("https://auth.example/.well-known/jwks.json", jwks.Options{})
//	verifier, err := jwt.NewVerifier[Claims](keys, jwt.Rules{Issuer: "https://auth.example"})
//
// The set is fetched when it is first needed, kept in memory, and fetched again
// in the background before it goes stale. A token that names an unknown key
// makes it fetch once more, but not more often than Options.Interval, so that
// forged tokens cannot make it hammer the issuer. One fetch runs at a time; when
// it fails, the old keys stay. Only public keys are taken: a private key or a
// shared secret in a published set is passed over, and so is a key that is weak,
// broken or for another purpose.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	// Lifetime is how long a set is used without asking again, default 15
	// minutes. It is asked for in the background when two thirds have passed. A
	// shorter max-age of the answer's Cache-Control counts instead.
	Lifetime time.Duration

	// Interval is the least time between two fetches, default 30 seconds. It
	// bounds how long a new key of the issuer can stay unknown.
	Interval time.Duration

	// Timeout bounds one fetch, default 5 seconds. A token that needs it waits
	// as long.
	Timeout time.Duration

	// Transport sends the request, default http.DefaultTransport.
	Transport http.RoundTripper

	// OnError is told of a failed fetch and of keys that were passed over, for a
	// log. It is called from the goroutine that fetches.
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
	refresh time.Time // from then on it is fetched in the background
	stale   time.Time // from then on tokens wait for the fetch
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
	if o.Lifetime < 0 || o.Interval < 0 || o.Timeout < 0 {
		return nil, errors.New("jwks: negative duration")
	}
	o.Lifetime = either(o.Lifetime, 15*time.Minute)
	o.Interval = either(o.Interval, 30*time.Second)
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

// KeySet returns the keys of the moment, or nil when none could be fetched yet.
func (r *Remote) KeySet() *jwt.KeySet {
	s := r.current.Load()
	switch now := time.Now(); {
	case s == nil || now.After(s.stale):
		r.await()
		s = r.current.Load()
	case now.After(s.refresh):
		r.start()
	}
	return s.keys()
}

func (s *state) keys() *jwt.KeySet {
	if s == nil {
		return nil
	}
	return s.set
}

// Missing is called by a verifier for a token whose kid is not in the set. It
// fetches again if the last fetch is old enough.
func (r *Remote) Missing(string) *jwt.KeySet {
	r.await()
	return r.current.Load().keys()
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
	if r.current.Load() == nil {
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
	if r.current.Load() == nil {
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
		r.o.OnError(fmt.Errorf("jwks: %w", err))
	}
	r.mu.Lock()
	r.flight = nil
	r.mu.Unlock()
	close(done)
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
	now, life := time.Now(), r.lifetime(resp.Header)
	r.current.Store(&state{set, now.Add(life * 2 / 3), now.Add(life)})
	return nil
}
