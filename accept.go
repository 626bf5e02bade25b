package jotgate

// Accepting credentials other than access tokens, and their owners.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/record"
)

// Accept makes the gate accept credentials of this source in addition to access tokens:
// in all handlers of the gate, in package api and in package proxy. Call it before the
// gate handles the first request.
func (ls Logins) Accept(source CredentialSource) {
	ls.gate.sources = append(ls.gate.sources, source)
}

// subjectOf returns the user of a credential, with the facts that an access token
// would have.
func (g *Gate) subjectOf(ctx context.Context, c *Credential) (*User, error) {
	account, err := g.ownerOf(ctx, c)
	if err != nil {
		return nil, err
	}
	user, err := g.factsOf(ctx, account, &record.Session{ID: c.Session})
	if err != nil {
		return nil, err
	}
	user.ID = g.claimOf(account)
	return user, nil
}

// ownerOf returns the account of a credential, which is active. The one that was read with
// the credential is that of the store, and is not cached.
func (g *Gate) ownerOf(ctx context.Context, c *Credential) (*record.Account, error) {
	account := c.Account
	c.Account = nil
	if _, ok := g.users.(storeUsers); !ok || account == nil {
		return g.activeOwner(ctx, c.Owner)
	}
	if !account.IsActive {
		return nil, ErrUserInactive
	}
	return account, nil
}

// activeOwner returns the active account with this key. The session of a credential is
// not one of the store's, so that there is nothing else to check.
func (g *Gate) activeOwner(ctx context.Context, key record.UserID) (*record.Account, error) {
	account, err := g.users.UserByID(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrUserNotFound
	case err != nil:
		return nil, err
	case !account.IsActive:
		return nil, ErrUserInactive
	}
	return account, nil
}
