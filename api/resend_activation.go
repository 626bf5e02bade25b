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

// resendActivation is POST /auth/users/resend_activation/. Where no activation
// is asked for it is 400 without a body, as in djoser.
func resendActivation(c *call, in *emailIn) (any, error) {
	if !c.settings.SendActivationEmail {
		return bare(http.StatusBadRequest), nil
	}
	_, err := c.requestLink(record.LetterActivation, in.email)
	return nil, err
}
