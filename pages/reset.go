package pages

// A new password for a user who has forgotten the old one.

import (
	"errors"
	"net/url"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// reset sends a link to the address.
func reset(v *visit) error { return v.requestLink(record.MessagePasswordReset, "done?about=reset") }

// resetData is the Data of reset-confirm.html.
type resetData struct {
	Valid    bool
	Username string
}

func resetConfirmShow(v *visit) error {
	account, err := v.link(record.MessagePasswordReset)
	v.Data = resetData{}
	if account != nil {
		v.Data = resetData{true, account.Username}
	}
	return err
}

// resetConfirm sets the password and leads to the login: a link in an e-mail
// does not sign in, and the login asks for a second factor if there is one.
func resetConfirm(v *visit) error {
	var password string
	if err := v.read(field{"new_password", &password, true}); err != nil {
		return err
	}
	account, err := v.link(record.MessagePasswordReset)
	if err != nil {
		return err
	}
	if account == nil {
		return v.wrong("", v.T("problem.link"))
	}
	query := v.r.URL.Query()
	account, err = v.p.gate.Links().ResetPassword(v.ctx, query.Get("uid"), query.Get("token"), password, v.client)
	if err != nil {
		return renamed(err, "password", "new_password")
	}
	if _, err := v.p.shell.Lockout().Forgive(v.ctx, account.Username, v.network, account.ID); err != nil {
		return err
	}
	v.noticePassword(account)
	return v.redirect(v.Path + "login?" + url.Values{"done": {"reset"}, "name": {account.Username}}.Encode())
}

func usernameConfirmShow(v *visit) error {
	account, err := v.link(record.MessageUsernameReset)
	v.Data = confirmData{Kind: "username-confirm", Ask: "username", Valid: account != nil}
	return err
}

// usernameConfirm sets a new username with the link of an e-mail.
func usernameConfirm(v *visit) error {
	var username string
	if err := v.read(field{"username", &username, true}); err != nil {
		return err
	}
	account, err := v.link(record.MessageUsernameReset)
	if err != nil || account == nil {
		return errors.Join(err, v.wrong("", v.T("problem.link")))
	}
	query := v.r.URL.Query()
	if _, err := v.p.gate.Links().ResetUsername(v.ctx, query.Get("uid"), query.Get("token"), username, v.client); err != nil {
		return err
	}
	return v.redirect(v.Path + "login?" + url.Values{"done": {"saved"}, "name": {username}}.Encode())
}

// noticePassword notifies the owner that the password was changed.
func (v *visit) noticePassword(account *record.Account) {
	if v.p.options.PasswordChangedEmail {
		v.p.gate.Accounts().Notify(v.ctx, record.MessagePasswordChanged, account, "")
	}
}

// renamed changes the field of an error to the name that the form uses.
func renamed(err error, from, to string) error {
	e := jotgate.AsError(err)
	if len(e.Fields) != 1 || e.Fields[0].Field != from {
		return err
	}
	return (&jotgate.Error{Status: e.Status, Fields: []jotgate.FieldError{{Field: to, Messages: e.Fields[0].Messages}}}).Because(err)
}
