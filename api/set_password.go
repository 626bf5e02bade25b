// POST /auth/users/set_password/.

package api

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

type setPasswordIn struct{ current, password, again string }

func setPasswordFields(a *API, in *setPasswordIn) []form.Field {
	fields := []form.Field{form.Text("new_password", &in.password)}
	if a.settings.SetPasswordRetype {
		fields = append(fields, form.Text("re_new_password", &in.again))
	}
	return append(fields, form.Text("current_password", &in.current))
}

// setPassword is POST /auth/users/set_password/. The current session stays valid.
func setPassword(c *call, in *setPasswordIn) (any, error) {
	if c.settings.SetPasswordRetype && in.again != in.password {
		return nil, form.NonField("The two password fields didn't match.")
	}
	if err := c.protect(); err != nil {
		return nil, err
	}
	if err := c.confirm(in.current); err != nil {
		return nil, err
	}
	if err := c.gate.Accounts().SetPassword(c.ctx, c.account, in.password, c.user.Session, c.client); err != nil {
		return nil, renamed(err, "password", "new_password")
	}
	c.noticePassword(c.account)
	return nil, nil
}

// noticePassword notifies the account's owner that the password was changed.
func (c *call) noticePassword(account *record.Account) {
	if c.settings.PasswordChangedEmail {
		c.gate.Accounts().Notify(c.ctx, record.MessagePasswordChanged, account, "")
	}
}

// renamed changes the field's name in an error to the name that the body uses.
func renamed(err error, from, to string) error {
	var e *jotgate.Error
	if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != from {
		return err
	}
	return form.FieldError(to, e.Fields[0].Messages...).Because(err)
}
