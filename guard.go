package jotgate

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Guard verifies access tokens and protects handlers. It needs keys but no
// database, so any service that trusts the issuer of the tokens can have one.
// A Gate is a Guard that also issues tokens. It is safe for concurrent use.
type Guard struct {
	tokens    *jwt.Verifier[accessClaims]
	foreign   *jwt.Verifier[foreignClaims] // for tokens whose claims have other types
	header    string                       // canonical name of the header that carries the token
	types     []string                     // accepted schemes before the token
	challenge string                       // for WWW-Authenticate
	idClaim   string
	now       func() time.Time
	memory    *memory  // nil unless GuardSettings.RememberTokens
	keySet    jwt.Keys // the source of the keys that memory compares
	revoked   *revocations
	stale     func() bool                 // reports that the revocation list is too old to trust
	follow    *follower                   // nil without a feed to follow
	refused   func(*http.Request, *Error) // records a rejected request, if not nil
	onError   func(http.ResponseWriter, *http.Request, *Error)
	log       *slog.Logger
	warned    atomic.Int64 // when warnUncovered last did, Unix seconds
}

// GuardSettings holds all options of a Guard. Only Keys is required. An
// option with the same name as one of Settings has the same meaning.
type GuardSettings struct {
	// Keys verify tokens: a *jwt.Key, a *jwt.KeySet, or a set fetched from a JWKS
	// URL.
	Keys        jwt.Keys
	Issuer      string
	Audience    []string
	Leeway      time.Duration
	HeaderTypes []string
	HeaderName  string
	UserIDClaim string
	// RememberTokens is how many verified tokens to cache, so that a token that
	// is presented again costs neither a signature check nor decoding. Its times,
	// revocation and a change of keys are still checked each time. An entry holds
	// the whole token, at most 8 KiB. Requests with the same token share one
	// User, which must not be modified. Default: 0, none.
	RememberTokens int
	// OnError responds instead of the default, which sends the error as JSON with
	// e.Respond.
	OnError func(w http.ResponseWriter, r *http.Request, e *Error)
	// RevocationsURL is the URL of a Gate's revocation feed (/auth/revocations).
	// Run follows it. A query in it is kept, except the names since, wait and
	// nonce. Default: none, tokens are valid until exp.
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

// NewGuard returns a Guard, or an error that names the setting at fault.
func NewGuard(s GuardSettings) (*Guard, error) {
	if s.Keys == nil {
		return nil, errors.New("jotgate: a Guard needs Keys")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if len(s.HeaderTypes) == 0 {
		s.HeaderTypes = []string{"Bearer", "Token"}
	}
	if s.OnError == nil {
		challenge := challengeOf(s.HeaderTypes)
		s.OnError = func(w http.ResponseWriter, _ *http.Request, e *Error) { e.Respond(w, challenge) }
	}
	rules := jwt.Rules{Issuer: s.Issuer, Audience: s.Audience, Leeway: s.Leeway, Now: s.Now}
	tokens, err := jwt.NewVerifier[accessClaims](s.Keys, rules)
	if err != nil {
		return nil, errors.New("jotgate: " + err.Error())
	}
	foreign, err := jwt.NewVerifier[foreignClaims](s.Keys, rules)
	if err != nil {
		return nil, errors.New("jotgate: " + err.Error())
	}
	g := &Guard{
		tokens:    tokens,
		foreign:   foreign,
		header:    http.CanonicalHeaderKey(or(s.HeaderName, "Authorization")),
		types:     slices.Clone(s.HeaderTypes),
		challenge: challengeOf(s.HeaderTypes),
		idClaim:   or(s.UserIDClaim, "user_id"),
		now:       s.Now,
		memory:    newMemory(s.RememberTokens, s.Leeway),
		keySet:    s.Keys,
		revoked:   newRevocations(remoteLifetime, remoteLifetime),
		stale:     func() bool { return false },
		onError:   s.OnError,
		log:       s.Logger,
	}
	g.revoked.clock = s.Now
	if s.RevocationsURL == "" {
		return g, nil
	}
	if s.RevocationsRequired {
		if s.RevocationMaxAge != 0 && s.RevocationMaxAge < 3*time.Second {
			return nil, errors.New("jotgate: RevocationMaxAge is under 3 seconds")
		}
		maxAge := or(s.RevocationMaxAge, defaultMaxAge)
		g.stale = func() bool { return g.RevocationAge() > maxAge }
	}
	g.follow, err = newFollower(g, s)
	return g, err
}

// remoteLifetime is the minimum time for which a Guard keeps a revocation
// from a feed. It keeps them longer if the feed says that the Gate's access
// tokens live longer.
const remoteLifetime = time.Hour

// defaultMaxAge is the default of GuardSettings.RevocationMaxAge.
const defaultMaxAge = time.Minute

// RevocationAge returns the age of the revocation list: the time since this
// process last read it completely, or the maximum Duration before the first
// time. Operators should monitor it.
func (g *Guard) RevocationAge() time.Duration { return g.revoked.age(g.now()) }

// challengeOf returns the challenge as DRF sends it, with the first header
// type, as SimpleJWT does.
func challengeOf(types []string) string { return types[0] + ` realm="api"` }

// VerifyAccess verifies an access token and returns its user. It makes no
// query. Errors: ErrTokenInvalid and ErrTokenExpired with SimpleJWT's list of
// messages, ErrNoUserClaim, ErrUserNotFound if the user claim is neither a
// string nor an integer, ErrUnavailable if there are no keys or if
// RevocationsRequired is set and the revocation list is too old.
func (g *Guard) VerifyAccess(token string) (*User, error) { return g.verifyAccess(token, nil) }

// verifyAccess is VerifyAccess that stores the user in room, if that is not
// nil. It does not use room if users are shared
// (GuardSettings.RememberTokens), since the cached pointer would keep the
// whole request in memory.
func (g *Guard) verifyAccess(token string, room *User) (*User, error) {
	user, err := g.userOf(token, room)
	if err != nil {
		return nil, err
	}
	if g.stale() {
		return nil, ErrUnavailable.Because(errors.New("the revocation list is stale"))
	}
	if err := g.checkRevoked(user.Session, user.ID, &user.stamp); err != nil {
		return nil, accessError(ErrTokenInvalid.Because(err))
	}
	return user, nil
}

var (
	errRevoked   = errors.New("the session or the user was revoked")
	errUncovered = errors.New("the token was issued before the time that the revocation list reaches back to")
	errNoIssued  = fmt.Errorf("%w: iat is missing, so the token may be older than a revocation of its user's tokens", jwt.ErrMissing)
)

// checkRevoked returns an error if a token of this session and user is
// revoked, or if that is not known.
func (g *Guard) checkRevoked(sid string, user record.UserID, s *stamp) error {
	var err error
	switch revoked := g.revoked.revoked(sid, user, s.issued); {
	case revoked && s.issued == 0 && !g.revoked.revoked(sid, user, maxTime):
		return errNoIssued // with an iat, the token could be a later one
	case revoked:
		return errRevoked
	case g.revoked.covers(sid, s, g.now):
		return nil
	case s.issued == 0:
		err = errNoIssued
	default:
		err = errUncovered
	}
	g.warnUncovered(sid, user, s, err)
	return err
}

// warnUncovered logs, at most once a minute, that a token was rejected
// because it lives longer than revocations are kept, or may do so: cause says
// which.
func (g *Guard) warnUncovered(sid string, user record.UserID, s *stamp, cause error) {
	now, before := g.now().Unix(), g.warned.Load()
	if now-before < 60 && before <= now || !g.warned.CompareAndSwap(before, now) {
		return
	}
	about := []any{"user_id", user, "sid", sid, "expires", time.Unix(s.expires, 0).UTC()}
	if s.issued != 0 {
		about = append(about, "issued", time.Unix(s.issued, 0).UTC())
	}
	g.log.Warn("an access token was rejected: "+cause.Error()+"; set ForeignTokenLifetime"+
		" to the longest life of an access token that another issuer makes", about...)
}

// userOf verifies the token but does not check revocation.
func (g *Guard) userOf(token string, room *User) (*User, error) {
	var keys *jwt.KeySet
	if g.memory != nil {
		keys = g.keySet.KeySet() // before verifying: the set may change in the meantime
		if user := g.memory.recall(token, keys, g.now()); user != nil {
			return user, nil
		}
	}
	user, err := g.newUser(token, room)
	if err != nil {
		return nil, err
	}
	g.memory.add(token, user, keys)
	return user, nil
}

// newUser verifies a token and returns its user.
func (g *Guard) newUser(token string, room *User) (*User, error) {
	t, err := g.tokens.Verify(token)
	if err == nil { // like read, but without a copy of the claims
		return g.fill(room, &t.Claims, stampOf(&t))
	}
	foreign, err := g.readForeign(token, err)
	if err != nil {
		return nil, accessError(tokenError(err))
	}
	return g.fill(room, &foreign.accessClaims, foreign.stamp)
}

// fill returns the user of an access token, in room if it can be used.
func (g *Guard) fill(room *User, c *accessClaims, s stamp) (*User, error) {
	if err := ofType(c, "access"); err != nil {
		return nil, accessError(err)
	}
	id, err := g.userID(c, s.payload)
	if err != nil {
		return nil, err
	}
	if room == nil || g.memory != nil {
		room = new(User)
	}
	room.ID, room.Username, room.Email, room.Role = id, c.Username, c.Email, c.Role
	room.Groups, room.Permissions, room.Session, room.stamp = c.Groups, c.Permissions, c.SID, s
	room.AuthTime, room.AMR, room.ACR = c.AuthTime, c.AMR, c.ACR
	return room, nil
}

// verify checks a token of this type in SimpleJWT's order: signature and
// times, jti, token type. Its errors are of type *Error, in the form that
// token endpoints send.
func (g *Guard) verify(token, tokenType string) (*verifiedToken, error) {
	t, err := g.read(token)
	if err != nil {
		return nil, tokenError(err)
	}
	if err := ofType(&t.accessClaims, tokenType); err != nil {
		return nil, err
	}
	return &t, nil
}

// ofType makes the checks of verify that follow the signature and times. If
// tokenType is empty, any type is accepted.
func ofType(c *accessClaims, tokenType string) *Error {
	switch {
	case c.JTI == "":
		return tokenText("Token has no id")
	case c.TokenType == "":
		return tokenText("Token has no type")
	case tokenType != "" && textOf(c.TokenType) != tokenType:
		return tokenText("Token has wrong type")
	}
	return nil
}

// tokenText returns the error for a rejected token with one of SimpleJWT's
// texts.
func tokenText(text string) *Error {
	return &Error{Status: ErrTokenInvalid.Status, Code: ErrTokenInvalid.Code, Detail: text}
}

// tokenError converts an error of package jwt to one with the text of
// SimpleJWT 5.5.
func tokenError(err error) *Error {
	var refused *jwt.Error
	switch {
	case errors.Is(err, jwt.ErrNoKeys):
		return ErrUnavailable.Because(err)
	case errors.Is(err, jwt.ErrExpired):
		return ErrTokenExpired.Because(err)
	case errors.As(err, &refused) && refused.Reason == jwt.ErrMissing && refused.Claim == "exp":
		return tokenText("Token has no 'exp' claim").Because(err)
	default:
		return ErrTokenInvalid.Because(err)
	}
}

// accessError converts the error to the form that SimpleJWT sends for the
// token of a request: one message for each class of token that was tried.
func accessError(err error) *Error {
	e := AsError(err)
	if e.Status == ErrUnavailable.Status { // nothing is wrong with the token
		return e
	}
	return &Error{
		Status: e.Status, Code: e.Code, Detail: "Given token not valid for any token type",
		Messages: []TokenMessage{{"AccessToken", "access", e.Detail}}, cause: err,
	}
}

// or returns value, or fallback if value is the zero value.
func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
