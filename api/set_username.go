// POST /auth/users/set_username/.

package api

import (
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type setUsernameIn struct{ current, username, again string }

func setUsernameFields(a *API, in *setUsernameIn) []form.Field {
	fields := []form.Field{form.Text("current_password", &in.current), newUsername(&in.username)}
	if a.settings.SetUsernameRetype {
		fields = append(fields, form.Text("re_new_username", &in.again))
	}
	return fields
}

func newUsername(into *string) form.Field {
	f := form.Text("new_username", into)
	f.MaxLength = 150
	return f
}

// setUsername is POST /auth/users/set_username/.
func setUsername(c *call, in *setUsernameIn) (any, error) {
	if c.settings.SetUsernameRetype && in.again != in.username {
		return nil, form.NonField("The two username fields didn't match.")
	}
	if err := c.confirm(in.current); err != nil {
		return nil, err
	}
	if err := c.gate.SetUsername(c.ctx, c.account, in.username, c.client); err != nil {
		return nil, renamed(err, "username", "new_username")
	}
	c.noticeUsername(c.account)
	return nil, nil
}

// noticeUsername tells the account's owner that the username was changed. Where
// the username is the address, that letter goes to the new one, as djoser's
// does, and the one before hears of the change of address.
func (c *call) noticeUsername(before *record.Account) {
	if !c.settings.UsernameChangedEmail && !c.settings.EmailChangedEmail {
		return
	}
	now, err := c.gate.AccountByID(c.ctx, before.ID)
	if err != nil {
		c.log(c.ctx, "the letter about a new username was not written", "user_id", before.ID, "cause", err)
		return
	}
	if c.settings.UsernameChangedEmail {
		c.gate.Notify(c.ctx, record.LetterUsernameChanged, now, "")
	}
	c.noticeEmail(before, now)
}
