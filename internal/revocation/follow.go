package revocation

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// maxPage limits a page of the feed, in bytes: about 700,000 revocations.
const maxPage = 64 << 20

// Follower reads the feed of a gate into a List.
type Follower struct {
	list   *List
	now    func() time.Time
	log    *slog.Logger
	keys   jwt.Keys
	url    *url.URL
	client *http.Client
	pages  *jwt.Verifier[signature]
	wait   time.Duration // how long a request waits for a revocation at most
	cursor string
	lost   bool          // the last round failed: the next request does not wait
	failed int           // consecutive rounds that failed
	waited time.Duration // how long the last request asked to wait
}

// FollowSettings holds the options of a Follower. All are required but Leeway
// and MaxAge.
type FollowSettings struct {
	URL    string   // of the feed
	Keys   jwt.Keys // verify its pages
	Leeway time.Duration
	// MaxAge, if not 0, is the maximum age of the list: a request then waits for a
	// revocation for at most half of it. The list ages in the meantime, and the
	// other half is for the transfer.
	MaxAge time.Duration
	Logger *slog.Logger
	Now    func() time.Time
}

// NewFollower returns a Follower, or an error that names the URL.
func NewFollower(l *List, s FollowSettings) (*Follower, error) {
	address, err := url.Parse(s.URL)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("RevocationsURL %q must be an absolute URL such as https://auth.example.com/auth/revocations", s.URL)
	}
	pages, err := jwt.NewVerifier[signature](s.Keys, jwt.Rules{Now: s.Now, Leeway: s.Leeway})
	if err != nil {
		return nil, err
	}
	wait := longestWait
	if s.MaxAge > 0 {
		wait = max(time.Second, min(wait, s.MaxAge/2))
	}
	return &Follower{list: l, now: s.Now, log: s.Logger, keys: s.Keys, url: address, pages: pages, wait: wait, client: &http.Client{
		Timeout: maxWait + 10*time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the feed must not redirect")
		},
	}}, nil
}

const (
	longestWait = 20 * time.Second // of a request, for a revocation
	sweepEvery  = 30 * time.Second
)

// SetTransport replaces the transport of the HTTP client. Call it before Run.
func (f *Follower) SetTransport(t http.RoundTripper) { f.client.Transport = t }

