package jotgate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/internal/revocation"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
)

// Guard verifies access tokens and protects handlers. It needs keys but no database, so
// that any service that trusts the issuer of the tokens can have one. Create one with
// NewGuard. A Gate is a Guard that also issues tokens. It is safe for concurrent use.
type Guard struct {
	tokens    *jwt.Verifier[accessClaims]
	foreign   *jwt.Verifier[foreignClaims] // for tokens whose claims have other types
	exchanged *jwt.Verifier[accessClaims]  // for the tokens of Logins.Exchange
	header    string                       // canonical name of the header that carries the token
	types     []string                     // accepted schemes before the token
	challenge string                       // for WWW-Authenticate
	idClaim   string
	now       func() time.Time
	lead      atomic.Int64 // by how much that is ahead of the clock that dates tokens; see Gate.dated
	memory    *memory      // nil unless GuardSettings.RememberTokens
	keySet    jwt.Keys     // the source of the keys that memory compares
	// sources verify credentials other than access tokens, cached has those that
	// were verified, and subject returns the user of one; see Logins.Accept.
	sources  []CredentialSource
	cached   *credentialCache
	subject  func(context.Context, *Credential) (*User, error)
	revoked  *revocation.List
	stale    func() bool                 // reports that the revocation list is too old to trust
	follower *revocation.Follower        // nil without a feed to follow
	idle     *time.Timer                 // warns that the feed is not followed; nil without one
	refused  func(*http.Request, *Error) // records a rejected request, if not nil
	onError  func(http.ResponseWriter, *http.Request, *Error)
	log      *slog.Logger
	warned   atomic.Int64 // when warnUncovered last did, Unix seconds
	verified *verifications
}

// GuardSettings holds all options of a Guard. Only Keys is required; the zero value of
// each other option is the safe choice. An option that has the same name as one of
// Settings has the same meaning and the same default.
type GuardSettings struct {
	// Keys verify tokens: a *jwt.Key, a *jwt.KeySet, or a *jwks.Remote, which fetches
	// them from a URL. Required.
	Keys        jwt.Keys
	Issuer      string
	Audience    []string
	Leeway      time.Duration
	HeaderTypes []string
	// Resource is the URL of the API, whose metadata WWW-Authenticate names. Default: none.
	Resource    string
	HeaderName  string
	UserIDClaim string
	// RememberTokens is the number of verified tokens to cache, so that verifying a
	// token again needs neither a signature check nor decoding. Its times, revocation
	// and a change of keys are still checked each time. An entry holds the whole token,
	// at most 8 KiB. Requests with the same token share one User, which must not be
	// modified. Default: 0, none.
	RememberTokens int
	// Credentials lists the sources of other credentials that the Guard accepts, such
	// as an apikey.Remote. With RevocationsURL they are rejected when they are revoked;
	// without it, when their tokens expire. Default: none.
	Credentials []CredentialSource
	// RememberCredentials is the number of verified credentials to cache; about 1 KiB
	// each. Default: 10,000.
	RememberCredentials int
	// OnError sends the response to a request that is rejected. Default: e.Respond,
	// which sends the error as JSON.
	OnError func(w http.ResponseWriter, r *http.Request, e *Error)
	// Metrics counts the tokens that are verified. Default: none.
	Metrics *metrics.Registry
	// RevocationsURL is the URL of a Gate's revocation feed (/auth/revocations), which
	// Run follows. A query in the URL is kept, except the parameters since, wait and
	// nonce. Default: none, a token is valid until exp.
	RevocationsURL string
	// RevocationsRequired rejects every token with 503 if the feed has not been
	// read for RevocationMaxAge. Default: false, the Guard continues with the
	// revocations that it has.
	RevocationsRequired bool
	// RevocationMaxAge is the maximum age of the revocation list with
	// RevocationsRequired. At least 3 seconds. Default: 1 minute.
	RevocationMaxAge time.Duration
	Logger           *slog.Logger
	Now              func() time.Time
}

// bearerTypes are the values of typ that access and refresh tokens have, if any. Logout
// tokens (logout+jwt), proofs (dpop+jwt) and others name themselves there (RFC 8725
// section 3.11).
var bearerTypes = []string{"", "JWT", "at+jwt"}

// NewGuard returns a Guard. An error names the setting that is wrong. NewGuard makes no
// request.
func NewGuard(s GuardSettings) (*Guard, error) {
	g, err := newGuard(s)
	if err == nil {
		s.Metrics.Collect(g.measure)
	}
	return g, err
}

