package jotgate

// Who signed in at a provider, and why.

import (
	"time"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// ProviderFlow is why a user is sent to a provider.
type ProviderFlow struct {
	// Session, if not empty, is the page session of a user who authenticates again
	// or, with Connect, connects an account.
	Session string `json:"s,omitempty"`
	Connect bool   `json:"c,omitempty"`
	Keep    bool   `json:"k,omitempty"` // as PageLogin.Keep
	Next    string `json:"n,omitempty"` // where the user goes afterwards; the caller has checked it
}

// ProviderLogin is the result of Providers.Finish: who signed in at a provider, and
// why the user was sent there. Only Finish and Resume make one.
type ProviderLogin struct {
	Use      ProviderFlow
	identity provider.Identity
	name     string // of the provider
	held     *heldIdentity
}

// Identity returns who signed in at the provider.
func (l *ProviderLogin) Identity() provider.Identity { return l.identity }

// ProviderName returns the name of the provider for users.
func (l *ProviderLogin) ProviderName() string { return l.name }

// SignsUp reports whether Link held the identity for Providers.SignUp.
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
