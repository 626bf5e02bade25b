package pages

// Passkeys: to sign in, as a step of a login, and to authenticate again.

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/useragent"
)

// What a ceremony with a passkey is for.
const (
	forLogin  = "login"
	forStep   = "step"  // the next step of the login in progress
	forEnrol  = "enrol" // the same, if it sets up a passkey
	forAgain  = "again" // a signed-in user authenticates again
	forNew    = "new"   // a passkey is added
	forSecond = "second"
)

// ceremony is what a form with a passkey needs. The script asks for another one
// before it expires: POST passkey/options.
type ceremony struct {
	For       string `json:"-"`
	PublicKey string `json:"-"` // the options for the browser, JSON
	Pending   string `json:"pending"`
	// Forget is the id of a passkey that the server does not know: the browser
	// stops offering it.
	Forget string `json:"-"`
}

func (p *Pages) hasPasskeys() bool { return p.gate.Settings().RPID != "" }

// ceremony begins a ceremony. It returns nil if the server has no passkeys. forLogin
// and forAgain make no queries.
func (v *visit) ceremony(kind string) (*ceremony, error) {
	if !v.p.hasPasskeys() {
		return nil, nil
	}
	keys, client := v.p.gate.Factors().Passkeys(), v.client
	client.Browser = true
	var begun jotgate.PasskeyCeremony
	var err error
	switch kind {
	case forLogin, forAgain:
		begun, err = keys.BeginLogin(v.ctx, "", client)
	case forStep, forEnrol:
		p := v.readPending()
		if p == nil {
			return nil, jotgate.ErrLoginNotValid
		}
		if kind == forEnrol {
			begun, err = v.p.gate.Logins().BeginPasskeyEnrolment(v.ctx, p.token, client)
		} else {
			begun, err = keys.BeginLogin(v.ctx, p.token, client)
		}
	default:
		account, accountErr := v.account()
		if accountErr != nil {
			return nil, accountErr
		}
		begun, err = keys.Begin(v.ctx, account, jotgate.PasskeyUse{Passwordless: true, SecondFactor: kind == forSecond})
	}
	return &ceremony{For: kind, PublicKey: string(begun.PublicKey), Pending: begun.Pending}, err
}

// passkeyOptions begins a ceremony for the script of a page.
func passkeyOptions(v *visit) error {
	var kind string
	if err := v.read(field{"for", &kind, false}); err != nil {
		return err
	}
	signedIn := slices.Contains([]string{forAgain, forNew, forSecond}, kind)
	switch {
	case !v.p.hasPasskeys() || !signedIn && !slices.Contains([]string{forLogin, forStep, forEnrol}, kind):
		return jotgate.ErrNotFound
	case signedIn && v.session == nil:
		return jotgate.ErrNotAuthenticated
	case kind == forNew || kind == forSecond:
		if recent, err := v.isFresh(); err != nil || !recent {
			return errors.Join(err, jotgate.ErrForbidden)
		}
	}
	c, err := v.ceremony(kind)
	v.refused(err)
	if err != nil {
		return err
	}
	return v.sendJSON(struct {
		PublicKey json.RawMessage `json:"publicKey"`
		*ceremony
	}{json.RawMessage(c.PublicKey), c})
}

// sendJSON responds to a script.
func (v *visit) sendJSON(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	v.done = true
	v.w.Header().Set("Content-Type", "application/json")
	v.w.WriteHeader(http.StatusOK)
	_, _ = v.w.Write(text)
	return nil
}

// passkeyLogin signs in with a passkey alone, or with its owner's password if the
// device has not verified the user.
func (v *visit) passkeyLogin(token, credential string, kind jotgate.PageLogin) error {
	err := v.take(token, jotgate.Passkey([]byte(credential)), kind)
	switch {
	case errors.Is(err, jotgate.ErrPasskeyUnknown):
		v.forget = idOf(credential)
		return v.wrong("", v.T("passkey.unknown"))
	case errors.Is(err, jotgate.ErrPasskeyNotValid), errors.Is(err, jotgate.ErrLoginNotValid), errors.Is(err, jotgate.ErrCodeNotValid):
		return v.wrong("", v.T("passkey.failed"))
	case errors.Is(err, jotgate.ErrNoActiveAccount):
		return v.wrong("", v.T("problem.login"))
	}
	return err
}

var credentialID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// idOf returns the id of a credential, in base64url; "" if it has none.
func idOf(credential string) string {
	var c struct{ ID string }
	if json.Unmarshal([]byte(credential), &c) != nil || len(c.ID) > 1364 || !credentialID.MatchString(c.ID) {
		return ""
	}
	return c.ID
}

// passkeyShow begins a ceremony for the pending login. Its options and its token
// are in the form, which the script submits with the browser's credential.
func passkeyShow(v *visit) error { return v.showCeremony(forStep) }

// enrolPasskeyShow is passkeyShow for a login that must set up a second factor.
func enrolPasskeyShow(v *visit) error { return v.showCeremony(forEnrol) }

func (v *visit) showCeremony(kind string) error {
	if err := stepShow(v); err != nil || v.done {
		return err
	}
	begun, err := v.ceremony(kind)
	v.refused(err)
	if errors.Is(err, jotgate.ErrLoginNotValid) || errors.Is(err, jotgate.ErrNoActiveAccount) {
		return v.restart()
	}
	if err != nil {
		return err
	}
	d := v.Data.(stepData)
	d.Ceremony = begun
	v.Data = d
	return nil
}

// passkeyStep takes the step by a passkey.
func passkeyStep(v *visit) error {
	return v.credentialStep(func(credential []byte) jotgate.Proof { return jotgate.Passkey(credential) })
}

// enrolPasskey takes the step by setting up a passkey, and shows the recovery codes.
func enrolPasskey(v *visit) error {
	return v.credentialStep(func(credential []byte) jotgate.Proof {
		return jotgate.EnrolPasskey(jotgate.NewPasskey{Credential: credential, Device: useragent.Describe(v.client.UserAgent)})
	})
}

func (v *visit) credentialStep(proof func(credential []byte) jotgate.Proof) error {
	var token, credential string
	if err := v.read(field{"pending", &token, false}, field{"credential", &credential, false}); err != nil {
		return err
	}
	return v.nextOf(token, proof([]byte(credential)), "", "passkey.failed")
}
