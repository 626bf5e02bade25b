package pages

// Signing in and out.

import (
	"errors"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/useragent"
	"github.com/jotgate/jotgate/record"
)

// loginData is the Data of login.html.
type loginData struct {
	Ceremony  *ceremony
	Providers []providerButton
	Codes     bool // by e-mail
}

// loginShow fills in the name after a new password was set, and begins a ceremony
// with a passkey.
func loginShow(v *visit) error {
	begun, err := v.ceremony(forLogin)
	if err != nil {
		return err
	}
	if begun != nil {
		begun.Forget = v.forget
	}
	v.Data = loginData{begun, v.p.providerButtons(), v.p.gate.Settings().LoginCodes}
	if name := v.r.URL.Query().Get("name"); v.Values["username"] == "" && len(name) <= 254 {
		v.Values["username"] = name
	}
	return nil
}

// login checks a name and a password.
func login(v *visit) error {
	var username, password, keep, token, credential string
	err := v.read(field{"username", &username, false}, field{"password", &password, false}, field{"keep", &keep, false},
		field{"pending", &token, false}, field{"credential", &credential, false})
	switch {
	case err != nil:
		return err
	case credential != "":
		return v.passkeyLogin(token, credential, jotgate.PageLogin{Keep: keep != ""})
	case username == "" || password == "":
		return errors.Join(v.required("username", username), v.required("password", password))
	}
	return v.signIn(username, password, jotgate.PageLogin{Keep: keep != ""})
}

// signIn checks the password and takes the first step of a login.
func (v *visit) signIn(username, password string, kind jotgate.PageLogin) error {
	err := v.tryPassword(username, kind, func() (jotgate.LoginState, error) {
		return v.p.gate.Sessions().Pages().Begin(v.ctx, jotgate.Password(username, password), kind, v.client)
	})
	if errors.Is(err, jotgate.ErrNoActiveAccount) {
		return v.wrong("", v.T("problem.login"))
	}
	return err
}

// tryPassword runs check, which checks a password, within the limits on failures, and
// sends the browser to the next step.
func (v *visit) tryPassword(username string, kind jotgate.PageLogin, check func() (jotgate.LoginState, error)) error {
	var state jotgate.LoginState
	newNetwork, err := v.p.shell.Lockout().TryLogin(v.ctx, username, v.network, func() (id record.UserID, err error) {
		if state, err = check(); err != nil {
			return "", err
		}
		if state.Page == nil {
			return "", errSuspended
		}
		return state.Page.Owner, nil
	})
	if errors.Is(err, errSuspended) {
		return v.advance(state, kind)
	}
	if err != nil {
		return err
	}
	v.noticeSignIn(newNetwork, state.Page.Account)
	return v.advance(state, kind)
}

// errSuspended says that a login needs another step: until then it neither
// counts as a failure nor forgives any.
var errSuspended = errors.New("the login needs another step")

// noticeSignIn notifies the owner of a login from a new network.
func (v *visit) noticeSignIn(newNetwork bool, account *record.Account) {
	if newNetwork && v.p.options.NewSignInEmail {
		v.p.gate.Accounts().Notify(v.ctx, record.MessageNewSignIn, account, useragent.Origin(v.client.Address, v.client.UserAgent))
	}
}

// logoutShow asks before it signs out: a GET changes nothing.
func logoutShow(v *visit) error {
	if v.session == nil {
		return v.to("login", "signedout")
	}
	return nil
}

// logout ends the session of the browser. A member of staff who acted for the user is
// signed in as before.
func logout(v *visit) error {
	if v.client.Actor != "" {
		own, back, err := v.p.gate.Sessions().Pages().StopImpersonation(v.ctx, v.session, v.client)
		if err == nil {
			v.p.keep(v.w, v.r, own)
			return v.redirect(back)
		}
		if !errors.Is(err, jotgate.ErrNotAuthenticated) {
			return err
		}
	}
	var leave, name string
	if v.session != nil {
		leave, name = v.p.gate.Logins().Providers().LogoutURL(v.ctx, v.session, v.origin()+v.Path+"logout")
		if err := v.p.gate.Sessions().End(v.ctx, v.session.Owner, v.session.User.Session, v.client); err != nil && !errors.Is(err, jotgate.ErrNotFound) {
			return err
		}
	}
	v.p.setCookie(v.w, v.r, sessionCookie, "", -time.Second)
	if leave != "" {
		return v.leaveProvider(leave, name)
	}
	return v.to("login", "signedout")
}
