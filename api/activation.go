// POST /auth/users/activation/.

package api

import (
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type linkIn struct{ uid, token string }

func linkFields(_ *API, in *linkIn) []form.Field {
	return []form.Field{form.Text("uid", &in.uid), form.Text("token", &in.token)}
}

// activation is POST /auth/users/activation/: it activates the account that the
// link in the e-mail belongs to.
func activation(c *call, in *linkIn) (any, error) {
	account, err := c.gate.Links().Activate(c.ctx, in.uid, in.token, c.client)
	if err == nil && c.settings.SendConfirmationEmail {
		c.gate.Accounts().Notify(c.ctx, record.MessageConfirmation, account, "")
	}
	return nil, err
}
