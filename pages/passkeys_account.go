package pages

// The passkeys of an account: adding and renaming them.

import (
	"errors"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/useragent"
	"github.com/jotgate/jotgate/record"
)

// newPasskeyData is the Data of new-passkey.html.
type newPasskeyData struct {
	Ceremony *ceremony
	Ask      bool // whether a password asks for a second factor from now on
}

// newPasskeyShow begins to register a passkey. If the account has a second factor
// already, the passkey is one, too; otherwise the user decides.
func newPasskeyShow(v *visit) error {
	if !v.p.hasPasskeys() {
		return jotgate.ErrNotFound
	}
	if ok, err := v.fresh(); !ok {
		return err
	}
	factors, err := v.factors()
	if err != nil {
		return err
	}
	d := newPasskeyData{Ask: !asksSecond(factors)}
	kind := forNew
	if !d.Ask || v.Values["second"] != "" {
		kind = forSecond
	}
	d.Ceremony, err = v.ceremony(kind)
	if err != nil && jotgate.AsError(err).Code == "passkey_limit" {
		_ = v.wrong("", v.T("passkey.limit"))
		d.Ceremony, err = nil, nil
	}
	v.Data = d
	return err
}

// newPasskey registers a passkey.
func newPasskey(v *visit) error {
	var token, credential, second string
	if err := v.read(field{"pending", &token, false}, field{"credential", &credential, false}, field{"second", &second, false}); err != nil {
		return err
	}
	if ok, err := v.fresh(); !ok {
		return err
	}
	account, err := v.account()
	if err != nil {
		return err
	}
	in := jotgate.NewPasskey{Pending: token, Credential: []byte(credential), Device: useragent.Describe(v.client.UserAgent)}
	_, codes, err := v.p.gate.Factors().Passkeys().Add(v.ctx, account, in, v.client)
	v.refused(err)
	switch {
	case errors.Is(err, jotgate.ErrLoginNotValid), errors.Is(err, jotgate.ErrPasskeyNotValid):
		return v.wrong("", v.T("passkey.failed"))
	case err != nil && jotgate.AsError(err).Code == "passkey_exists":
		return v.wrong("", v.T("passkey.exists"))
	case err != nil && jotgate.AsError(err).Code == "passkey_limit":
		return v.wrong("", v.T("passkey.limit"))
	case err != nil:
		return err
	case len(codes) > 0:
		return v.showCodes(codes)
	}
	return v.to("security", "passkey")
}

// renamePasskey gives a passkey another name.
func (v *visit) renamePasskey(account *record.Account, id int64, name string) error {
	_, err := v.p.gate.Factors().Passkeys().Rename(v.ctx, account, id, name, v.client)
	switch {
	case err != nil && jotgate.AsError(err).Status == 400:
		return v.wrong("passkey_name"+strconv.FormatInt(id, 10), v.T("problem.passkey_name"))
	case err != nil && !errors.Is(err, jotgate.ErrNotFound):
		return err
	}
	return v.to("security", "saved")
}

// passkeySignals returns what the script passes to the browser's Signal API, so that
// it stops offering passkeys that were removed.
func passkeySignals(v *visit) error {
	account, err := v.account()
	if err != nil {
		return err
	}
	_, signals, err := v.p.gate.Factors().Passkeys().List(v.ctx, account)
	if err != nil {
		return err
	}
	return v.sendJSON(signals)
}
