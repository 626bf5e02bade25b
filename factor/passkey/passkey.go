// Package passkey registers passkeys and verifies logins with them: the ceremonies of
// Web Authentication (WebAuthn Level 3). It stores a passkey in the form of
// django-allauth.
//
// A ceremony has two calls. Begin… returns options for the browser and a state that
// the caller keeps where a client cannot change it, for example encrypted in a cookie.
// Finish… verifies the browser's response. A login without a username is:
//
//	rp, err := passkey.New(passkey.Settings{ID: "example.com", Origins: []string{"https://example.com"}})
//
//	c, err := rp.BeginLogin(passkey.User{}, time.Now()) // send c.Options to the browser, keep c.State
//
//	handle, err := passkey.Owner(response)              // whose passkey it claims to be: read this user
//	a, err := rp.FinishLogin(user, c.State, response, false, time.Now())
//	// store a.Passkey, and log the user in
//
// BeginRegistration and FinishRegistration create a passkey in the same way. [Script]
// is the browser's part.
//
// The functions do not access a database and read no clock, so a response can be
// verified again until its state expires (Lifetime). The safe choice is to accept each
// state once: insert it into a table with a unique key, in the transaction that uses
// the result.
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

// The reasons why a ceremony fails. Errors of the ceremonies wrap one of them and say
// what was wrong: a detail for the log, not for the user.
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
	// ID is the relying party's id (RP ID): a host name without scheme and port, such as
	// example.com, and not an IP address. Passkeys work at this host and its
	// subdomains. If it changes, all passkeys stop working. Required.
	ID string
	// Name is the site's name in the dialogs of browsers. Default: ID.
	Name string
	// Origins lists the pages and apps that use passkeys: at least one address such as
	// https://www.example.com, or "android:apk-key-hash:…". http is only for localhost.
	// Origins outside ID are related origins, for which RelatedOrigins must be served;
	// their names may have at most five different labels.
	Origins []string
}

// RelyingParty runs the ceremonies for one site. Create it with New.
type RelyingParty struct {
	web     *webauthn.WebAuthn
	related []string
}

// New returns a RelyingParty, or an error that says, for the operator, which setting is
// invalid.
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

// DefaultID returns the RP ID and the origin for the address of a site, such as
// example.com and https://example.com for https://example.com/account/. It returns two
// empty strings if browsers do not offer passkeys there: at an IP address, or over
// http on another host than localhost.
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

// ID returns Settings.ID.
func (rp *RelyingParty) ID() string { return rp.web.Config.RPID }

// RelatedOrigins returns the JSON document to serve at /.well-known/webauthn of the
// host Settings.ID (WebAuthn Level 3, section 5.11), or nil if none is needed because
// every origin is inside the RP ID.
func (rp *RelyingParty) RelatedOrigins() []byte {
	if len(rp.related) == 0 {
		return nil
	}
	text, _ := json.Marshal(map[string][]string{"origins": rp.web.Config.RPOrigins})
	return text
}

// User is an account in a ceremony.
type User struct {
	Handle      []byte     // see the function Handle; empty: the user is not known yet
	Name        string     // the login name, which browsers show
	DisplayName string     // the full name, which browsers show; empty: Name
	Passkeys    []*Passkey // all that are stored for the account
}

// Ceremony is what the first call of a ceremony returns.
type Ceremony struct {
	// Options is the JSON of PublicKeyCredentialCreationOptions or
	// PublicKeyCredentialRequestOptions, which the browser's
	// parseCreationOptionsFromJSON and parseRequestOptionsFromJSON accept.
	Options json.RawMessage
	// State is JSON of about 120 bytes for the second call. It need not be secret, but
	// a client that can change it can forge a response: encrypt or sign it, or keep it
	// on the server.
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
