package jotgate

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// maxFeed limits a page of the feed, in bytes: about 700,000 revocations.
const maxFeed = 64 << 20

// feedClaims are the claims of a page's signature.
type feedClaims struct {
	TokenType string `json:"token_type"`
	Digest    string `json:"digest"`
	Nonce     string `json:"nonce"`
}

// follower reads the feed of a Gate for a Guard in another process.
type follower struct {
	guard  *Guard
	url    *url.URL
	client *http.Client
	pages  *jwt.Verifier[feedClaims]
	wait   time.Duration // how long a request waits for a revocation at most
	cursor string
	lost   bool          // the last round failed: the next request does not wait
	failed int           // consecutive rounds that failed
	waited time.Duration // how long the last request asked to wait
}

// Run follows the revocations at GuardSettings.RevocationsURL until the
// context ends, and returns its error. Without that setting it returns nil
// immediately. A Guard whose Run is not called receives no revocations.
func (g *Guard) Run(ctx context.Context) error {
	if g.follow == nil {
		return nil
	}
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	var trouble trouble
	for ctx.Err() == nil {
		wait, err := g.follow.next(ctx)
		if err == nil {
			trouble.end(ctx, g)
		} else if ctx.Err() == nil {
			trouble.note(ctx, g, err, wait)
		}
		pause(ctx, wait)
		select {
		case <-sweep.C:
			g.revoked.sweep(g.now())
		default:
		}
	}
	return ctx.Err()
}

// repeatAfter is how often the log reports that the feed cannot be read while
// the cause remains the same.
const repeatAfter = 5 * time.Minute

// trouble is a series of consecutive failed rounds.
type trouble struct {
	failures int
	cause    string
	logged   time.Time
}

// note counts a failure, and logs it unless the last line reported the same
// cause less than repeatAfter ago.
func (t *trouble) note(ctx context.Context, g *Guard, err error, wait time.Duration) {
	t.failures++
	if now := g.now(); err.Error() != t.cause || now.Sub(t.logged) >= repeatAfter {
		t.cause, t.logged = err.Error(), now
		g.log.WarnContext(ctx, "revocations could not be read", "cause", err, "failures", t.failures, "again_in", wait)
	}
}

// end logs that the feed can be read again.
func (t *trouble) end(ctx context.Context, g *Guard) {
	if t.failures > 0 {
		g.log.InfoContext(ctx, "revocations are read again", "failures", t.failures)
	}
	*t = trouble{}
}

// newFollower checks the URL and creates the verifier of pages.
func newFollower(g *Guard, s GuardSettings) (*follower, error) {
	address, err := url.Parse(s.RevocationsURL)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("jotgate: RevocationsURL %q must be an absolute URL such as https://auth.example.com/auth/revocations", s.RevocationsURL)
	}
	pages, err := jwt.NewVerifier[feedClaims](s.Keys, jwt.Rules{Now: s.Now, Leeway: s.Leeway})
	if err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	return &follower{guard: g, url: address, pages: pages, wait: patience(s), client: &http.Client{
		Timeout: maxWait + 10*time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the feed must not redirect")
		},
	}}, nil
}

// patience returns how long a request may wait for a revocation. The
// revocation list ages in the meantime, so a strict Guard waits at most half
// of its maximum age; the other half is for the transfer.
func patience(s GuardSettings) time.Duration {
	const most = 20 * time.Second
	if !s.RevocationsRequired {
		return most
	}
	return max(time.Second, min(most, cmp.Or(s.RevocationMaxAge, defaultMaxAge)/2))
}

// next makes a round and returns how long to pause before the next one. There
// is no pause after a request that returned nothing new after the time that
// it asked to wait.
func (f *follower) next(ctx context.Context) (time.Duration, error) {
	began := f.guard.now()
	news, err := f.round(ctx)
	if err == nil && !news && f.waited > 0 && f.guard.now().Sub(began) >= f.waited {
		f.failed = 0
		return 0, nil
	}
	return f.pace(news, err), err
}

// The pauses between requests. However a server responds, it cannot make a
// Guard spin.
const (
	newsPause  = 100 * time.Millisecond // collects a burst of revocations into one page
	quietPause = time.Second
	errorPause = time.Second // after the first failure; doubles
	longPause  = 8 * time.Second
)

// pace returns how long to pause after a round. After failures it is a random
// time between half of the pause and all of it, so that Guards do not all
// return at the same moment.
func (f *follower) pace(news bool, err error) time.Duration {
	switch {
	case err == nil && news:
		f.failed = 0
		return newsPause
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

func (e *feedError) Error() string { return "the feed responded with " + e.status }

// round makes one request, waits for the response, and adds its revocations.
// It reports whether any of them was new.
func (f *follower) round(ctx context.Context) (news bool, err error) {
	began, nonce := f.guard.now(), randomHex()
	if began.UnixMicro() < f.guard.revoked.heard.Load() {
		f.cursor = "" // the clock was set back: what sweep dropped may be needed again
	}
	wait := f.wait
	if f.cursor == "" || f.lost || f.guard.RevocationAge() > 2*wait {
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
	var page feedBody
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
	f.guard.revoked.keepFor(page.Keep, page.KeepUsers)
	news = f.guard.revoked.add(entries...)
	f.guard.revoked.cover(page.Keep, page.KeepUsers)
	f.guard.revoked.heard.Store(began.UnixMicro())
	f.cursor, f.lost = page.Cursor, false
	return news, nil
}

// fetch returns a page after verifying its signature over this body and this
// nonce with the Guard's keys.
func (f *follower) fetch(ctx context.Context, address, nonce string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxFeed+1))
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode != http.StatusOK:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return nil, &feedError{answer.Status, time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	case len(body) > maxFeed:
		return nil, errors.New("the feed is too large")
	}
	signed, err := f.pages.Verify(answer.Header.Get(signatureHeader))
	if err != nil {
		return nil, f.explain(answer.Header.Get(signatureHeader), err)
	}
	if c := signed.Claims; c.TokenType != "revocations" || c.Nonce != nonce || c.Digest != digestOf(body) {
		return nil, errors.New("the feed's signature is for something else")
	}
	return body, nil
}

// explain returns the reason why a page's signature was rejected, as far as
// its header and the Guard's keys show it.
func (f *follower) explain(signature string, err error) error {
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
	case slices.ContainsFunc(f.guard.keySet.KeySet().Keys(), known):
		return fmt.Errorf("the feed's signature: %w", err)
	case strings.HasPrefix(alg, "HS"):
		return fmt.Errorf("the feed is signed with the gate's secret (%q), which this guard does not have: let the gate sign with a private key, by --key-rotation or jotgate key rotate --now: %w", alg, err)
	default:
		return fmt.Errorf("the feed is signed with the key %q, which is not among this guard's keys: %w", kid, err)
	}
}
