package jotgate

import "context"

// PendingUsername returns the username of a login that needs another step, for a page
// that asks for the password. pending is the LoginState.Pending of Begin or Continue.
// Errors: ErrLoginNotValid, ErrUnavailable.
func (p PageSessions) PendingUsername(ctx context.Context, pending string, client Client) (string, error) {
	client.Browser = true
	l, err := p.gate.resume(ctx, pending, client)
	if err != nil {
		return "", err
	}
	return l.account.Username, nil
}
