package jotgate

// Who signed in at a provider, and why.

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// ProviderFlow describes why a user is sent to a provider. The zero value is a login.
type ProviderFlow struct {
	// Session, if not empty, is the id of the page session of a user who authenticates
	// again or, with Connect, connects an account.
	Session string `json:"s,omitempty"`
	Connect bool   `json:"c,omitempty"`
	Keep    bool   `json:"k,omitempty"` // as PageLogin.Keep
	Next    string `json:"n,omitempty"` // where the user goes afterwards; the caller has checked it
	// App, if not nil, is the native application that logs in; see Providers.AppCode.
	App *ProviderApp `json:"a,omitempty"`
}

// ProviderApp is a native application that logs a user in at a provider, through the
// browser.
type ProviderApp struct {
	// RedirectURI receives a code (Providers.AppCode). It must be in
	// Settings.AppRedirects.
	RedirectURI string `json:"r"`
	// Challenge is the code_challenge of the application (RFC 7636, method S256).
	Challenge string `json:"c"`
	// State, if not empty, is added to the address with the code. At most 256 bytes.
	State string `json:"s,omitempty"`
}

// address returns the redirect URI with parameters and the state.
func (app *ProviderApp) address(name, value string) string {
	parameters := url.Values{name: {value}}
	if app.State != "" {
		parameters.Set("state", app.State)
	}
	if strings.Contains(app.RedirectURI, "?") {
		return app.RedirectURI + "&" + parameters.Encode()
	}
	return app.RedirectURI + "?" + parameters.Encode()
}

// Refusal returns the address that sends the browser back to the application with an
// error of Finish, in the form of RFC 6749 section 4.1.2.1.
func (app *ProviderApp) Refusal(err error) string {
	switch e := AsError(err); {
	case e.Code == errProviderDenied.Code:
		return app.address("error", "access_denied")
	case errors.Is(err, ErrUnavailable):
		return app.address("error", "temporarily_unavailable")
	}
	return app.address("error", "server_error")
}

// ProviderLogin is the result of Providers.Finish: the user's identity at a provider,
// and why the user was sent there. Only methods of Providers make one.
type ProviderLogin struct {
	Use      ProviderFlow
	identity provider.Identity
	name     string    // of the provider
	at       time.Time // when the provider was asked, or soon after
	ended    *int64    // of Gate.lastEnding, for a code of AppCode
	held     *heldIdentity
}

// Identity returns the user's identity at the provider.
func (l *ProviderLogin) Identity() provider.Identity { return l.identity }

// ProviderName returns the name of the provider for users.
func (l *ProviderLogin) ProviderName() string { return l.name }

// SignsUp reports, for a login that Resume has returned, whether Link returned
// LinkSignUp.
func (l *ProviderLogin) SignsUp() bool { return l.held != nil && l.held.User == "" }

// A heldIdentity is what a browser keeps until the user has signed up or logged in. It
// is sealed.
type heldIdentity struct {
	ID       string            `json:"id"`
	Identity provider.Identity `json:"i"`
	User     record.UserID     `json:"u,omitempty"` // for LinkSignIn: the account to connect
	Use      ProviderFlow      `json:"f"`
	Start    int64             `json:"t"` // Unix seconds
}

const (
	heldPurpose = "jotgate provider identity"
	// heldTime is how long a user has to sign up or to log in.
	heldTime = pendingTime
	// maxHeld is the longest value of a cookie, whose name and attributes count, too.
	maxHeld = 3800
)

func (h *heldIdentity) spent() []record.Spent {
	return []record.Spent{{ID: "identity " + h.ID, Expires: time.Unix(h.Start, 0).Add(heldTime)}}
}
