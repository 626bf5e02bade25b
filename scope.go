package jotgate

// Scopes and audiences: what a token may be used for.

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate/jwt"
)

// ScopeAccount is the scope with which a limited token opens jotgate's own
// endpoints: it reads the user's account, sessions and second factors, and ends
// sessions. No scope opens what needs a login: changes of the account, of its
// password and of second factors.
const ScopeAccount = "account"

// Limited reports whether the access token is limited to its Scopes, because it was
// issued to a client (the claims client_id, azp) or for scopes (scope, scp). That of
// a login is not limited.
func (u *User) Limited() bool { return u.limited }

// HasScope reports whether the token may be used for the scope: it lists it, or it is
// not limited.
func (u *User) HasScope(scope string) bool {
	return !u.limited || slices.Contains(u.Scopes, scope)
}

// IsFor reports whether the access token has the audience (the claim aud). It is
// false for a token without the claim.
func (u *User) IsFor(audience string) bool {
	raw, _ := u.payload.Member("aud")
	if one, ok := raw.Text(); ok {
		return one == audience && one != ""
	}
	return slices.Contains(textsOf(raw), audience)
}

// CheckScope returns an error unless the token has all of the scopes. It has the
// status 403 and, in WWW-Authenticate, the error insufficient_scope with the
// scopes (RFC 6750 section 3.1).
func (u *User) CheckScope(scopes ...string) error {
	for _, scope := range scopes {
		if !u.HasScope(scope) {
			e := *ErrInsufficientScope
			e.Challenge = `error="insufficient_scope", scope=` + strconv.Quote(strings.Join(scopes, " "))
			return &e
		}
	}
	return nil
}

// errAudience is the refusal of a token for another service (RFC 6750 section
// 3.1).
var errAudience = &Error{
	Status: http.StatusUnauthorized, Code: "token_not_valid", Detail: "The token is not intended for this resource.",
	Challenge: `error="invalid_token"`,
}

// CheckAudience returns an error with the status 401 unless the access token has
// the audience; see User.IsFor.
func (u *User) CheckAudience(audience string) error {
	if !u.IsFor(audience) {
		return errAudience
	}
	return nil
}

// IsScope reports whether text is one scope: 1 to 64 of the characters that RFC
// 6749 section 3.3 allows.
func IsScope(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(text) > 0 && len(text) <= 64
}

// maxScopes is the largest number of scopes of a token; further ones are ignored.
const maxScopes = 100

var errBoundKey = errors.New("the token is bound to a key (cnf), so it is not a bearer token")

// limit sets what the token may be used for. The claims are those of RFC 9068
// (scope, client_id) and of other issuers (scp, azp). A claim of an unexpected
// type grants nothing, and its token is limited.
func (u *User) limit(c *accessClaims) error {
	u.Scopes, u.Client, u.limited = nil, "", false
	if c.CNF == "" && c.Scope == "" && c.SCP == "" && c.ClientID == "" && c.AZP == "" {
		return nil
	}
	if c.CNF != "" {
		return errBoundKey
	}
	u.limited, u.Scopes = true, scopesOf(c.Scope)
	if len(u.Scopes) == 0 {
		u.Scopes = scopesOf(c.SCP)
	}
	u.Client = cmp.Or(textOf(c.ClientID), textOf(c.AZP))
	u.jti = c.revocable()
	return nil
}

// revocable returns the jti by which the token can be revoked alone (RFC 7009): that
// of a client. Other tokens are revoked with their session.
func (c *accessClaims) revocable() string {
	if c.ClientID == "" {
		return ""
	}
	return textOf(c.JTI)
}

// scopesOf reads a string of scopes separated by spaces, or an array of scopes.
func scopesOf(raw jwt.Raw) []string {
	text, ok := raw.Text()
	scopes := strings.Fields(text)
	if !ok {
		scopes = textsOf(raw)
	}
	return scopes[:min(len(scopes), maxScopes)]
}
