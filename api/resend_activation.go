// POST /auth/users/resend_activation/.

package api

import (
	"net/http"

	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type emailIn struct{ email string }

func emailFields(_ *API, in *emailIn) []form.Field {
	return []form.Field{form.Email("email", &in.email)}
}

// resendActivation is POST /auth/users/resend_activation/. Without
// Settings.SendActivationEmail it responds with 400 and no body, as djoser does.
func resendActivation(c *call, in *emailIn) (any, error) {
	if !c.settings.SendActivationEmail {
		return bare(http.StatusBadRequest), nil
	}
	_, err := c.requestLink(record.MessageActivation, in.email)
	return nil, err
}
