// Package passkey verifies passkeys: the registration and login ceremonies of
// Web Authentication (WebAuthn Level 3), and the form in which a passkey is
// stored, which is that of django-allauth.
//
// A ceremony has two halves. The first returns options for the browser and a
// state that the caller keeps secret and unchanged, usually encrypted, until
// the second half; the second verifies the browser's response against both:
//
//	c, err := rp.BeginLogin(passkey.User{}, time.Now())   // c.Options to the browser, c.State sealed
//	handle, err := passkey.Owner(response)                // whose passkey it is
//	a, err := rp.FinishLogin(user, c.State, response, false, time.Now())
//
// The functions keep nothing: they do not access a database and read no clock.
// So the same response verifies as often as it is presented until its state
// expires. The caller must make each state usable once, for example with a row
// in a table that has a unique key, in the transaction that uses the result.
//
// A RelyingParty is safe for concurrent use.
package passkey

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	// Limit is the number of passkeys that an account may have.
	Limit = 20
	// Lifetime is the time between the two halves of a ceremony.
	Lifetime = 5 * time.Minute
	// maxResponse limits a response of a browser in bytes. Attestation
	// certificates make the largest ones, of about 8 KiB.
	maxResponse = 32 << 10
)

// The reasons why a ceremony fails. Errors of this package wrap one of them
// and add what was wrong: a detail for the log, not for the user.
var (
	// ErrInvalid means that the response does not belong to the ceremony or does
	// not verify.
	ErrInvalid = errors.New("passkey: the response is not valid")
	// ErrExpired means that the ceremony began more than Lifetime ago.
	ErrExpired = errors.New("passkey: the ceremony has expired")
	// ErrUnknown means that the user has no passkey of this id. The page may ask
	// the browser to forget it (signalUnknownCredential).
	ErrUnknown = errors.New("passkey: unknown passkey")
	// ErrCloned means that the signature verifies but its counter has not grown,
	// although the passkey is bound to one device: it may have been copied.
	ErrCloned = errors.New("passkey: the signature counter has not grown")
	// ErrExists means that the user has registered this passkey already.
	ErrExists = errors.New("passkey: already registered")
	// ErrTooMany means that the user has Limit passkeys.
	ErrTooMany = errors.New("passkey: too many passkeys")
	// ErrNoPasskey means that the user has no passkey to log in with.
	ErrNoPasskey = errors.New("passkey: the user has no passkey")
)

// Settings describes the site that passkeys are registered for.
type Settings struct {
	// ID is the relying party's id: a host name without scheme and port, such as
	// example.com. Passkeys work for it and its subdomains, and only as long as it
	// does not change. An IP address is not possible.
	ID string
	// Name is the site's name for the dialogs of browsers; empty: ID.
	Name string
	// Origins lists the pages and apps that use passkeys: addresses such as
	// https://www.example.com, and "android:apk-key-hash:…". An origin outside
	// ID is a related origin (RelatedOrigins); their names may have at most five
	// different labels.
	Origins []string
}

// RelyingParty runs the ceremonies for one site. Create it with New.
type RelyingParty struct {
	web     *webauthn.WebAuthn
	related []string
}

// New checks the settings. An error says what is wrong, for the operator.
func New(s Settings) (*RelyingParty, error) {
	if err := checkID(s.ID); err != nil {
		return nil, err
	}
	if len(s.Origins) == 0 {
		return nil, errors.New("passkey: no origin: passkeys need the address of the pages that use them")
	}
	if s.Name == "" {
		s.Name = s.ID
	}
	rp := &RelyingParty{}
	config := &webauthn.Config{
		RPID: s.ID, RPDisplayName: s.Name,
		AttestationPreference: protocol.PreferNoAttestation,
		// Password managers return results of extensions that were not asked for.
		// Nothing here depends on one (WebAuthn Level 3, section 7.1, step 20).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	}
	for _, origin := range s.Origins {
		if protocol.IsOpaqueOrigin(origin) {
			config.RPOpaqueOrigins = append(config.RPOpaqueOrigins, origin)
			continue
		}
		secure, inside, err := inspect(origin, s.ID)
		switch {
		case err != nil:
			return nil, err
		case !secure:
			return nil, fmt.Errorf("passkey: origin %s: browsers offer passkeys only over https, or http on localhost", origin)
		case !inside:
			rp.related = append(rp.related, origin)
		}
		config.RPOrigins = append(config.RPOrigins, origin)
	}
	if len(rp.related) > 0 {
		if _, err := protocol.NewRelatedOrigins(config.RPOrigins...); err != nil {
			return nil, fmt.Errorf("passkey: %w", err)
		}
	}
	var err error
	if rp.web, err = webauthn.New(config); err != nil {
		return nil, fmt.Errorf("passkey: %w", err)
	}
	return rp, nil
}

// checkID refuses what no browser accepts as an RP ID.
func checkID(id string) error {
	if _, err := netip.ParseAddr(strings.Trim(id, "[]")); err == nil {
		return fmt.Errorf("passkey: relying party id %s: browsers do not accept an IP address; use a host name such as localhost", id)
	}
	if err := protocol.ValidateRPID(id); err != nil || id != strings.ToLower(id) || strings.ContainsAny(id, ":/@ ") {
		return fmt.Errorf("passkey: relying party id %q must be a host name in lower case such as example.com", id)
	}
	return nil
}

// inspect reports whether an origin is a secure context and whether it is
// inside the RP ID.
func inspect(origin, id string) (secure, inside bool, err error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return false, false, fmt.Errorf("passkey: origin %q must be a scheme and a host such as https://www.example.com", origin)
	}
	host := u.Hostname()
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	return u.Scheme == "https" || u.Scheme == "http" && local, host == id || strings.HasSuffix(host, "."+id), nil
}

