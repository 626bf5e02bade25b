// Logins with a code by e-mail: POST /api/token/code/ and /api/token/code/confirm/.

package api

import (
	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

func hasLoginCodes(a *API) bool { return a.gate.Settings().LoginCodes }

// tokenCodeOut is the token to send with the code.
type tokenCodeOut struct {
	Pending string `json:"pending"`
}

// tokenCode sends a code to an address, if an account can log in with it. The response
// is the same for every address.
func tokenCode(c *call, in *emailIn) (any, error) {
	pending, err := c.gate.Logins().EmailCodes().Request(c.ctx, in.email, c.client)
	return tokenCodeOut{pending}, err
}

type tokenCodeIn struct{ pending, code string }

func tokenCodeFields(_ *API, in *tokenCodeIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending), form.Text("code", &in.code)}
}

// tokenCodeConfirm ends a login with the code, or reports its next step.
func tokenCodeConfirm(c *call, in *tokenCodeIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Continue(c.ctx, in.pending, jotgate.EmailCode(in.code), c.client)
	return c.loggedIn(state, err)
}
