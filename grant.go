package jotgate

// Access tokens of clients, which prove who they are with a credential that is not
// itself accepted by handlers, such as the secret of package oauth.

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
)

// resolvedFor is for how long Resolve uses what was read, in seconds: 5, or less if
// access tokens live for less than 5 minutes. The lifetime of a token begins when the
// user was read.
func (g *Gate) resolvedFor() int64 { return min(5, int64(g.settings.AccessTokenLifetime/time.Minute)) }

// Resolve returns the credential that source loads for value, and its owner as a User.
// It is for credentials that handlers do not accept (see Accept), so it calls neither
// Accepts nor Admit. A credential that was loaded less than 5 seconds ago is not loaded
// again, unless it was revoked since. Errors: those of Load, ErrUserNotFound,
// ErrUserInactive, ErrTokenInvalid if the session of the credential is revoked,
// ErrUnavailable.
func (ls Logins) Resolve(ctx context.Context, source CredentialSource, value string) (*User, *Credential, error) {
	g, now, key := ls.gate, ls.gate.now(), sha256.Sum256([]byte(value))
	c := g.cached.get(key)
	if c == nil || now.Unix()-c.loaded >= g.resolvedFor() || !g.isCurrent(c, now) || g.revoked.Revoked(c.Session, "", now.Unix()) {
		var err error
		if c, err = g.loadCredential(ctx, presented{value, source}, now); err != nil {
			g.cached.drop(key)
			return nil, nil, err
		}
		g.cached.add(key, c)
	}
	if g.stale() {
		return nil, nil, ErrUnavailable.Because(errStaleRevocations)
	}
	if g.revoked.Revoked(c.Session, "", now.Unix()) {
		return nil, nil, ErrTokenInvalid.Because(errRevoked)
	}
	return c.user, &c.Credential, nil
}

// Grant describes an access token to issue; see Logins.Issue.
type Grant struct {
	Client string   // the claim client_id, and sub unless that identifies the user
	Scopes []string // the claim scope
	// Audience is the claim aud: one of Settings.Audience. Default: all of them.
	Audience string
}

// Issue issues an access token (RFC 9068) to a client, for a user that Resolve has
// returned. The token has the session of the user's credential, so that it is rejected
// when the credential is revoked. Errors: ErrForbidden for another user or an audience
// that is not in Settings.Audience; ErrUnavailable.
func (ls Logins) Issue(ctx context.Context, user *User, grant Grant) (token string, expires time.Time, err error) {
	g := ls.gate
	if user.details().owner == "" || grant.Client == "" || grant.Audience != "" && !slices.Contains(g.settings.Audience, grant.Audience) {
		return "", time.Time{}, ErrForbidden.Because(errors.New("the user is not of Resolve, or the audience not one of Settings.Audience"))
	}
	expires = time.Unix(user.issued, 0).Add(g.settings.AccessTokenLifetime)
	claims, err := g.grantClaims(ctx, user, grant, expires)
	if err != nil {
		return "", time.Time{}, err
	}
	if token, err = jwt.Sign(g.keys.SigningAs(grantType), claims); err == nil {
		g.settings.Metrics.Count(metrics.TokensIssued, "client_credentials", "access")
	}
	return token, expires, err
}

// grantType is the typ of the tokens that Issue issues (RFC 9068 section 2.1).
const grantType = "at+jwt"

// grantClaims returns the claims of an access token, and those about the user that one
// of a login has. iat is when the user was read, as in Gate.issue.
func (g *Gate) grantClaims(ctx context.Context, user *User, grant Grant, expires time.Time) (jwt.Object, error) {
	claims := jwt.Object{
		{"token_type", "access"},
		{"exp", expires.Unix()},
		{"iat", user.issued},
		{"jti", randomHex()},
		{g.settings.UserIDClaim, string(user.ID)},
		{"sid", user.Session},
		{"client_id", grant.Client},
		{"scope", strings.Join(grant.Scopes, " ")},
	}
	for _, name := range g.settings.Claims {
		if f := factNamed(name); !f.session {
			claims = append(claims, claim{name, f.of(user)})
		}
	}
	own := jwt.Object{{"sub", grant.Client}}
	if g.settings.CheckRevokeToken || g.settings.CustomClaims != nil {
		account, err := g.activeOwner(ctx, user.details().owner)
		if err != nil {
			return nil, err
		}
		if g.settings.CheckRevokeToken {
			claims = append(claims, claim{g.settings.RevokeTokenClaim, revokeClaim(account)})
		}
		custom, err := g.customClaims(ctx, account)
		if err != nil {
			return nil, err
		}
		own = append(own, custom...)
	}
	claims = g.addressed(merge(claims, own))
	if grant.Audience != "" {
		claims = slices.DeleteFunc(claims, func(m claim) bool { return m.Name == "aud" })
		claims = append(claims, claim{"aud", grant.Audience})
	}
	return claims, nil
}
