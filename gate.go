package jotgate

// A gate and the operations that it offers, grouped by noun.

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/keyring"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// Gate logs users in, keeps their sessions and protects handlers. Create one with New,
// share it, and call Run in a goroutine. Its methods for handlers, such as Require, are
// those of Guard. It is safe for concurrent use.
type Gate struct {
	*Guard
	settings Settings
	db       record.Store
	users    Users
	keys     *keyring.Ring
	reading  sync.Mutex // held while the keys of the database are read and installed
	hashPool *hashPool
	hasher   *passwd.Hasher
	factors  record.Factors        // nil if accounts cannot have second factors
	rp       *passkey.RelyingParty // nil without passkeys
	made     time.Time
	runs     atomic.Bool // Run or Keys.Rotate was called, or the warning that they were not was logged
	trail    trail
	renewals renewals
}

// Settings returns the gate's settings, including defaults.
func (g *Gate) Settings() Settings { return g.settings }

// Store returns the store that was passed to New.
func (g *Gate) Store() record.Store { return g.db }

// Tokens is the result of a login or a refresh. Its JSON is the body of the response.
type Tokens struct {
	Refresh string `json:"refresh,omitempty"`
	Access  string `json:"access"`
	User    *User  `json:"user,omitempty"`
}

// Logins has the steps of logins for which Gate.Login is not enough: a second factor, a
// passkey, setting up a second factor, and authenticating again. Call Begin, and then
// Continue until LoginState.Next is StepDone. Gate.Logins returns it. It is safe for
// concurrent use.
type Logins struct{ gate *Gate }

// Logins returns the steps of logins.
func (g *Gate) Logins() Logins { return Logins{g} }

// Sessions starts, lists and ends the sessions of a gate's users. Gate.Sessions
// returns it. It is safe for concurrent use.
type Sessions struct{ gate *Gate }

// Sessions returns the operations on sessions other than Login, Refresh and
// Logout.
func (g *Gate) Sessions() Sessions { return Sessions{g} }

// PageSessions keeps the sessions of browsers that log in at pages and not through the
// API. Such a browser has a cookie, which is encrypted, and never a token.
// Sessions.Pages returns it. It is safe for concurrent use.
type PageSessions struct{ gate *Gate }

// Pages returns the operations on the sessions of browsers that log in at pages.
func (ss Sessions) Pages() PageSessions { return PageSessions(ss) }

// Accounts finds and changes the accounts of a gate. Gate.Accounts returns it.
// It is safe for concurrent use.
type Accounts struct{ gate *Gate }

// Accounts returns the operations on accounts other than logins and
// registrations.
func (g *Gate) Accounts() Accounts { return Accounts{g} }

// Links requests, makes and follows the links in a gate's e-mails. Gate.Links returns
// it. It is safe for concurrent use.
type Links struct{ gate *Gate }

// Links returns the operations on links in e-mails.
func (g *Gate) Links() Links { return Links{g} }

// Factors sets up, lists and removes second factors. Gate.Factors returns it. Its
// methods do not check whether the caller may make the change: call RequireRecent
// first. It is safe for concurrent use.
type Factors struct{ gate *Gate }

// Factors returns the operations on second factors. If accounts cannot have
// second factors (Settings.Users keeps them, or the Store has no Factors), each
// of them returns ErrForbidden, and List returns none.
func (g *Gate) Factors() Factors { return Factors{g} }

// Passkeys registers, lists and renames passkeys (WebAuthn) and begins logins with
// them. Factors.Passkeys returns it. Unless Settings.RPID is set, each method
// returns ErrNotFound. It is safe for concurrent use.
type Passkeys struct{ gate *Gate }

// Passkeys returns the operations on passkeys.
func (fs Factors) Passkeys() Passkeys { return Passkeys(fs) }

// Keys manages the signing keys that a gate's store keeps, and returns the public ones.
// Gate.Keys returns it. It is safe for concurrent use.
type Keys struct{ gate *Gate }

// Keys returns the operations on signing keys.
func (g *Gate) Keys() Keys { return Keys{g} }

// Events adds events to a gate's log and audit trail. Gate.Events returns it.
// It is safe for concurrent use.
type Events struct{ gate *Gate }

// Events returns the operations on events, for the program's HTTP layer.
func (g *Gate) Events() Events { return Events{g} }
