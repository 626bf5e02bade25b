package jotgate

// Scopes and audiences: what a token may be used for.

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ScopeAccount is the scope with which a limited token (see [User.Limited]) can use the
// endpoints of package api: it can read the user's account, sessions and second
// factors, and end sessions. A change of the account, its password or its second
// factors needs the token of a login, whatever the scopes.
const ScopeAccount = "account"

// Limited reports whether the access token is limited to its Scopes, because it was
// issued to a client (it has the claim client_id or azp) or for scopes (it has the
// claim scope or scp). The token of a login is not limited.
func (u *User) Limited() bool { return u.details().limited }

// HasScope reports whether the token may be used for the scope: it contains the scope,
// or it is not limited (see Limited).
func (u *User) HasScope(scope string) bool {
	d := u.details()
	return !d.limited || slices.Contains(d.scopes, scope)
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

// CheckScope returns nil if the token has all of the scopes (see User.HasScope).
// Otherwise the error has the status 403 and, in WWW-Authenticate, the error
// insufficient_scope with the scopes (RFC 6750 section 3.1).
func (u *User) CheckScope(scopes ...string) error {
	for _, scope := range scopes {
		if !u.HasScope(scope) {
			e := ErrInsufficientScope.Because(fmt.Errorf("the token does not have the scope %q", scope))
			e.Challenge = `error="insufficient_scope", scope=` + strconv.Quote(strings.Join(scopes, " "))
			return e
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

// CheckAudience returns nil if the access token has the audience (see User.IsFor), and
// otherwise an error with the status 401.
func (u *User) CheckAudience(audience string) error {
	if !u.IsFor(audience) {
		return errAudience.Because(fmt.Errorf("the token does not have the audience %q", audience))
	}
	return nil
}

// IsScope reports whether text is a valid scope: 1 to 64 of the characters that RFC
// 6749 section 3.3 allows.
func IsScope(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(text) > 0 && len(text) <= 64
}