// Run follows the feed until the context ends, and returns its error.
func (f *Follower) Run(ctx context.Context) error {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	outage := outage{now: f.now, log: f.log}
	for ctx.Err() == nil {
		wait, err := f.next(ctx)
		if err == nil {
			outage.end(ctx)
		} else if ctx.Err() == nil {
			outage.note(ctx, err, wait)
		}
		pause(ctx, wait)
		select {
		case <-sweep.C:
			f.list.Sweep(f.now())
		default:
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// repeatAfter is how often the log reports that the feed cannot be read while
// the cause remains the same.
const repeatAfter = 5 * time.Minute

// outage is a series of consecutive failed rounds.
type outage struct {
	now      func() time.Time
	log      *slog.Logger
	failures int
	cause    string
	logged   time.Time
}

// note counts a failure, and logs it unless the last line reported the same
// cause less than repeatAfter ago.
func (o *outage) note(ctx context.Context, err error, wait time.Duration) {
	o.failures++
	if now := o.now(); err.Error() != o.cause || now.Sub(o.logged) >= repeatAfter {
		o.cause, o.logged = err.Error(), now
		o.log.WarnContext(ctx, "revocations could not be read", "cause", err, "failures", o.failures, "again_in", wait)
	}
}

// end logs that the feed can be read again.
func (o *outage) end(ctx context.Context) {
	if o.failures > 0 {
		o.log.InfoContext(ctx, "revocations are read again", "failures", o.failures)
	}
	*o = outage{now: o.now, log: o.log}
}

// next makes a round and returns how long to pause before the next one. There
// is no pause after a request that returned nothing new after the time that
// it asked to wait.
func (f *Follower) next(ctx context.Context) (time.Duration, error) {
	began := f.now()
	added, err := f.round(ctx)
	if err == nil && !added && f.waited > 0 && f.now().Sub(began) >= f.waited {
		f.failed = 0
		return 0, nil
	}
	return f.pauseAfter(added, err), err
}

// The pauses between requests. However a server responds, it cannot make a
// Guard spin.
const (
	burstPause = 100 * time.Millisecond // collects a burst of revocations into one page
	quietPause = time.Second
	errorPause = time.Second // after the first failure; doubles
	longPause  = 8 * time.Second
)

// pauseAfter returns how long to pause after a round. After failures it is a
// random time between half of the pause and all of it, so that Guards do not all
// return at the same moment.
func (f *Follower) pauseAfter(added bool, err error) time.Duration {
	switch {
	case err == nil && added:
		f.failed = 0
		return burstPause
	case err == nil:
		f.failed = 0
		return quietPause
	}
	wait := min(longPause, errorPause<<min(f.failed, 10))
	f.failed++
	wait = wait/2 + jitter(wait/2)
	var throttled *feedError
	if errors.As(err, &throttled) {
		wait = max(wait, min(throttled.retryAfter, longPause))
	}
	return wait
}

// jitter returns a random part of the duration.
func jitter(d time.Duration) time.Duration {
	var b [2]byte
	_, _ = rand.Read(b[:])
	return d * time.Duration(binary.BigEndian.Uint16(b[:])) >> 16
}

// feedError is a response other than a page.
type feedError struct {
	status     string
	retryAfter time.Duration
}

func (e *feedError) Error() string {
	if strings.HasPrefix(e.status, "404") {
		return "the feed responded with " + e.status + ": the gate has no ServeRevocations (--serve-revocations), or RevocationsURL is wrong"
	}
	return "the feed responded with " + e.status
}

// round makes one request, waits for the response, and adds its revocations.
// It reports whether any of them was new.
func (f *Follower) round(ctx context.Context) (added bool, err error) {
	began, nonce := f.now(), rand.Text()
	if f.list.Age(began) < 0 {
		f.cursor = "" // the clock was set back: what Sweep dropped may be needed again
	}
	wait := f.wait
	if f.cursor == "" || f.lost || f.list.Age(f.now()) > 2*wait {
		wait = 0 // the list is old, as after the clock was set forward: do not wait
	}
	f.lost, f.waited = true, wait
	address, query := *f.url, f.url.Query() // the URL may have a query for a gateway
	for name, value := range map[string]string{"since": f.cursor, "wait": strconv.Itoa(int(wait / time.Second)), "nonce": nonce} {
		query.Set(name, value)
	}
	address.RawQuery = query.Encode()
	body, err := f.fetch(ctx, address.String(), nonce)
	if err != nil {
		return false, err
	}
	var page Page
	if err := json.Unmarshal(body, &page); err != nil {
		return false, fmt.Errorf("the feed is not JSON: %w", err)
	}
	entries := make([]record.Revocation, len(page.Revoked))
	for i, e := range page.Revoked {
		at := time.Unix(e.At, 0)
		entries[i] = record.Revocation{Session: e.Session, User: e.User, Made: at, Sessionless: e.Sessionless}
		if e.User != "" {
			entries[i].NotBefore = at
		}
	}
	f.list.extend(page.Keep, page.KeepUsers)
	added = f.list.Add(entries...)
	f.list.Reach(page.Keep, page.KeepUsers)
	f.list.SetComplete(began)
	f.cursor, f.lost = page.Cursor, false
	return added, nil
}

// fetch returns a page after verifying its signature over this body and this
// nonce with the Guard's keys.
func (f *Follower) fetch(ctx context.Context, address, nonce string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return nil, &feedError{response.Status, time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	case len(body) > maxPage:
		return nil, errors.New("the feed is too large")
	}
	signed, err := f.pages.Verify(response.Header.Get(SignatureHeader))
	if err != nil {
		return nil, f.explain(response.Header.Get(SignatureHeader), err)
	}
	if c := signed.Claims; c.TokenType != "revocations" || c.Nonce != nonce || c.Digest != digestOf(body) {
		return nil, errors.New("the feed's signature is for something else")
	}
	return body, nil
}

// explain returns the reason why a page's signature was rejected, as far as
// its header and the Guard's keys show it.
func (f *Follower) explain(signature string, err error) error {
	if errors.Is(err, jwt.ErrNoKeys) {
		return fmt.Errorf("there are no keys: the issuer has published none, or its key set could not be fetched: %w", err)
	}
	header, _, unread := jwt.DecodeUnverified(signature)
	if unread != nil {
		return fmt.Errorf("the response has no signature of a gate (is RevocationsURL right?): %w", err)
	}
	text := func(name string) string {
		value, _ := header.Member(name)
		s, _ := value.Text()
		return s
	}
	alg, kid := text("alg"), text("kid")
	known := func(key *jwt.Key) bool {
		return string(key.Algorithm()) == alg && (kid == "" || key.ID() == "" || key.ID() == kid)
	}
	switch {
	case slices.ContainsFunc(f.keys.KeySet().Keys(), known):
		return fmt.Errorf("the feed's signature: %w", err)
	case strings.HasPrefix(alg, "HS"):
		return fmt.Errorf("the feed is signed with the gate's secret (%q), which this guard does not have: let the gate sign with a private key, by --key-rotation or jotgate key rotate --now: %w", alg, err)
	default:
		return fmt.Errorf("the feed is signed with the key %q, which is not among this guard's keys: %w", kid, err)
	}
}
