// Logins with an ID token of a provider: POST /api/token/provider/.

package api

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

func hasNativeProviders(a *API) bool { return nativeProviders(a.gate.Settings()) }

// nativeProviders reports whether an app can sign users in with a provider's SDK.
func nativeProviders(s jotgate.Settings) bool {
	for _, p := range s.Providers {
		if p != nil && p.Native() {
			return true
		}
	}
	return false
}

type tokenProviderIn struct{ provider, token, nonce string }

func tokenProviderFields(_ *API, in *tokenProviderIn) []form.Field {
	token := form.Text("id_token", &in.token)
	token.MaxLength = 8192
	return []form.Field{form.Text("provider", &in.provider), token, form.Text("nonce", &in.nonce)}
}

// tokenProvider logs in with an ID token that an app got from a provider's SDK, or
// reports the next step.
func tokenProvider(c *call, in *tokenProviderIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	providers := c.gate.Logins().Providers()
	l, err := providers.Native(c.ctx, in.provider, in.token, in.nonce, c.client)
	if err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Begin(c.ctx, l.Proof(), c.client)
	if errors.Is(err, jotgate.ErrNotConnected) {
		link, _, failure := providers.Link(c.ctx, l, c.client)
		switch {
		case failure != nil:
			return nil, failure
		case link == jotgate.LinkLogin: // connected now
			state, err = c.gate.Logins().Begin(c.ctx, l.Proof(), c.client)
		}
	}
	return c.loggedIn(state, err)
}
