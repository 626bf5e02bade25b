package jotgate

// Verifying credentials other than access tokens: each is loaded once, and then cached
// under the revocation list.

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"
)

// credentialUser verifies a credential and returns its user. It loads a credential
// that is not cached, or whose owner's tokens were revoked since.
func (g *Guard) credentialUser(r *http.Request, p presented) (*User, error) {
	now, key := g.now(), sha256.Sum256([]byte(p.value))
	c := g.cached.get(key)
	if c == nil || !g.isCurrent(c, now) {
		var err error
		if c, err = g.loadCredential(r.Context(), p, now); err != nil {
			g.cached.drop(key)
			return nil, err
		}
		g.cached.add(key, c)
	}
	if g.stale() {
		return nil, ErrUnavailable.Because(errStaleRevocations)
	}
	if g.revoked.Revoked(c.Session, "", now.Unix()) {
		return nil, ErrTokenInvalid.Because(errRevoked)
	}
	if err := p.source.Admit(r, &c.Credential); err != nil {
		return nil, err
	}
	return c.user, nil
}

// isCurrent reports whether a cached credential can be used without loading it again:
// it has not expired, and its owner's tokens were not revoked since it was loaded.
func (g *Guard) isCurrent(c *cachedCredential, now time.Time) bool {
	u := c.user
	return now.Unix() < u.expires && now.Unix() >= c.loaded-1 &&
		!g.revoked.ChangedSince(u.ID, c.changes) && !g.revoked.Revoked("", u.ID, u.issued)
}

// loadCredential loads a credential and its user, whose times are those for which both
// may be cached.
func (g *Guard) loadCredential(ctx context.Context, p presented, now time.Time) (*cachedCredential, error) {
	c := &cachedCredential{changes: g.revoked.Changes(), loaded: now.Unix()}
	var err error
	if c.Credential, err = p.source.Load(ctx, p.value, now); err != nil {
		return nil, err
	}
	switch {
	case c.Token != "":
		c.user, err = g.userOfExchange(&c.Credential, now)
	case g.subject == nil:
		err = ErrUnavailable.Because(errors.New("a Guard has no accounts: the credential needs a Token"))
	default:
		c.user, err = g.userOfOwner(ctx, &c.Credential, now)
	}
	if err != nil {
		return nil, err
	}
	if !c.Expires.IsZero() {
		if !now.Before(c.Expires) {
			return nil, ErrTokenExpired.Because(errors.New("the credential has expired"))
		}
		c.user.expires = min(c.user.expires, c.Expires.Unix())
	}
	return c, nil
}

// userOfOwner reads the owner of a credential and dates it like an access token that is
// issued now: it is valid no longer than the revocation list keeps its entries. It is
// dated a second early, so that a revocation in this second counts.
func (g *Guard) userOfOwner(ctx context.Context, c *Credential, now time.Time) (*User, error) {
	user, err := g.subject(ctx, c)
	if err != nil {
		return nil, err
	}
	reach, _ := g.revoked.Lifetimes()
	user.Session = c.Session
	user.rest = &details{scopes: c.Scopes, limited: !c.Login, owner: c.Owner}
	user.stamp = stamp{issued: g.dated(now).Unix() - 1, expires: now.Unix() + max(1, min(maxCached, reach-1))}
	return user, nil
}
