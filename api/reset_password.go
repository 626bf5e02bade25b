package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// errNoEmail is djoser's error, which is a list without a field name.
var errNoEmail = &jotgate.Error{Status: http.StatusBadRequest, List: []string{"User with given email does not exist."}}

// resetPassword is POST /auth/users/reset_password/.
func resetPassword(c *call, in *emailIn) (any, error) {
	found, err := c.requestLink(record.MessagePasswordReset, in.email)
	if err == nil && !found && c.settings.InsecurePasswordResetShowEmailNotFound {
		return nil, errNoEmail
	}
	return nil, err
}
