package pages

// The step of a login that a passkey completes.

import (
	"errors"
	"slices"

	"github.com/jotgate/jotgate"
)

// passkeyShow begins a ceremony for the pending login. Its options and its token
// are in the form, which the script submits with the browser's credential.
func passkeyShow(v *visit) error {
	if err := stepShow(v); err != nil || v.done {
		return err
	}
	p := v.readPending()
	if !slices.Contains(p.flows, "passkey") {
		return v.redirect(v.p.address(p.page(), v.Next))
	}
	client := v.client
	client.Browser = true
	begun, err := v.p.gate.Factors().Passkeys().BeginLogin(v.ctx, p.token, client)
	v.refused(err)
	if errors.Is(err, jotgate.ErrLoginNotValid) || errors.Is(err, jotgate.ErrNoActiveAccount) {
		return v.restart()
	}
	if err != nil {
		return err
	}
	d := v.Data.(stepData)
	d.PublicKey, d.Pending = string(begun.PublicKey), begun.Pending
	v.Data = d
	return nil
}

// passkeyStep takes the step by a passkey.
func passkeyStep(v *visit) error {
	var token, credential string
	if err := v.read(field{"pending", &token, false}, field{"credential", &credential, false}); err != nil {
		return err
	}
	return v.nextOf(token, jotgate.Passkey([]byte(credential)), "", "passkey.failed")
}
