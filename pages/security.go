package pages

// The page of the second factors.

import (
	"errors"
	"html/template"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/record"
)

// securityData is the Data of security.html.
type securityData struct {
	App         *jotgate.FactorInfo // the authenticator app, nil without one
	Codes       *jotgate.FactorInfo // the recovery codes, nil without any
	Few         bool                // of the recovery codes few are left
	HasPasskeys bool                // the server has passkeys
	Passkeys    []*jotgate.PasskeyInfo
	Renamed     string // the id of the passkey whose new name is not valid
	Connected   []jotgate.ConnectedAccount
	Providers   []providerButton // that can be connected
	Signal      bool             // the page sends the browser the list of passkeys
}

// fewCodes is how many recovery codes are few.
const fewCodes = 3

func securityShow(v *visit) error {
	factors, err := v.factors()
	if err != nil {
		return err
	}
	d := securityData{HasPasskeys: v.p.hasPasskeys(), Renamed: v.Values["rename"], Signal: v.p.hasPasskeys() && v.r.URL.Query().Has("done")}
	for i := range factors {
		switch factors[i].Type {
		case record.FactorTOTP:
			d.App = &factors[i]
		case record.FactorPasskey:
			if factors[i].Passkey != nil {
				d.Passkeys = append(d.Passkeys, factors[i].Passkey)
			}
		case record.FactorRecovery:
			d.Codes, d.Few = &factors[i], factors[i].Left <= fewCodes
		}
	}
	if d.Providers = v.p.providerButtons(); len(d.Providers) > 0 {
		account, err := v.account()
		if err != nil {
			return err
		}
		if d.Connected, err = v.p.gate.Logins().Providers().Connected(v.ctx, account); err != nil {
			return err
		}
	}
	v.Data = d
	return nil
}

// security removes a factor, renames a passkey or makes new recovery codes. The user
// must have authenticated recently.
func security(v *visit) error {
	var remove, codes, rename, name, disconnect string
	if err := v.read(field{"remove", &remove, false}, field{"disconnect", &disconnect, false}, field{"codes", &codes, false}, field{"rename", &rename, false}, field{"passkey_name", &name, false}); err != nil {
		return err
	}
	if ok, err := v.fresh(); !ok {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	if disconnect != "" {
		return v.disconnect(account, disconnect)
	}
	if codes != "" {
		list, err := v.p.gate.Factors().NewRecoveryCodes(v.ctx, account, v.client)
		if errors.Is(err, jotgate.ErrForbidden) { // another tab has removed the factor
			v.refused(err)
			return v.wrong("", v.T("problem.refused"))
		}
		if err != nil {
			return err
		}
		return v.showCodes(list)
	}
	id, err := strconv.ParseInt(remove+rename, 10, 64)
	if err != nil {
		return v.wrong("", v.T("problem.refused"))
	}
	if rename != "" {
		return v.renamePasskey(account, id, name)
	}
	if err := v.p.gate.Factors().Remove(v.ctx, account, id, v.client); errors.Is(err, jotgate.ErrLastWay) {
		return v.wrong("", v.T("problem.last_way"))
	} else if err != nil && !errors.Is(err, jotgate.ErrNotFound) {
		return err
	}
	return v.to("security", "saved")
}

// appShow makes a secret for an authenticator app. It is in the page alone until
// it is confirmed: a page that is shown again because of a wrong code has it in
// its form.
func appShow(v *visit) error {
	if len(v.Errors) > 0 && v.Values["token"] != "" {
		return v.showApp(jotgate.NewTOTP{Secret: v.Values["secret"], URL: v.Values["url"], Token: v.Values["token"]})
	}
	if ok, err := v.fresh(); !ok {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	secret, err := v.p.gate.Factors().BeginTOTP(v.ctx, account)
	if errors.Is(err, jotgate.ErrForbidden) || err != nil && jotgate.AsError(err).Code == "totp_exists" {
		return v.redirect(v.Path + "security")
	}
	if err != nil {
		return err
	}
	return v.showApp(secret)
}

// enrolShow makes a secret for a login that must set up an authenticator app.
func enrolShow(v *visit) error {
	if err := stepShow(v); err != nil || v.done {
		return err
	}
	if len(v.Errors) > 0 && v.Values["token"] != "" {
		return v.showApp(jotgate.NewTOTP{Secret: v.Values["secret"], URL: v.Values["url"], Token: v.Values["token"]})
	}
	client := v.client
	client.Browser = true
	secret, err := v.p.gate.Logins().BeginEnrolment(v.ctx, v.readPending().token, client)
	v.refused(err)
	if errors.Is(err, jotgate.ErrLoginNotValid) {
		return v.restart()
	}
	if err != nil {
		return err
	}
	return v.showApp(secret)
}

// enrol sets up the app in the login, and shows the recovery codes.
func enrol(v *visit) error {
	var token, code, secret, url string
	if err := v.read(field{"token", &token, false}, field{"secret", &secret, false}, field{"url", &url, false}, field{"code", &code, true}); err != nil {
		return err
	}
	return v.next(jotgate.EnrolTOTP(token, strings.Join(strings.Fields(code), "")), "code", "problem.code")
}

// showApp shows a secret and its QR code.
func (v *visit) showApp(secret jotgate.NewTOTP) error {
	svg, err := totp.SVG(secret.URL)
	if err != nil {
		return jotgate.ErrNotFound.Because(err) // an address that the page did not make
	}
	// The page has a name for the image in its language.
	svg = strings.Replace(svg, `role="img" aria-label="QR code"`, `aria-hidden="true"`, 1)
	d, _ := v.Data.(stepData)
	d.New, d.SVG = &secret, template.HTML(svg) //nolint:gosec // made by package totp: numbers in a path
	v.Data = d
	return nil
}

// app adds the authenticator app and shows the recovery codes.
func app(v *visit) error {
	var token, code string
	var secret, url string
	if err := v.read(field{"token", &token, false}, field{"secret", &secret, false}, field{"url", &url, false}, field{"code", &code, true}); err != nil {
		return err
	}
	if ok, err := v.fresh(); !ok {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	codes, err := v.p.gate.Factors().AddTOTP(v.ctx, account, token, strings.Join(strings.Fields(code), ""), v.client)
	v.refused(err)
	switch {
	case errors.Is(err, jotgate.ErrCodeNotValid):
		return v.wrong("code", v.T("problem.code"))
	case errors.Is(err, jotgate.ErrLoginNotValid):
		v.Values["token"] = "" // the page makes another one
		return v.wrong("", v.T("problem.enrolment"))
	case err != nil && jotgate.AsError(err).Code == "totp_exists":
		return v.to("security", "saved") // a double click
	case err != nil:
		return err
	case len(codes) == 0:
		return v.to("security", "saved")
	}
	return v.showCodes(codes)
}

// codesData is the Data of codes.html.
type codesData struct {
	Codes []string
	To    string // the address of the button below
}

// codesRoute is the page of new recovery codes, which has no address.
var codesRoute = &route{template: "codes.html", title: "codes.title", access: member}

// showCodes shows new recovery codes. They are only in this response to a POST:
// the page cannot be opened again.
func (v *visit) showCodes(codes []string) error {
	to := v.Path + "security"
	if v.Next != "" {
		to = v.Next
	}
	v.route = codesRoute
	v.Page, v.Title, v.Data = "security", codesRoute.title, codesData{codes, to}
	return v.render(200)
}
