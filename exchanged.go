package jotgate

// The token for which the issuer exchanged a credential, at a Guard in another process.

import (
	"errors"
	"net/netip"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

var errExchange = errors.New("the token of the issuer is for another credential, or lacks its scopes or networks")

// userOfExchange verifies the token of a credential, completes the credential and
// returns its user. The token ends by the clock of this process as long after now as its
// issuer let it live, whichever of their clocks is ahead.
func (g *Guard) userOfExchange(c *Credential, now time.Time) (*User, error) {
	t, err := g.exchanged.Verify(c.Token)
	if err != nil {
		return nil, accessError(tokenError(err))
	}
	user, err := g.userFromClaims(nil, &t.Claims, stampOf(&t), exchangeType)
	if err != nil {
		return nil, err
	}
	networks, ok := networksIn(t.Payload())
	id, _ := t.Payload().Member("key_id")
	if !ok || !user.Limited() || c.ID == "" || textOf(id) != c.ID || c.Session == "" || user.Session != c.Session {
		return nil, accessError(ErrTokenInvalid.Because(errExchange))
	}
	life := min(t.ExpiresAt-t.IssuedAt-1, maxCached)
	c.Scopes, c.Networks, c.Login, c.Expires = user.Scopes(), networks, false, time.Time{}
	user.stamp = stamp{issued: t.IssuedAt, expires: now.Unix() + max(1, life)} // without the claims: aud is not of the credential
	return user, nil
}

// networksIn reads the claim networks.
func networksIn(payload jwt.Raw) (networks []netip.Prefix, ok bool) {
	raw, _ := payload.Member("networks")
	list, ok := raw.Elements()
	for _, element := range list {
		network, err := netip.ParsePrefix(textOf(element))
		if err != nil {
			return nil, false
		}
		networks = append(networks, network)
	}
	return networks, ok
}
