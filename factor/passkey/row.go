package passkey

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Passkey is a stored passkey. Create one with FinishRegistration or Parse.
type Passkey struct {
	Name       string
	ID         []byte   // chosen by the authenticator
	AAGUID     string   // the model of the authenticator, as a UUID; zeros if it is not disclosed
	Transports []string // how the browser reaches the authenticator, such as usb, internal or hybrid
	// Discoverable reports that the browser has confirmed that the passkey can log in
	// without a username. If it is false, this is not known.
	Discoverable bool
	// Synced reports that the passkey can be on several devices (the flag BE), and
	// BackedUp that it is at present (BS).
	Synced, BackedUp bool
	// UserVerified reports that the authenticator checked a PIN or a biometric when the
	// passkey was registered, or later in a login with another factor (uvInitialized in
	// WebAuthn). Only then does such a check count as a second factor at a login.
	UserVerified bool
	// LoginOnly reports that the passkey is for logins without a password: it does not
	// make a login with the password ask for a second factor. If one is asked for, the
	// passkey can be it.
	LoginOnly bool

	count     uint32
	publicKey []byte
	format    string
	// The members of the stored object, and of its member jotgate, also those that
	// this version does not know.
	members, own map[string]json.RawMessage
}

// maxName limits a passkey's name in characters.
const maxName = 100

// registration is the RegistrationResponseJSON of WebAuthn Level 3, section
// 5.1, as PublicKeyCredential.toJSON returns it.
type registration struct {
	ID         string         `json:"id"`
	RawID      string         `json:"rawId"`
	Type       string         `json:"type"`
	Attachment string         `json:"authenticatorAttachment,omitempty"`
	Response   attestation    `json:"response"`
	Extensions map[string]any `json:"clientExtensionResults"`
}

type attestation struct {
	ClientData        string   `json:"clientDataJSON"`
	AttestationObject string   `json:"attestationObject"`
	AuthenticatorData string   `json:"authenticatorData,omitempty"`
	Transports        []string `json:"transports"`
}

// facts is jotgate's member of the stored object: what changes with each use.
type facts struct {
	Count uint32 `json:"count"`
	BE    int    `json:"be"`
	BS    int    `json:"bs"`
	UV    int    `json:"uv"`
	Only  int    `json:"only"`
}

// Parse reads a passkey from the data of a row of django-allauth's
// mfa_authenticator of the type webauthn: an object with the name and the
// registration response. A row that django-allauth made has no counter and no
// flags of later uses; those of the registration count.
func Parse(data []byte) (*Passkey, error) {
	p := &Passkey{}
	if err := json.Unmarshal(data, &p.members); err != nil {
		return nil, fmt.Errorf("passkey: stored data: %w", err)
	}
	if name, ok := p.members["name"]; ok {
		if err := json.Unmarshal(name, &p.Name); err != nil {
			return nil, fmt.Errorf("passkey: stored name: %w", err)
		}
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(p.members["credential"])
	if err != nil {
		return nil, fmt.Errorf("passkey: stored credential: %w", err)
	}
	p.take(parsed)
	return p, p.readFacts()
}

// take copies what the attestation object says.
func (p *Passkey) take(parsed *protocol.ParsedCredentialCreationData) {
	auth := &parsed.Response.AttestationObject.AuthData
	flags := auth.Flags
	p.ID, p.publicKey, p.count = auth.AttData.CredentialID, auth.AttData.CredentialPublicKey, auth.Counter
	p.AAGUID = formatAAGUID(auth.AttData.AAGUID)
	p.Synced, p.BackedUp, p.UserVerified = flags.HasBackupEligible(), flags.HasBackupState(), flags.HasUserVerified()
	p.format, p.Transports = parsed.Response.AttestationObject.Format, nil
	for _, t := range parsed.Response.Transports {
		p.Transports = append(p.Transports, string(t))
	}
	props := parsed.ClientExtensionResults.CredProps
	p.Discoverable = props != nil && props.RK != nil && *props.RK
}

func (p *Passkey) readFacts() error {
	own, ok := p.members["jotgate"]
	if !ok {
		return nil
	}
	var f facts
	if err := errors.Join(json.Unmarshal(own, &p.own), json.Unmarshal(own, &f)); err != nil {
		return fmt.Errorf("passkey: stored facts: %w", err)
	}
	p.count, p.Synced, p.BackedUp, p.UserVerified, p.LoginOnly = f.Count, f.BE == 1, f.BS == 1, f.UV == 1, f.Only == 1
	return nil
}

// IsLoginOnly reports whether the data of a row says LoginOnly. It does not
// decode the registration.
func IsLoginOnly(data string) bool {
	var row struct{ Jotgate facts }
	return json.Unmarshal([]byte(data), &row) == nil && row.Jotgate.Only == 1
}

// Data returns the object to store. It has every member of the object that
// the passkey was read from.
func (p *Passkey) Data() ([]byte, error) {
	members, own := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, v := range p.members {
		members[name] = v
	}
	for name, v := range p.own {
		own[name] = v
	}
	var err error
	set := func(to map[string]json.RawMessage, name string, v any) {
		text, failed := json.Marshal(v)
		to[name], err = text, errors.Join(err, failed)
	}
	set(own, "count", p.count)
	set(own, "be", bit(p.Synced))
	set(own, "bs", bit(p.BackedUp))
	set(own, "uv", bit(p.UserVerified))
	if _, known := own["only"]; known || p.LoginOnly {
		set(own, "only", bit(p.LoginOnly))
	}
	set(members, "jotgate", own)
	set(members, "name", p.Name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Rename sets the name, without leading and trailing space. It reports false,
// and changes nothing, for an empty name, one of more than 100 characters and
// one with control characters.
func (p *Passkey) Rename(name string) bool {
	name = strings.TrimSpace(name)
	if !validName(name) {
		return false
	}
	p.Name = name
	return true
}

func validName(name string) bool {
	control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError }
	return name != "" && utf8.RuneCountInString(name) <= maxName && !strings.ContainsFunc(name, control)
}

// credential is the passkey in the library's form.
func (p *Passkey) credential() webauthn.Credential {
	c := webauthn.Credential{
		ID: p.ID, PublicKey: p.publicKey, AttestationFormat: p.format,
		Flags:         webauthn.CredentialFlags{UserVerified: p.UserVerified, BackupEligible: p.Synced, BackupState: p.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: p.count},
	}
	for _, t := range p.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

// clone returns a copy to change.
func (p *Passkey) clone() *Passkey {
	q := *p
	q.Transports = slices.Clone(p.Transports)
	return &q
}

// storable returns the registration in the form of toJSON, rebuilt from what
// was verified, so that nothing else of the request is stored.
func storable(parsed *protocol.ParsedCredentialCreationData) ([]byte, error) {
	raw := &parsed.Raw.AttestationResponse
	text := base64.RawURLEncoding.EncodeToString
	r := registration{
		ID: text(parsed.RawID), RawID: text(parsed.RawID), Type: "public-key", Attachment: string(parsed.AuthenticatorAttachment),
		Response: attestation{
			ClientData: text(raw.ClientDataJSON), AttestationObject: text(raw.AttestationObject),
			AuthenticatorData: text(parsed.Response.AttestationObject.RawAuthData), Transports: []string{},
		},
		Extensions: map[string]any{},
	}
	for _, t := range parsed.Response.Transports {
		r.Response.Transports = append(r.Response.Transports, string(t))
	}
	if props := parsed.ClientExtensionResults.CredProps; props != nil && props.RK != nil {
		r.Extensions["credProps"] = map[string]bool{"rk": *props.RK}
	}
	return json.Marshal(r)
}