// DefaultID returns the RP ID and the origin for the address of a site, or two
// empty strings if browsers do not offer passkeys there: at an IP address, or
// over http on another host than localhost.
func DefaultID(address string) (id, origin string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	id, origin = strings.ToLower(u.Hostname()), u.Scheme+"://"+strings.ToLower(u.Host)
	if host, port, err := net.SplitHostPort(u.Host); err == nil && (u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80") {
		origin = u.Scheme + "://" + strings.ToLower(host)
	}
	if _, err := New(Settings{ID: id, Origins: []string{origin}}); err != nil {
		return "", ""
	}
	return id, origin
}

// ID returns the relying party's id.
func (rp *RelyingParty) ID() string { return rp.web.Config.RPID }

// RelatedOrigins returns the document for /.well-known/webauthn at the RP ID's
// host, or nil if every origin is inside the RP ID and none is needed
// (WebAuthn Level 3, section 5.11).
func (rp *RelyingParty) RelatedOrigins() []byte {
	if len(rp.related) == 0 {
		return nil
	}
	text, _ := json.Marshal(map[string][]string{"origins": rp.web.Config.RPOrigins})
	return text
}

// User is an account in a ceremony.
type User struct {
	Handle      []byte // see Handle
	Name        string // the login name, which browsers show
	DisplayName string // a friendlier name; empty: Name
	Passkeys    []*Passkey
}

// Ceremony is the first half of a ceremony.
type Ceremony struct {
	// Options is the JSON of PublicKeyCredentialCreationOptions or
	// PublicKeyCredentialRequestOptions, which the browser's
	// parseCreationOptionsFromJSON and parseRequestOptionsFromJSON accept.
	Options json.RawMessage
	// State is JSON of about 120 bytes for the second half. A client that can
	// change it can forge a response, so it must be authenticated; it is not
	// confidential.
	State json.RawMessage
}

// state is what the second half must know. The rest of the library's session
// data follows from it and from the settings.
type state struct {
	Kind         string                               `json:"k"`
	Expires      int64                                `json:"e"` // Unix time
	Challenge    string                               `json:"c"`
	Handle       []byte                               `json:"u,omitempty"`
	Verification protocol.UserVerificationRequirement `json:"v"`
}

const (
	registering = "create"
	loggingIn   = "get"
)

func newCeremony(kind string, options any, session *webauthn.SessionData, now time.Time) (Ceremony, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, err
	}
	kept, err := json.Marshal(state{
		Kind: kind, Expires: now.Add(Lifetime).Unix(),
		Challenge: session.Challenge, Handle: session.UserID, Verification: session.UserVerification,
	})
	return Ceremony{Options: text, State: kept}, err
}

// openState reads the state of a ceremony of one kind.
func openState(text []byte, kind string, now time.Time) (webauthn.SessionData, error) {
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Kind != kind {
		return webauthn.SessionData{}, fmt.Errorf("%w: it belongs to another ceremony", ErrInvalid)
	}
	if now.Unix() >= s.Expires {
		return webauthn.SessionData{}, ErrExpired
	}
	return webauthn.SessionData{
		Challenge: s.Challenge, UserID: s.Handle, UserVerification: s.Verification, CredParams: webauthn.CredentialParametersRecommendedL3(),
	}, nil
}

// invalid wraps an error of the library with its details.
func invalid(err error) error {
	var detailed *protocol.Error
	if errors.As(err, &detailed) && detailed.DevInfo != "" {
		return fmt.Errorf("%w: %s (%s)", ErrInvalid, detailed.Details, detailed.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}
