// POST /api/token/refresh/ and /auth/jwt/refresh/.

package api

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

type refreshIn struct {
	refresh string
	sent    bool
}

func refreshFields(a *API, in *refreshIn) []form.Field {
	f := form.Text("refresh", &in.refresh)
	if a.settings.RefreshCookie { // then the token may be in the cookie
		f = f.OrNot(&in.sent)
	}
	return []form.Field{f}
}

// refreshed has the order of SimpleJWT's response.
type refreshed struct {
	Access  string `json:"access"`
	Refresh string `json:"refresh,omitempty"`
}

// tokenRefresh is POST /api/token/refresh/ and /auth/jwt/refresh/.
func tokenRefresh(c *call, in *refreshIn) (any, error) {
	token, err := c.refreshToken(in)
	if err != nil {
		return nil, err
	}
	tokens, err := c.gate.Refresh(c.ctx, token, c.client)
	if err != nil {
		return nil, err
	}
	return refreshed{tokens.Access, c.handOut(tokens.Refresh)}, nil
}

// refreshToken returns the token of the body or, with Settings.RefreshCookie, of
// the cookie.
func (c *call) refreshToken(in *refreshIn) (string, error) {
	if err := c.sameSite(); err != nil {
		return "", err
	}
	if !c.settings.RefreshCookie || in.sent {
		return in.refresh, nil
	}
	switch cookies := c.r.CookiesNamed(refreshCookie); len(cookies) {
	case 0:
		return "", jotgate.ErrTokenInvalid.Because(errors.New("no cookie: the client is not logged in"))
	case 1:
		return cookies[0].Value, nil
	default: // an attacker has planted a second one
		return "", jotgate.ErrTokenInvalid
	}
}
