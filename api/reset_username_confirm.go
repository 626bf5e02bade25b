// POST /auth/users/reset_username_confirm/.

package api

import "github.com/jotgate/jotgate/internal/form"

type resetUsernameIn struct {
	linkIn
	username, again string
}

func resetUsernameFields(a *API, in *resetUsernameIn) []form.Field {
	fields := append(linkFields(a, &in.linkIn), a.newLogin(&in.username))
	if a.settings.UsernameResetConfirmRetype {
		fields = append(fields, form.Text("re_new_"+a.loginName, &in.again))
	}
	return fields
}

// resetUsernameConfirm is POST /auth/users/reset_username_confirm/.
func resetUsernameConfirm(c *call, in *resetUsernameIn) (any, error) {
	if c.settings.UsernameResetConfirmRetype && in.again != in.username {
		return nil, c.errLoginsDiffer()
	}
	account, err := c.gate.Links().ResetUsername(c.ctx, in.uid, in.token, in.username, c.client)
	if err != nil {
		return nil, c.loginError(err, "new_")
	}
	c.noticeUsername(account)
	return nil, nil
}
