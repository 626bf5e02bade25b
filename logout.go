package jotgate

// Logout.

import (
	"context"

	"github.com/jotgate/jotgate/record"
)

// Logout ends the session of a refresh token. Its access tokens stop working
// immediately on this node, and within a second on others. Errors: those of Refresh,
// such as ErrTokenBlacklisted if the session has already ended.
func (g *Gate) Logout(ctx context.Context, token string, client Client) error {
	t, err := g.readRefresh(ctx, token)
	if err != nil {
		return err
	}
	return g.end(ctx, record.Ending{
		ID: t.session, User: t.user, IfJTI: t.jti, Reason: record.EndedByLogout, Adopt: t.adopt,
	}, client)
}
