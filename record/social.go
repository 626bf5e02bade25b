package record

import (
	"context"
	"time"
)

// SocialAccount is an account at a provider with which a user can log in: a row of
// allauth's socialaccount_socialaccount. Provider and UID belong to one user.
type SocialAccount struct {
	ID       int64
	User     UserID
	Provider string // at most 200 characters
	UID      string // the provider's id of the account; at most 191 characters
	// Data is the JSON object extra_data: the claims about the user that the
	// provider has sent.
	Data      string
	LastLogin time.Time
	Joined    time.Time
}

// SocialUse is a login with a SocialAccount: it updates Data and LastLogin of the row.
// If the row no longer belongs to the user, the error is jotgate.ErrNotFound.
type SocialUse struct {
	ID       int64  `json:"i"`
	Provider string `json:"p"`
	UID      string `json:"u"`
	Data     string `json:"-"` // empty: unchanged
	// Subject and Session are the sub and the sid of the provider's ID token, as in
	// provider.Origin. A new session is stored with them, so that EndSocial finds it.
	Subject string `json:"b,omitempty"`
	Session string `json:"q,omitempty"`
	// At is when the provider was contacted. If EndSocial has ended the session at
	// the provider since, no session is created, and the error is
	// jotgate.ErrLoginNotValid.
	At time.Time `json:"t,omitzero"`
}

// SocialChange connects or disconnects an account at a provider, in one
// transaction that locks the user's row.
type SocialChange struct {
	User UserID
	// Spend are rows to insert. If one of them exists, the error is
	// jotgate.ErrLoginNotValid.
	Spend []Spent
	// IfVerified, if not empty, is an address that must be listed as verified for
	// the user. IfSession, if not empty, is the id of a session of the user that must
	// be live at the time At. Otherwise the error is jotgate.ErrNotFound.
	IfVerified, IfSession string
	At                    time.Time
	// Connect, if not nil, is the row to insert; the store sets its ID. If Provider
	// and UID belong to another user, the error is jotgate.ErrConnected; if they
	// belong to this one, nothing changes.
	Connect *SocialAccount
	// Disconnect, if not 0, is the id of a row of the user to delete. IfPassword,
	// IfFactors and IfRemaining are its conditions: the user's stored hash, FactorSet
	// and the ids of the other rows must be these. Otherwise the error is
	// jotgate.ErrNotFound. Thus two concurrent changes cannot together remove all
	// means to log in.
	Disconnect  int64
	IfPassword  string
	IfFactors   string
	IfRemaining []int64 // in order of id
	// EndSessions, with Disconnect, ends the user's sessions that began with an account
	// at the same provider, with EndedByProvider at At, except KeepSession.
	EndSessions bool
	KeepSession string
}

// SocialAccounts keeps the accounts at providers.
type SocialAccounts interface {
	// FindSocial returns the row, or jotgate.ErrNotFound.
	FindSocial(ctx context.Context, provider, uid string) (*SocialAccount, error)
	// ListSocial lists the user's rows in order of id, at most 100.
	ListSocial(ctx context.Context, user UserID) ([]SocialAccount, error)
	// ChangeSocial applies the change. The error is jotgate.ErrNotFound if there is
	// no such active account.
	ChangeSocial(ctx context.Context, change SocialChange) error
	// SignUpSocial creates an account and its SocialAccount, and inserts the rows of
	// spend, in one transaction. If verified is true, the address is listed as
	// verified. Errors: those of Accounts.Create; jotgate.ErrConnected if Provider and
	// UID belong to a user; jotgate.ErrLoginNotValid if a row of spend exists.
	SignUpSocial(ctx context.Context, a *Account, social *SocialAccount, verified bool, spend []Spent) error
	// EndSocial ends, with EndedByProvider, the sessions that began with a session at
	// a provider, and returns them after the change. Those are the sessions with the
	// Provider, Subject and Session of which; either Subject or Session may be empty,
	// which matches any. which.At is the current time. A session that replaced another
	// one (Entry.Replaces) belongs to the same session at the provider, unless it
	// began with another. In the same transaction EndSocial inserts once; if that row
	// exists, no session ends, and the error is jotgate.ErrLoginNotValid. The event in the
	// context (AttachedTo) is inserted for each session, with its user and id.
	EndSocial(ctx context.Context, which SocialUse, once Spent) ([]Session, error)
	// ChangeRights makes the user a member of the groups in add, ends the memberships
	// in the groups in remove, and sets IsStaff and IsSuperuser as in roles, in one
	// transaction. If this removes a right, the user's access tokens are revoked. If a
	// name in add is not the name of a group, it changes nothing and returns these
	// names. The error is jotgate.ErrNotFound if there is no such account.
	ChangeRights(ctx context.Context, user UserID, add, remove []string, roles Change) (missing []string, err error)
	// SpendOnce inserts the row. The error is jotgate.ErrLoginNotValid if it exists.
	SpendOnce(ctx context.Context, s Spent) error
}
