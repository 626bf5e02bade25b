package jotgate

// Exchanging a credential for a token with which Guards in other processes verify it.

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// Exchange verifies the credential in a request of a Guard in another process (see
// Accept), and returns a token with which that Guard can verify the credential, for at
// most 5 minutes, until the Expires of the returned Credential. CredentialSource.Admit
// is not called, because the Guard makes the request and not the client: the token
// contains the networks. It is not a bearer token: gates and guards accept it only from
// a CredentialSource (Credential.Token). Errors: those of Authenticate;
// ErrNotAuthenticated also if the request has an access token; ErrForbidden for a
// Credential that is a Login.
func (ls Logins) Exchange(r *http.Request) (token string, c Credential, err error) {
	g := ls.gate
	p, err := g.presentedIn(r)
	if err == nil && p.source == nil {
		err = ErrNotAuthenticated
	}
	if err != nil {
		return "", c, err
	}
	loaded, err := g.loadCredential(r.Context(), p, g.now())
	switch {
	case err != nil:
		return "", c, err
	case g.stale():
		return "", c, ErrUnavailable.Because(errStaleRevocations)
	case g.revoked.Revoked(loaded.Session, "", loaded.loaded):
		return "", c, ErrTokenInvalid.Because(errRevoked)
	case loaded.Login:
		return "", c, ErrForbidden.Because(errors.New("a credential that is as good as a login cannot be exchanged"))
	}
	if token, err = jwt.Sign(g.keys.SigningAs(exchangeTyp), g.exchangeClaims(loaded)); err != nil {
		return "", c, err
	}
	loaded.Expires = time.Unix(loaded.user.expires, 0)
	return token, loaded.Credential, nil
}

// exchangeClaims returns the claims of the token for a credential.
func (g *Gate) exchangeClaims(c *cachedCredential) jwt.Object {
	networks := make([]string, len(c.Networks))
	for i, network := range c.Networks {
		networks[i] = network.String()
	}
	claims := jwt.Object{
		{"token_type", exchangeType},
		{"exp", c.user.expires},
		{"iat", c.user.issued},
		{"jti", randomHex()},
		{g.settings.UserIDClaim, string(c.user.ID)},
		{"sid", c.Session},
		{"key_id", c.ID},
		{"scope", strings.Join(c.Scopes, " ")},
		{"networks", networks},
	}
	for _, name := range g.settings.Claims {
		if f := factNamed(name); !f.session {
			claims = append(claims, claim{name, f.of(c.user)})
		}
	}
	return g.addressed(claims)
}
