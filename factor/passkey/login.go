package passkey

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// BeginLogin begins a login. If the user has a handle, the passkey is a second factor:
// the options list the user's passkeys, and the error is ErrNoPasskey if there are
// none. For the zero User the browser offers every passkey that it has for the site,
// and the authenticator must check the user (a PIN or a biometric).
func (rp *RelyingParty) BeginLogin(user User, now time.Time) (Ceremony, error) {
	need := Alone
	if len(user.Handle) > 0 {
		need = Second
	}
	options := []webauthn.LoginOption{
		webauthn.WithUserVerification(need.verification()),
		func(o *protocol.PublicKeyCredentialRequestOptions) error {
			o.Timeout = int(Lifetime.Milliseconds())
			return nil
		},
	}
	var assertion *protocol.CredentialAssertion
	var session *webauthn.SessionData
	var err error
	switch {
	case need == Alone:
		assertion, session, err = rp.web.BeginDiscoverableLogin(options...)
	case len(user.Passkeys) == 0:
		return Ceremony{}, ErrNoPasskey
	default:
		assertion, session, err = rp.web.BeginLogin(rp.user(user), options...)
	}
	if err != nil {
		return Ceremony{}, err
	}
	return newCeremony(loggingIn, assertion.Response, session, now)
}

// Owner returns the user handle in the response to a login that began with the zero
// User. The response is not verified: use the handle only to find the user for
// FinishLogin. The error is ErrInvalid.
func Owner(response []byte) ([]byte, error) {
	parsed, err := parseAssertion(response)
	if err != nil {
		return nil, err
	}
	if len(parsed.Response.UserHandle) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, errNoHandle)
	}
	return parsed.Response.UserHandle, nil
}

func parseAssertion(response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	if len(response) > maxResponse {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrInvalid, maxResponse)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, invalid(err)
	}
	return parsed, nil
}

// Assertion is a verified login.
type Assertion struct {
	// Passkey is the passkey to store now, with its new counter and flags. The passkeys
	// in User are unchanged.
	Passkey *Passkey
	// UserVerified reports that the login has two factors: the passkey, and a PIN or a
	// biometric that the authenticator has checked and that counts (Passkey.UserVerified).
	UserVerified bool
	// BecameSynced reports that the passkey was bound to one device until now, and can
	// be on several from now on.
	BecameSynced bool
}

// FinishLogin verifies the browser's response with the user's passkeys. state is
// Ceremony.State of BeginLogin. Pass true for proved only if the user has proved
// another factor in the same login. Only then is a PIN or a biometric accepted from a
// passkey that had none until now (Passkey.UserVerified), because the thief of a
// security key can set a PIN.
//
// Errors: ErrInvalid, ErrExpired, ErrUnknown, and ErrCloned if the signature is valid
// but the counter of a passkey that is bound to one device has not grown. With
// ErrCloned the Assertion is not nil and has the passkey as it is stored.
func (rp *RelyingParty) FinishLogin(user User, state, response []byte, proved bool, now time.Time) (*Assertion, error) {
	session, err := openState(state, loggingIn, now)
	if err != nil {
		return nil, err
	}
	parsed, err := parseAssertion(response)
	if err != nil {
		return nil, err
	}
	stored, err := user.find(parsed.RawID)
	if err != nil {
		return nil, err
	}
	flags := parsed.Response.AuthenticatorData.Flags
	became := !stored.Synced && flags.HasBackupEligible()
	verified, err := rp.verify(user, stored, became, session, parsed)
	if err != nil {
		return nil, invalid(err)
	}
	// The stored flag decides: the counter of a passkey that becomes synced in
	// this login must still have grown.
	if verified.Authenticator.CloneWarning && !stored.Synced {
		return &Assertion{Passkey: stored}, ErrCloned
	}
	next := stored.clone()
	next.count, next.Synced, next.BackedUp = max(stored.count, verified.Authenticator.SignCount), flags.HasBackupEligible(), flags.HasBackupState()
	next.UserVerified = stored.UserVerified || proved && flags.HasUserVerified()
	return &Assertion{Passkey: next, UserVerified: flags.HasUserVerified() && next.UserVerified, BecameSynced: became}, nil
}

// verify has the library verify the response. It compares the flag BE with
// the stored one and refuses any change; a change from 0 to 1 happens when a
// platform begins to sync its passkeys, so that the flag is set before.
func (rp *RelyingParty) verify(user User, stored *Passkey, became bool, session webauthn.SessionData,
	parsed *protocol.ParsedCredentialAssertionData,
) (*webauthn.Credential, error) {
	a := rp.user(user)
	for i := range a.credentials {
		if became && bytes.Equal(a.credentials[i].ID, stored.ID) {
			a.credentials[i].Flags.BackupEligible = true
		}
	}
	if len(session.UserID) > 0 {
		return rp.web.ValidateLogin(a, session, parsed)
	}
	_, verified, err := rp.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return a, nil }, session, parsed)
	return verified, err
}

// Signals is what a page passes to the browser's Signal API, so that the browser
// forgets passkeys that were removed and shows the current name (WebAuthn Level 3,
// section 5.1.10). Script has the function for it.
type Signals struct {
	RPID        string   `json:"rpId"`
	UserID      string   `json:"userId"` // the handle in base64url
	Accepted    []string `json:"allAcceptedCredentialIds"`
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
}

// Signals returns the current state of the user's passkeys, to be sent as JSON to a
// page of that user alone.
func (rp *RelyingParty) Signals(user User) Signals {
	a := rp.user(user)
	s := Signals{
		RPID: rp.ID(), UserID: protocol.URLEncodedBase64(user.Handle).String(), Accepted: []string{},
		Name: a.WebAuthnName(), DisplayName: a.WebAuthnDisplayName(),
	}
	for _, p := range user.Passkeys {
		s.Accepted = append(s.Accepted, protocol.URLEncodedBase64(p.ID).String())
	}
	return s
}
