package jotgate

// Logins with an ID token that an app got from a provider's SDK.

import (
	"context"
	"strings"

	"github.com/jotgate/jotgate/provider"
)

// Native verifies an ID token that an application got from the SDK of a provider; see
// provider.Settings.NativeClientIDs. nonce is the value that the application passed to
// the SDK, or the value whose SHA-256 it passed. Pass the Proof of the result to
// Logins.Begin. A token is accepted once, also if several requests present it
// concurrently. Errors: ErrNotFound; those of Finish.
func (ps Providers) Native(ctx context.Context, id, idToken, nonce string, client Client) (*ProviderLogin, error) {
	p, err := ps.find(id)
	if err != nil {
		return nil, err
	}
	l, err := ps.native(ctx, p, idToken, nonce)
	if err != nil {
		ps.refused(ctx, id, "", err, client)
		return nil, refusedFlow(err)
	}
	return l, nil
}

func (ps Providers) native(ctx context.Context, p *provider.Provider, idToken, nonce string) (*ProviderLogin, error) {
	verified, err := p.VerifyNative(ctx, idToken, nonce)
	if err != nil {
		return nil, err
	}
	identity, ok := verified.Identity()
	if !ok {
		return nil, errNoFlow
	}
	// The verified part: a signature can be written in several ways.
	signed := idToken[:max(0, strings.LastIndexByte(idToken, '.'))]
	if err := ps.spendOnce(ctx, "idtoken", signed, ps.gate.now().Add(2*provider.NativeTime)); err != nil {
		return nil, err
	}
	return &ProviderLogin{identity: identity, name: p.Name(), at: ps.gate.now()}, nil
}
