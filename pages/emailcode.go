package pages

// Signing in with a code by e-mail.

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/emailcode"
)

// emailCodeData is the Data of email-code-confirm.html.
type emailCodeData struct {
	// Code is the code of a link that was opened in another browser than the one that
	// requested it, which shows it instead of a form.
	Code string
}

// emailCodeShow shows the page for the address.
func emailCodeShow(v *visit) error {
	if !v.p.gate.Settings().LoginCodes {
		return jotgate.ErrNotFound
	}
	return nil
}

// emailCodeSend sends a code to the address. The response is the same for every
// address.
func emailCodeSend(v *visit) error {
	var email, keep string
	if err := errors.Join(emailCodeShow(v), v.readAddress(&email, field{"keep", &keep, false})); err != nil {
		return err
	}
	token, err := v.p.gate.Sessions().Pages().RequestCode(v.ctx, email, v.client)
	if err != nil {
		return err
	}
	return v.advance(jotgate.LoginState{Next: jotgate.StepFirst, Flows: []string{"email"}, Pending: token}, jotgate.PageLogin{Keep: keep != ""})
}

// emailCodeEnter shows the page for the code. The link in the e-mail leads here and
// fills the code in; programs that open the links of e-mails change nothing.
func emailCodeEnter(v *visit) error {
	if err := emailCodeShow(v); err != nil {
		return err
	}
	code := emailcode.Normalize(v.r.URL.Query().Get("code"))
	p := v.readPending()
	switch {
	case p != nil && p.page() != v.route.path:
		return v.redirect(v.address(p.page(), v.Next))
	case p == nil && code == "":
		return v.redirect(v.address("code", v.Next))
	case p == nil:
		v.Data = emailCodeData{code}
		return nil
	}
	if v.Values["email_code"] == "" {
		v.Values["email_code"] = code
	}
	v.Data = emailCodeData{}
	return nil
}

// emailCodeConfirm takes the first step of a login by the code.
func emailCodeConfirm(v *visit) error {
	var code string
	if err := errors.Join(emailCodeShow(v), v.read(field{"email_code", &code, true})); err != nil {
		return err
	}
	return v.next(jotgate.EmailCode(code), "email_code", "problem.email_code")
}
