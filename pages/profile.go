package pages

// The pages of an account: profile, password, e-mail address.

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// account reads the account of the session, by one query, unless renewing the
// cookie has read it already.
func (v *visit) account() (*record.Account, error) {
	if v.session.Account != nil {
		return v.session.Account, nil
	}
	if err := v.renew(); err != nil {
		return nil, err
	}
	return v.session.Account, nil
}

// factors lists the factors of the account, which are read with it.
func (v *visit) factors() ([]jotgate.FactorInfo, error) {
	account, err := v.account()
	if err != nil {
		return nil, err
	}
	return v.p.gate.Factors().Of(v.ctx, account)
}

// renew reads the session and the account again and sends a new cookie. A
// session that has ended in the meantime leads to the login.
func (v *visit) renew() error {
	s, err := v.p.gate.Sessions().Pages().Renew(v.ctx, v.session)
	if errors.Is(err, jotgate.ErrNotAuthenticated) {
		return errors.Join(err, v.toLogin(true))
	}
	if err != nil {
		return err
	}
	v.session, v.User = s, s.User
	v.p.keep(v.w, v.r, s)
	return nil
}

func profileShow(v *visit) error {
	account, err := v.account()
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"username": account.Username, "first_name": account.FirstName, "last_name": account.LastName} {
		if _, typed := v.Values[name]; !typed {
			v.Values[name] = value
		}
	}
	v.Data = signupData{ByEmail: v.byEmail()}
	return nil
}

// profile changes the names. As in the API, a stolen session alone does not
// change the username.
func profile(v *visit) error {
	var username, first, last string
	fields := []field{{"first_name", &first, false}, {"last_name", &last, false}}
	if !v.byEmail() {
		fields = append(fields, field{"username", &username, true})
	}
	if err := v.read(fields...); err != nil {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	if username != "" && username != account.Username {
		if ok, err := v.fresh(); !ok {
			return err
		}
		if err := v.p.gate.Accounts().SetUsername(v.ctx, account, username, v.session.User.Session, v.client); err != nil {
			return err
		}
	}
	if first != account.FirstName || last != account.LastName {
		if err := v.p.gate.Accounts().SetNames(v.ctx, account, first, last, v.client); err != nil {
			return err
		}
	}
	if err := v.renew(); err != nil {
		return err
	}
	return v.to("", "saved")
}

// password changes the password; other sessions end.
func password(v *visit) error {
	var current, next string
	if err := v.read(field{"password", &current, true}, field{"new_password", &next, true}); err != nil {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	if err := v.confirm(account, current, "password"); err != nil {
		return err
	}
	if err := v.p.gate.Accounts().SetPassword(v.ctx, account, next, v.session.User.Session, v.client); err != nil {
		return renamed(err, "password", "new_password")
	}
	v.noticePassword(account)
	if err := v.renew(); err != nil {
		return err
	}
	return v.to("password", "password")
}

// emailsData is the Data of emails.html.
type emailsData struct {
	Email    string
	Verified bool
}

func emailsShow(v *visit) error {
	account, err := v.account()
	if err != nil {
		return err
	}
	verified, err := v.p.gate.Accounts().EmailVerified(v.ctx, account)
	v.Data = emailsData{account.Email, verified}
	return err
}

// emails asks for a link at a new address, which becomes the account's when the
// link is followed.
func emails(v *visit) error {
	var email, current string
	if err := v.read(field{"email", &email, true}, field{"password", &current, true}); err != nil {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	if err := v.confirm(account, current, "password"); err != nil {
		return err
	}
	before := *account
	if v.byEmail() {
		err = v.namedAfterLogin(v.p.gate.Accounts().SetUsername(v.ctx, account, email, v.session.User.Session, v.client))
	} else {
		err = v.p.gate.Accounts().SetEmail(v.ctx, account, email, v.p.options.SendActivationEmail, v.client)
	}
	if err != nil {
		return err
	}
	if account.Email != before.Email {
		v.p.gate.Accounts().Notify(v.ctx, record.MessageEmailChanged, &before, "")
	}
	return v.to("emails", "email")
}

func emailConfirmShow(v *visit) error {
	account, err := v.link(record.MessageEmailChange)
	d := confirmData{Kind: "email-confirm", Ask: "password"}
	if account != nil {
		d.Valid, d.Username = true, account.Username
		if v.session != nil && v.session.Owner == account.ID {
			d.Ask = ""
		}
	}
	v.Data = d
	return err
}

// emailConfirm makes the address of the link the account's. A browser that is
// not signed in as its owner also needs the password.
func emailConfirm(v *visit) error {
	var current string
	if err := v.read(field{"password", &current, false}); err != nil {
		return err
	}
	account, err := v.link(record.MessageEmailChange)
	if err != nil || account == nil {
		return errors.Join(err, v.wrong("", v.T("problem.link")))
	}
	owner := v.session != nil && v.session.Owner == account.ID
	if !owner {
		if current == "" {
			return v.wrong("password", v.T("problem.required.password"))
		}
		if err := v.confirm(account, current, "password"); err != nil {
			return err
		}
	}
	query := v.r.URL.Query()
	if _, err := v.p.gate.Links().ConfirmEmail(v.ctx, query.Get("uid"), query.Get("token"), v.client); err != nil {
		return v.namedAfterLogin(err)
	}
	if !owner {
		return v.to("login", "saved")
	}
	if err := v.renew(); err != nil {
		return err
	}
	return v.to("emails", "saved")
}

func emailUndoShow(v *visit) error {
	account, err := v.link(record.MessageEmailChanged)
	v.Data = confirmData{Kind: "email-undo", Ask: "username", Valid: account != nil}
	return err
}

// namedLink returns the account of the link, if the user has typed its username.
func (v *visit) namedLink(kind record.MessageKind) (*record.Account, error) {
	var username string
	if err := v.read(field{"username", &username, true}); err != nil {
		return nil, err
	}
	account, err := v.link(kind)
	if err != nil || account == nil {
		return nil, errors.Join(err, v.wrong("", v.T("problem.link")))
	}
	// Where users log in by address, a link about an address must not ask for it.
	if account.Username != username && (kind != record.MessageEmailChanged || !v.byEmail()) {
		return nil, v.wrong("username", v.T("problem.username"))
	}
	return account, nil
}

// emailUndo restores the address that the link was sent to. The user types the
// username, because some programs that scan e-mails press every button.
func emailUndo(v *visit) error {
	if _, err := v.namedLink(record.MessageEmailChanged); err != nil {
		return err
	}
	query := v.r.URL.Query()
	if _, err := v.p.gate.Links().UndoEmail(v.ctx, query.Get("uid"), query.Get("token"), v.client); err != nil {
		return err
	}
	return v.redirect(v.Path + "done?about=reset")
}
