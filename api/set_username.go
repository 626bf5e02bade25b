// POST /auth/users/set_username/, or set_ and the name of the login field.

package api

import (
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type setUsernameIn struct{ current, username, again string }

func setUsernameFields(a *API, in *setUsernameIn) []form.Field {
	fields := []form.Field{form.Text("current_password", &in.current), a.newLogin(&in.username)}
	if a.settings.SetUsernameRetype {
		fields = append(fields, form.Text("re_new_"+a.loginName, &in.again))
	}
	return fields
}

// newLogin is the field for a login name that replaces another.
func (a *API) newLogin(into *string) form.Field {
	f := a.loginField(into)
	f.Name, f.Help = "new_"+f.Name, ""
	f.Label = form.Text(f.Name, into).Label
	return f
}

// errLoginsDiffer returns djoser's error for two login names that differ.
func (a *API) errLoginsDiffer() error {
	return form.NonField("The two " + a.loginName + " fields didn't match.")
}

// setUsername is POST /auth/users/set_username/.
func setUsername(c *call, in *setUsernameIn) (any, error) {
	if c.settings.SetUsernameRetype && in.again != in.username {
		return nil, c.errLoginsDiffer()
	}
	if err := c.protect(); err != nil {
		return nil, err
	}
	if err := c.confirm(in.current); err != nil {
		return nil, err
	}
	if err := c.gate.Accounts().SetUsername(c.ctx, c.account, in.username, c.user.Session, c.client); err != nil {
		return nil, c.loginError(err, "new_")
	}
	c.noticeUsername(c.account)
	return nil, nil
}

// noticeUsername notifies the account's owner that the username was changed. If
// the username is the e-mail address, that message goes to the new address, as
// djoser's does, and noticeEmail notifies the previous one.
func (c *call) noticeUsername(before *record.Account) {
	now, err := c.gate.Accounts().ByID(c.ctx, before.ID)
	if err != nil {
		c.log(c.ctx, "the message about a new username was not queued", "user_id", before.ID, "cause", err)
		return
	}
	if c.settings.UsernameChangedEmail && now.Username != before.Username {
		c.gate.Accounts().Notify(c.ctx, record.MessageUsernameChanged, now, "")
	}
	c.noticeEmail(before, now)
}
