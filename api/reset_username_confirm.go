// POST /auth/users/reset_username_confirm/.

package api

import "github.com/jotgate/jotgate/internal/form"

type resetUsernameIn struct {
	linkIn
	username, again string
}

func resetUsernameFields(a *API, in *resetUsernameIn) []form.Field {
	fields := append(linkFields(a, &in.linkIn), newUsername(&in.username))
	if a.settings.UsernameResetConfirmRetype {
		fields = append(fields, form.Text("re_new_username", &in.again))
	}
	return fields
}

// resetUsernameConfirm is POST /auth/users/reset_username_confirm/.
func resetUsernameConfirm(c *call, in *resetUsernameIn) (any, error) {
	if c.settings.UsernameResetConfirmRetype && in.again != in.username {
		return nil, form.NonField("The two username fields didn't match.")
	}
	account, err := c.gate.ResetUsername(c.ctx, in.uid, in.token, in.username, c.client)
	if err != nil {
		return nil, renamed(err, "username", "new_username")
	}
	c.noticeUsername(account)
	return nil, nil
}
