package api

import (
	"net/http"

	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// The caller's own row: /auth/users/me/.

func meShow(c *call) (any, error) { return c.userOut(c.account), nil }

type profileIn struct {
	email, current string
	sent, asked    bool
	further        fieldValues
}

func replaceFields(a *API, in *profileIn) []form.Field { return profileFields(a, in, http.MethodPut) }

func patchFields(a *API, in *profileIn) []form.Field { return profileFields(a, in, http.MethodPatch) }

func profileFields(a *API, in *profileIn, method string) []form.Field {
	further := in.further.fields(a, method)
	if a.loginIsEmail() {
		return further // a separate endpoint changes the login name
	}
	fields := append([]form.Field{emailField(&in.email, &in.sent)}, further...)
	if a.settings.EmailChangeNeedsPassword {
		fields = append(fields, form.Text("current_password", &in.current).OrNot(&in.asked))
	}
	return fields
}

func meChange(c *call, in *profileIn) (any, error) { return c.changeProfile(c.account, in) }

// changeProfile changes the e-mail and the further fields. Unless
// jotgate.Settings.ImmediateEmailChange is set, responses have the previous
// address until the new one is confirmed.
func (c *call) changeProfile(account *record.Account, in *profileIn) (any, error) {
	changed := in.sent && in.email != account.Email
	if changed {
		if err := c.protect(); err != nil {
			return nil, err
		}
	}
	if changed && c.settings.EmailChangeNeedsPassword {
		if !in.asked {
			return nil, form.FieldError("current_password", "This field is required.")
		}
		if err := c.confirm(in.current); err != nil {
			return nil, err
		}
	}
	if given := in.further.given(c.API); len(given) > 0 {
		if err := c.gate.Accounts().SetFields(c.ctx, account, given, c.client); err != nil {
			return nil, err
		}
	}
	if !changed {
		return c.userOut(account), nil
	}
	before := *account
	if err := c.gate.Accounts().SetEmail(c.ctx, account, in.email, c.settings.SendActivationEmail, c.client); err != nil {
		return nil, err
	}
	c.noticeEmail(&before, account)
	return c.userOut(account), nil
}

// noticeEmail notifies the owner, at the previous address, that the e-mail was
// changed. The message leaves out the new address, because the previous mailbox
// may be someone else's. With ImmediateEmailChange it is optional, as djoser sends
// none.
func (c *call) noticeEmail(before, now *record.Account) {
	wanted := c.settings.EmailChangedEmail || !c.gate.Settings().ImmediateEmailChange
	if wanted && now.Email != before.Email {
		c.gate.Accounts().Notify(c.ctx, record.MessageEmailChanged, before, "")
	}
}

type confirmIn struct{ current string }

func confirmFields(_ *API, in *confirmIn) []form.Field {
	return []form.Field{form.Text("current_password", &in.current)}
}

func meDelete(c *call, in *confirmIn) (any, error) { return nil, c.deleteAccount(c.account, in) }

// deleteAccount deletes an account after the caller has confirmed with a password.
func (c *call) deleteAccount(account *record.Account, in *confirmIn) error {
	if err := c.protect(); err != nil {
		return err
	}
	if err := c.confirm(in.current); err != nil {
		return err
	}
	return c.gate.Accounts().Delete(c.ctx, account, c.client)
}

// confirm checks the caller's current password. It shares the counters of failures
// with the login.
func (c *call) confirm(password string) error {
	_, err := c.shell.Lockout().Try(c.ctx, c.account.Username, c.network, func() (record.UserID, error) {
		return c.account.ID, c.gate.Accounts().CheckPassword(c.ctx, c.account, password)
	})
	return err
}
