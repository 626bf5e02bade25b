package jotgate

// The verification of tokens. Each function of the chain adds one step to the
// one below it:
//
//	VerifyAccess       the revocation list is fresh, and does not list the token
//	verifyOrRecall     a token that was verified before is found in the cache
//	verifyUser         the token is an access token, names its user, and is not bound to a key
//	verifySignature    signature, times, issuer, audience and typ (package jwt)
//
// verifyToken is the chain for the refresh tokens and the endpoints that take
// any type: verifySignature and the type.

import (
	"errors"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// VerifyAccess verifies an access token and returns its user. It makes no query.
// Errors: ErrTokenInvalid and ErrTokenExpired, with SimpleJWT's list of messages;
// ErrNoUserClaim; ErrUserNotFound if the user claim is neither a string nor an integer;
// ErrUnavailable if there are no keys, or if RevocationsRequired is set and the
// revocation list is too old.
func (g *Guard) VerifyAccess(token string) (*User, error) { return g.verifyAccess(token, nil) }

// verifyAccess is verifyCurrent, and counts the result.
func (g *Guard) verifyAccess(token string, dst *User) (*User, error) {
	user, err := g.verifyCurrent(token, dst)
	if g.verified != nil {
		g.verified.count(err)
	}
	return user, err
}

// verifyCurrent is VerifyAccess; it returns dst if it can store the user there.
// dst may be nil, and is not used if users are shared
// (GuardSettings.RememberTokens): the cached pointer would keep the whole
// request in memory.
func (g *Guard) verifyCurrent(token string, dst *User) (*User, error) {
	user, err := g.verifyOrRecall(token, dst)
	if err != nil {
		return nil, err
	}
	if g.stale() {
		return nil, ErrUnavailable.Because(errStaleRevocations)
	}
	if err := g.checkUserRevoked(user); err != nil {
		return nil, accessError(ErrTokenInvalid.Because(err))
	}
	return user, nil
}

// checkUserRevoked is checkRevoked for the token of a user.
func (g *Guard) checkUserRevoked(u *User) error {
	return g.checkRevoked(u.Session, u.ID, u.details().jti, &u.stamp)
}

// checkRevoked returns an error if a token of this session and user, or with this
// jti unless it is empty, is revoked, or if that is not known.
func (g *Guard) checkRevoked(sid string, user record.UserID, jti string, s *stamp) error {
	var err error
	switch revoked := g.revoked.Revoked(sid, user, s.issued); {
	case jti != "" && g.revoked.Revoked(jti, "", s.issued):
		return errRevoked
	case revoked && s.issued == 0 && !g.revoked.Revoked(sid, user, maxTime):
		return errNoIssued // with an iat, the token could be a later one
	case revoked:
		return errRevoked
	case g.revoked.Covers(sid, s.issued, s.expires):
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

// verifyOrRecall is verifyUser with a cache (GuardSettings.RememberTokens).
func (g *Guard) verifyOrRecall(token string, dst *User) (*User, error) {
	var keys *jwt.KeySet
	if g.memory != nil {
		keys = g.keySet.KeySet() // before verifying: the set may change in the meantime
		if user := g.memory.recall(token, keys, g.now()); user != nil {
			g.verified.recalled()
			return user, nil
		}
	}
	user, err := g.verifyUser(token, dst)
	if err != nil {
		return nil, err
	}
	g.memory.add(token, user, keys)
	return user, nil
}

// verifyUser verifies an access token and returns its user.
func (g *Guard) verifyUser(token string, dst *User) (*User, error) {
	t, err := g.tokens.Verify(token)
	if err == nil { // as verifySignature, but without a copy of the claims
		return g.userFromClaims(dst, &t.Claims, stampOf(&t), "access")
	}
	foreign, err := g.verifyForeign(token, err)
	if err != nil {
		return nil, accessError(tokenError(err))
	}
	return g.userFromClaims(dst, &foreign.accessClaims, foreign.stamp, "access")
}

// userFromClaims returns the user of a token of this type, in dst if it can be used.
func (g *Guard) userFromClaims(dst *User, c *accessClaims, s stamp, tokenType string) (*User, error) {
	if err := ofType(c, tokenType); err != nil {
		return nil, accessError(err)
	}
	id, err := g.userID(c, s.payload)
	if err != nil {
		return nil, err
	}
	if dst == nil || g.memory != nil {
		dst = new(User)
	}
	dst.ID, dst.Username, dst.Email, dst.Role = id, c.Username, c.Email, c.Role
	dst.Groups, dst.Permissions, dst.Session, dst.stamp = c.Groups, c.Permissions, c.SID, s
	if dst.rest, err = detailsOf(c); err != nil {
		return nil, accessError(tokenError(err))
	}
	return dst, nil
}

// verifyToken checks a token of this type in SimpleJWT's order: signature and
// times, jti, token type. Its errors are of type *Error, in the form that
// token endpoints send.
func (g *Guard) verifyToken(token, tokenType string) (*verifiedToken, error) {
	t, err := g.verifySignature(token)
	if err != nil {
		return nil, tokenError(err)
	}
	if err := ofType(&t.accessClaims, tokenType); err != nil {
		return nil, err
	}
	return &t, nil
}

// verifySignature verifies the signature, times, issuer, audience and typ. The errors
// are those of package jwt.
func (g *Guard) verifySignature(token string) (verifiedToken, error) {
	t, err := g.tokens.Verify(token)
	if err != nil {
		return g.verifyForeign(token, err)
	}
	return verifiedToken{t.Claims, stampOf(&t)}, nil
}

// verifyForeign verifies a token that was rejected, if the only reason was a claim
// that another issuer writes with another type.
func (g *Guard) verifyForeign(token string, refused error) (verifiedToken, error) {
	if !ofAnotherType(refused) {
		return verifiedToken{}, refused
	}
	t, err := g.foreign.Verify(token)
	if err != nil {
		return verifiedToken{}, err
	}
	return verifiedToken{t.Claims.lenient(t.Payload()), stampOf(&t)}, nil
}

// ofType makes the checks of verifyToken that follow the signature and times. If
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

// userID reads the claim that identifies the user: a string, as SimpleJWT has
// written it since 5.5, or an integer, as it did before. A claim of any other
// type identifies no user.
func (g *Guard) userID(c *accessClaims, payload jwt.Raw) (record.UserID, error) {
	raw := c.UserID
	if g.idClaim != "user_id" {
		raw, _ = payload.Member(g.idClaim)
	}
	if raw == "" {
		return "", ErrNoUserClaim
	}
	if text, isString := raw.Text(); isString && text != "" {
		return record.UserID(text), nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return "", ErrUserNotFound
	}
	return record.UserID(strconv.FormatInt(n, 10)), nil
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
