package pages

// New accounts: sign-up, activation, and another activation link.

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// signupData is the Data of signup.html.
type signupData struct {
	ByEmail bool // users log in by e-mail and have no other name
	Closed  bool
}

func signupShow(v *visit) error {
	v.Data = signupData{v.byEmail(), v.p.options.NoSignup}
	return nil
}

// byEmail reports whether users log in by e-mail.
func (v *visit) byEmail() bool { return v.p.gate.Accounts().LoginIsEmail() }

// signup creates an account. Without an activation it also signs in.
func signup(v *visit) error {
	if v.p.options.NoSignup {
		return jotgate.ErrForbidden
	}
	var in jotgate.Registration
	fields := []field{{"email", &in.Email, true}, {"password", &in.Password, true}}
	if !v.byEmail() {
		fields = append([]field{{"username", &in.Username, true}}, fields...)
	}
	if err := v.read(fields...); err != nil {
		return err
	}
	in.Activate = v.p.options.SendActivationEmail
	account, err := v.p.gate.Register(v.ctx, in, v.client)
	switch {
	case err != nil:
		return v.signedUpBefore(in, err)
	case in.Activate:
		return v.redirect(v.Path + "done?about=activation")
	case v.p.options.SendConfirmationEmail:
		v.p.gate.Accounts().Notify(v.ctx, record.MessageConfirmation, account, "")
	}
	return v.signIn(account.Username, in.Password, jotgate.PageLogin{})
}

// signedUpBefore handles a sign-up whose name is taken. If it has the password
// of that account, the form was sent twice, and the user is signed in.
func (v *visit) signedUpBefore(in jotgate.Registration, err error) error {
	e := jotgate.AsError(err)
	taken := e.Is(jotgate.ErrTaken) || len(e.List) > 0
	if !taken {
		return v.namedAfterLogin(err)
	}
	name := in.Username
	if name == "" {
		name = in.Email
	}
	if err := v.signIn(name, in.Password, jotgate.PageLogin{}); v.done || err != nil && !errors.Is(err, errInvalid) {
		return err
	}
	v.Errors = nil
	if v.byEmail() {
		return v.wrong("email", v.T("error.email.taken"))
	}
	return v.wrong("username", v.T("error.username.taken"))
}

// namedAfterLogin renames the field of an error if users log in by e-mail.
func (v *visit) namedAfterLogin(err error) error {
	var e *jotgate.Error
	if !errors.As(err, &e) || !v.byEmail() {
		return err
	}
	c := *e
	c.Fields = nil
	for _, f := range e.Fields {
		if f.Field == "username" {
			f.Field = "email"
		}
		c.Fields = append(c.Fields, f)
	}
	return &c
}

// confirmData is the Data of confirm.html: a page of a link in an e-mail. A GET
// changes nothing, because programs that scan e-mails follow every link; nor
// does a press of the button alone, because some of them press every button.
type confirmData struct {
	Valid    bool
	Kind     string // prefix of the ids of its messages
	Username string
	Ask      string // what the user types: password or email; "" if it is signed in
	Resend   string // the page that sends another link
}

// link returns the account of the link that was followed, or nil.
func (v *visit) link(kind record.MessageKind) (*record.Account, error) {
	query := v.r.URL.Query()
	account, err := v.p.gate.Links().Account(v.ctx, kind, query.Get("uid"), query.Get("token"))
	var e *jotgate.Error
	if errors.As(err, &e) && e.Status == 400 {
		v.refused(err)
		return nil, nil
	}
	return account, err
}

func activateShow(v *visit) error {
	account, err := v.link(record.MessageActivation)
	d := confirmData{Kind: "activate", Ask: "password", Resend: "resend"}
	if account != nil {
		d.Valid, d.Username = true, account.Username
	}
	v.Data = d
	return err
}

// activate activates the account and signs in.
func activate(v *visit) error {
	var password string
	if err := v.read(field{"password", &password, true}); err != nil {
		return err
	}
	account, err := v.link(record.MessageActivation)
	if err != nil || account == nil {
		return v.unlessDone(err)
	}
	if err := v.confirm(account, password, "password"); err != nil {
		return err
	}
	query := v.r.URL.Query()
	if account, err = v.p.gate.Links().Activate(v.ctx, query.Get("uid"), query.Get("token"), v.client); err != nil {
		return err
	}
	if v.p.options.SendConfirmationEmail {
		v.p.gate.Accounts().Notify(v.ctx, record.MessageConfirmation, account, "")
	}
	return v.signIn(account.Username, password, jotgate.PageLogin{})
}

// unlessDone shows the page of a link that is not valid. The first of two
// presses may have signed in.
func (v *visit) unlessDone(err error) error {
	if err != nil {
		return err
	}
	if v.session != nil {
		return v.goHome()
	}
	return v.wrong("", v.T("problem.link"))
}

// confirm checks the password of an account before a change. It counts failures
// as the login does.
func (v *visit) confirm(account *record.Account, password, name string) error {
	_, err := v.p.shell.Lockout().Try(v.ctx, account.Username, v.network, func() (record.UserID, error) {
		return account.ID, v.p.gate.Accounts().CheckPassword(v.ctx, account, password)
	})
	if errors.Is(err, jotgate.ErrWrongPassword) {
		v.refusal = true // recorded with the account, whether or not the browser is signed in
		v.p.gate.Events().RecordRefusal(v.ctx, err, account.ID, v.client)
		return v.wrong(name, v.T("problem.password"))
	}
	return err
}

// resend sends another activation link, if the address awaits one.
func resend(v *visit) error {
	return v.requestLink(record.MessageActivation, "done?about=activation")
}

// requestLink sends an e-mail with a link to the typed address, if it is that of
// an account; the page does not say whether it is.
func (v *visit) requestLink(kind record.MessageKind, after string) error {
	var email string
	if err := v.readAddress(&email); err != nil {
		return err
	}
	v.p.gate.Events().Record(v.ctx, record.Event{Name: "link_requested", Subject: v.p.gate.Events().Subject(email), Detail: string(kind)}, v.client)
	if _, err := v.p.gate.Links().Request(v.ctx, kind, email); err != nil {
		return err
	}
	return v.redirect(v.Path + after)
}

// readAddress reads the form of a page that sends an e-mail to the typed address, with
// its further fields.
func (v *visit) readAddress(email *string, further ...field) error {
	if err := v.read(append(further, field{"email", email, true})...); err != nil {
		return err
	}
	if err := names.CheckEmail(*email); err != nil {
		return v.wrong("email", v.Catalog.ErrorText(err.Error()))
	}
	return nil
}

// doneData is the Data of done.html.
type doneData struct {
	Kind string // prefix of the ids of its messages
}

// doneShow says that an e-mail is on its way.
func doneShow(v *visit) error {
	v.Data = doneData{"done.reset"}
	if v.r.URL.Query().Get("about") == "activation" {
		v.Data = doneData{"done.activation"}
	}
	return nil
}
