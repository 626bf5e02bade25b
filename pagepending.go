package jotgate

import "context"

// PendingUsername returns the username of the login in progress that Begin or
// Continue has suspended, for a page that asks for its password. Errors:
// ErrLoginNotValid, ErrUnavailable.
func (p PageSessions) PendingUsername(ctx context.Context, pending string, client Client) (string, error) {
	client.Browser = true
	l, err := p.gate.resume(ctx, pending, client)
	if err != nil {
		return "", err
	}
	return l.account.Username, nil
}
