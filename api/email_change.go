// POST /auth/users/email_change_confirm/ and /auth/users/email_change_undo/.

package api

import "github.com/jotgate/jotgate/record"

// emailChangeConfirm sets the account's e-mail to the address that the link was
// sent to.
func emailChangeConfirm(c *call, in *linkIn) (any, error) {
	before, err := c.gate.Links().ConfirmEmail(c.ctx, in.uid, in.token, c.client)
	if err == nil && c.loginIsEmail() && c.settings.UsernameChangedEmail {
		c.gate.Accounts().Notify(c.ctx, record.MessageUsernameChanged, before, "")
	}
	return nil, c.loginError(err, "new_")
}

// emailChangeUndo restores the previous address and ends all sessions.
func emailChangeUndo(c *call, in *linkIn) (any, error) {
	_, err := c.gate.Links().UndoEmail(c.ctx, in.uid, in.token, c.client)
	return nil, c.loginError(err, "new_")
}
