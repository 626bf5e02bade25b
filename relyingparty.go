package jotgate

// Passkeys: what needs no Gate.

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/record"
)

// newRelyingParty returns nil if the settings have no RP ID. stored is false
// for a gate without a Store, which only checks settings.
func newRelyingParty(s *Settings, factors record.Factors, stored bool) (*passkey.RelyingParty, error) {
	if s.RPID == "" {
		if len(s.RPOrigins) > 0 {
			return nil, errors.New("jotgate: RPOrigins without RPID")
		}
		return nil, nil
	}
	if factors == nil && stored {
		return nil, errors.New("jotgate: RPID: these accounts cannot have passkeys: Settings.Users keeps them, or the Store has no Factors")
	}
	origins := s.RPOrigins
	if len(origins) == 0 {
		origins = []string{"https://" + s.RPID}
	}
	rp, err := passkey.New(passkey.Settings{ID: s.RPID, Name: s.MFAIssuer, Origins: origins})
	if err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	return rp, nil
}

// PasskeyCeremony is what a browser needs to log in with a passkey, or to register one.
type PasskeyCeremony struct {
	// PublicKey is the JSON of the options for navigator.credentials.get or create in
	// the browser.
	PublicKey json.RawMessage `json:"publicKey"`
	// Pending is the token to send with the browser's credential, within five
	// minutes. It can be used once.
	Pending string `json:"pending"`
}

// asksSecond reports whether one of the factors makes a password ask for a
// second factor.
func asksSecond(factors []record.Factor) bool {
	return slices.ContainsFunc(factors, func(f record.Factor) bool {
		return f.Type != record.FactorRecovery && (f.Type != record.FactorPasskey || !passkey.IsLoginOnly(f.Data))
	})
}

// PasskeyUse says what a passkey is registered for. At least one of the fields must be
// true.
type PasskeyUse struct {
	// Passwordless registers a passkey that can log in without a password. The device
	// must store it, and verify the user with a PIN or a biometric, which old security
	// keys cannot.
	Passwordless bool
	// SecondFactor makes the passkey a second factor: logins with a password then ask
	// for a second factor. If it is false and the account has no other second factor,
	// the password alone still logs in.
	SecondFactor bool
}

// PasskeyInfo describes a passkey to its owner.
type PasskeyInfo struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"`
	Created      time.Time `json:"created_at"`
	LastUsed     time.Time `json:"last_used_at,omitzero"`
	Synced       bool      `json:"synced"` // it may be on several devices
	Passwordless bool      `json:"passwordless"`
	SecondFactor bool      `json:"second_factor"`
}

const passkeyPurpose = "jotgate passkey"

// The ceremonies whose tokens are bound to an account. They cannot be exchanged.
const (
	newPasskey   = "new"
	againPasskey = "again"
)

// pendingPasskey is the content of such a token.
type pendingPasskey struct {
	ID    string          `json:"id"`
	Use   PasskeyUse      `json:"use"`
	State json.RawMessage `json:"pk"`
}

var (
	errPasskeyLimit  = &Error{Status: 400, Detail: "You have " + strconv.Itoa(passkey.Limit) + " passkeys. Remove one first.", Code: "passkey_limit"}
	errPasskeyExists = &Error{Status: 400, Detail: "This passkey is registered already.", Code: "passkey_exists"}
	errPasskeyUse    = &Error{Status: 400, Detail: "A passkey is for logins without a password, for the second factor, or both.", Code: "passkey_use"}
	errPasskeyName   = &Error{Status: 400, Fields: []FieldError{{Field: "name", Messages: []string{"Enter a name of 1 to 100 characters."}}}}
)

func refuseRegistration(err error) error {
	switch {
	case errors.Is(err, passkey.ErrExpired):
		return ErrLoginNotValid.Because(err)
	case errors.Is(err, passkey.ErrTooMany):
		return errPasskeyLimit
	case errors.Is(err, passkey.ErrExists):
		return errPasskeyExists
	default:
		return ErrPasskeyNotValid.Because(err)
	}
}

func passkeyRow(k *passkey.Passkey, now time.Time) (*record.Factor, error) {
	data, err := k.Data()
	return &record.Factor{Type: record.FactorPasskey, Data: string(data), Created: now.Truncate(time.Microsecond)}, err
}

func passkeyInfo(k *passkey.Passkey, f *record.Factor) PasskeyInfo {
	return PasskeyInfo{
		ID: f.ID, Name: k.Name, Created: f.Created, LastUsed: f.LastUsed,
		Synced: k.Synced, Passwordless: k.Discoverable && k.UserVerified, SecondFactor: !k.LoginOnly,
	}
}