func newGuard(s GuardSettings) (*Guard, error) {
	if s.Keys == nil {
		return nil, errors.New("jotgate: a Guard needs Keys")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	s.Logger = tracing(s.Logger)
	if len(s.HeaderTypes) == 0 {
		s.HeaderTypes = []string{"Bearer", "Token"}
	}
	challenge, err := challengeOf(s.HeaderTypes, s.Resource)
	if err != nil {
		return nil, err
	}
	if s.OnError == nil {
		s.OnError = func(w http.ResponseWriter, _ *http.Request, e *Error) { e.Respond(w, challenge) }
	}
	rules := jwt.Rules{Issuer: s.Issuer, Audience: s.Audience, Leeway: s.Leeway, Now: s.Now, Types: bearerTypes}
	tokens, err := jwt.NewVerifier[accessClaims](s.Keys, rules)
	if err != nil {
		return nil, errors.New("jotgate: " + err.Error())
	}
	foreign, err := jwt.NewVerifier[foreignClaims](s.Keys, rules)
	if err != nil {
		return nil, errors.New("jotgate: " + err.Error())
	}
	rules.Types = []string{exchangeTyp}
	exchanged, err := jwt.NewVerifier[accessClaims](s.Keys, rules)
	if err != nil {
		return nil, errors.New("jotgate: " + err.Error())
	}
	g := &Guard{
		tokens:    tokens,
		foreign:   foreign,
		exchanged: exchanged,
		header:    http.CanonicalHeaderKey(cmp.Or(s.HeaderName, "Authorization")),
		types:     slices.Clone(s.HeaderTypes),
		challenge: challenge,
		idClaim:   cmp.Or(s.UserIDClaim, "user_id"),
		now:       s.Now,
		memory:    newMemory(s.RememberTokens, s.Leeway),
		sources:   slices.Clone(s.Credentials),
		cached:    newCredentialCache(cmp.Or(s.RememberCredentials, 10_000)),
		keySet:    s.Keys,
		revoked:   revocation.NewList(revocation.Settings{Sessions: remoteLifetime, Users: remoteLifetime, Now: s.Now}),
		stale:     func() bool { return false },
		onError:   s.OnError,
		log:       s.Logger,
		verified:  newVerifications(s.Metrics),
	}
	if s.RevocationsURL == "" {
		return g, nil
	}
	var maxAge time.Duration
	if s.RevocationsRequired {
		if s.RevocationMaxAge != 0 && s.RevocationMaxAge < 3*time.Second {
			return nil, errors.New("jotgate: RevocationMaxAge is under 3 seconds")
		}
		maxAge = cmp.Or(s.RevocationMaxAge, defaultMaxAge)
		g.stale = func() bool { return g.RevocationAge() > maxAge }
	}
	g.follower, err = revocation.NewFollower(g.revoked, revocation.FollowSettings{
		URL: s.RevocationsURL, Keys: s.Keys, Leeway: s.Leeway, MaxAge: maxAge, Logger: s.Logger, Now: s.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	g.idle = time.AfterFunc(idleTime, func() {
		g.log.Warn("RevocationsURL is set but Guard.Run was not started: revoked tokens are accepted until they expire")
	})
	return g, nil
}

// idleTime is how long a gate with KeyRotation may issue tokens, and a Guard
// with RevocationsURL may exist, before it warns that Run was not called.
const idleTime = time.Minute

// remoteLifetime is the minimum time for which a Guard keeps a revocation
// from a feed. It keeps them longer if the feed says that the Gate's access
// tokens live longer.
const remoteLifetime = time.Hour

// defaultMaxAge is the default of GuardSettings.RevocationMaxAge.
const defaultMaxAge = time.Minute

// RevocationAge returns the age of the revocation list: the time since this
// process last read it completely, or the maximum Duration before the first
// time. Operators should monitor it.
func (g *Guard) RevocationAge() time.Duration { return g.revoked.Age(g.now()) }

// measure sets the figures of a Guard.
func (g *Guard) measure(_ context.Context, set metrics.Set) {
	set(metrics.Revocations, float64(g.revoked.Len()))
	if age := g.RevocationAge(); age < math.MaxInt64 {
		set(metrics.RevocationAge, max(0, age.Seconds()))
	}
}

// Run follows the revocations at GuardSettings.RevocationsURL until the context ends,
// and returns its error. Without that setting it returns nil immediately. With that
// setting, a Guard whose Run is not called receives no revocations; after a minute it
// logs a warning.
func (g *Guard) Run(ctx context.Context) error {
	if g.follower == nil {
		return nil
	}
	g.idle.Stop()
	return g.follower.Run(ctx)
}

// challengeOf returns the challenge as DRF sends it, with the first header
// type, as SimpleJWT does, and the URL of the metadata of the API (RFC 9728 sections 3.1
// and 5.1).
func challengeOf(types []string, resource string) (string, error) {
	challenge := types[0] + ` realm="api"`
	if resource == "" {
		return challenge, nil
	}
	u, err := url.Parse(resource)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("jotgate: Resource is %q: it must be an absolute URL such as https://api.example.com", resource)
	}
	metadata := url.URL{Scheme: u.Scheme, Host: u.Host}
	return challenge + `, resource_metadata="` + metadata.String() + "/.well-known/oauth-protected-resource" + strings.TrimRight(u.EscapedPath(), "/") + `"`, nil
}
