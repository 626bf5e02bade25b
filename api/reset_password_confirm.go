// POST /auth/users/reset_password_confirm/.

package api

import "github.com/jotgate/jotgate/internal/form"

type resetPasswordIn struct {
	linkIn
	password, again string
}

func resetPasswordFields(a *API, in *resetPasswordIn) []form.Field {
	fields := append(linkFields(a, &in.linkIn), form.Text("new_password", &in.password))
	if a.settings.PasswordResetConfirmRetype {
		fields = append(fields, form.Text("re_new_password", &in.again))
	}
	return fields
}

// resetPasswordConfirm is POST /auth/users/reset_password_confirm/: it sets a new
// password with the link in the e-mail. A client that has the link has access to
// the mailbox, so its network counts as known.
func resetPasswordConfirm(c *call, in *resetPasswordIn) (any, error) {
	if c.settings.PasswordResetConfirmRetype && in.again != in.password {
		return nil, form.NonField("The two password fields didn't match.")
	}
	account, err := c.gate.Links().ResetPassword(c.ctx, in.uid, in.token, in.password, c.client)
	if err != nil {
		return nil, renamed(err, "password", "new_password")
	}
	if _, err := c.shell.Lockout().Forgive(c.ctx, account.Username, c.network, account.ID); err != nil {
		c.log(c.ctx, "failures were not forgotten after a reset", "user_id", account.ID, "cause", err)
	}
	c.noticePassword(account)
	return nil, nil
}
