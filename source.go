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
	return now.Unix() < u.expires && now.Unix() >= u.issued &&
		!g.revoked.ChangedSince(u.ID, c.changes) && !g.revoked.Revoked("", u.ID, u.issued)
}

// maxCached is how long a credential is cached at most, in seconds, however long
// access tokens are valid: what changes without a revocation, such as a flag that
// Django sets, takes effect after that time.
const maxCached = 5 * 60

// loadCredential loads a credential and dates it like an access token that was issued
// now: it is valid no longer than the revocation list keeps its entries. It is dated a
// second early, so that a revocation in this second counts.
func (g *Guard) loadCredential(ctx context.Context, p presented, now time.Time) (*cachedCredential, error) {
	loaded := &cachedCredential{changes: g.revoked.Changes()}
	var err error
	if loaded.Credential, err = p.source.Load(ctx, p.value, now); err != nil {
		return nil, err
	}
	user, err := g.subject(ctx, &loaded.Credential)
	if err != nil {
		return nil, err
	}
	reach, _ := g.revoked.Lifetimes()
	user.Session, user.Scopes, user.limited, user.owner = loaded.Session, loaded.Scopes, !loaded.Login, loaded.Owner
	user.stamp = stamp{issued: now.Unix() - 1, expires: now.Unix() + max(1, min(maxCached, reach-1))}
	if !loaded.Expires.IsZero() {
		if !now.Before(loaded.Expires) {
			return nil, ErrTokenExpired.Because(errors.New("the credential has expired"))
		}
		user.expires = min(user.expires, loaded.Expires.Unix())
	}
	loaded.user = user
	return loaded, nil
}
