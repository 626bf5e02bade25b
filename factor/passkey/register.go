package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Requirement is the purpose of a passkey, which decides what its authenticator must do.
type Requirement int

// The purposes of a passkey.
const (
	// Second is a second factor after a password. The authenticator checks the
	// user (a PIN or a biometric) if it can.
	Second Requirement = iota
	// Alone is a passkey that logs in by itself: the authenticator must check the
	// user and, at the registration, must store the passkey (a discoverable one).
	Alone
)

func (r Requirement) verification() protocol.UserVerificationRequirement {
	if r == Alone {
		return protocol.VerificationRequired
	}
	return protocol.VerificationPreferred
}

func (r Requirement) residence() protocol.ResidentKeyRequirement {
	if r == Alone {
		return protocol.ResidentKeyRequirementRequired
	}
	return protocol.ResidentKeyRequirementPreferred
}

// BeginRegistration begins to register a passkey for the user, who must have a handle.
// An authenticator that already has one of the user's passkeys refuses to make another
// one. The error is ErrTooMany if the user has Limit passkeys.
func (rp *RelyingParty) BeginRegistration(user User, need Requirement, now time.Time) (Ceremony, error) {
	if len(user.Passkeys) >= Limit {
		return Ceremony{}, ErrTooMany
	}
	resident := need == Alone
	exclude := webauthn.Credentials(rp.user(user).WebAuthnCredentials()).CredentialDescriptors()
	creation, session, err := rp.web.BeginRegistration(
		rp.user(user),
		webauthn.WithExclusions(exclude),
		webauthn.WithCredentialParameters(webauthn.CredentialParametersRecommendedL3()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: need.residence(), RequireResidentKey: &resident, UserVerification: need.verification(),
		}),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Timeout = int(Lifetime.Milliseconds())
			return nil
		},
	)
	if err != nil {
		return Ceremony{}, err
	}
	return newCeremony(registering, creation.Response, session, now)
}

// FinishRegistration verifies the browser's response and returns the passkey to store.
// state is Ceremony.State of BeginRegistration. The passkey gets the name of the
// authenticator's model, or fallback if the model is unknown, or "Passkey" if fallback
// is not a valid name; a number is added if the user has a passkey of that name.
// Errors: ErrInvalid, ErrExpired, ErrExists, ErrTooMany.
func (rp *RelyingParty) FinishRegistration(user User, state, response []byte, fallback string, now time.Time) (*Passkey, error) {
	session, err := openState(state, registering, now)
	if err != nil {
		return nil, err
	}
	if len(user.Passkeys) >= Limit {
		return nil, ErrTooMany
	}
	if len(response) > maxResponse {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrInvalid, maxResponse)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, invalid(err)
	}
	if _, err := rp.web.CreateCredential(rp.user(user), session, parsed); err != nil {
		return nil, invalid(err)
	}
	p := &Passkey{members: map[string]json.RawMessage{}}
	p.take(parsed)
	for _, other := range user.Passkeys {
		if bytes.Equal(other.ID, p.ID) {
			return nil, ErrExists
		}
	}
	if p.members["credential"], err = storable(parsed); err != nil {
		return nil, err
	}
	if !validName(fallback) {
		fallback = "Passkey"
	}
	p.Name = freeName(modelName(p.AAGUID, fallback), user.Passkeys)
	return p, nil
}

// account adapts User to the library.
type account struct {
	User
	credentials []webauthn.Credential
}

func (rp *RelyingParty) user(u User) *account {
	a := &account{User: u}
	for _, p := range u.Passkeys {
		a.credentials = append(a.credentials, p.credential())
	}
	return a
}

func (a *account) WebAuthnID() []byte                         { return a.Handle }
func (a *account) WebAuthnName() string                       { return a.Name }
func (a *account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }
func (a *account) WebAuthnDisplayName() string {
	if a.DisplayName == "" {
		return a.Name
	}
	return a.DisplayName
}

// find returns the user's passkey of this id.
func (u User) find(id []byte) (*Passkey, error) {
	for _, p := range u.Passkeys {
		if bytes.Equal(p.ID, id) {
			return p, nil
		}
	}
	return nil, ErrUnknown
}

var errNoHandle = errors.New("the response has no user handle")
