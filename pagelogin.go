package jotgate

// Logins at a page.

import "context"

// Begin is Logins.Begin for a login at a page. If no other step is needed, the result
// has a Page with the first cookie, and no tokens.
func (p PageSessions) Begin(ctx context.Context, proof Proof, kind PageLogin, client Client) (LoginState, error) {
	client.Browser = true
	return p.gate.begin(ctx, proof, client, &kind)
}

// RequestCode is EmailCodes.Request for a login at a page.
func (p PageSessions) RequestCode(ctx context.Context, email string, client Client) (pending string, err error) {
	client.Browser = true
	return p.gate.Logins().EmailCodes().Request(ctx, email, client)
}

// Continue is Logins.Continue for a login that PageSessions.Begin or RequestCode has
// begun.
func (p PageSessions) Continue(ctx context.Context, pending string, proof Proof, kind PageLogin, client Client) (LoginState, error) {
	client.Browser = true
	return p.gate.proceed(ctx, pending, proof, client, &kind)
}
