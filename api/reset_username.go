package api

import "github.com/jotgate/jotgate/record"

// resetUsername is POST /auth/users/reset_username/.
func resetUsername(c *call, in *emailIn) (any, error) {
	found, err := c.requestLink(record.MessageUsernameReset, in.email)
	if err == nil && !found && c.settings.InsecureUsernameResetShowEmailNotFound {
		return nil, errNoEmail
	}
	return nil, err
}
