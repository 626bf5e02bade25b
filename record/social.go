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
	// Data is the JSON object extra_data: what the provider said.
	Data      string
	LastLogin time.Time
	Joined    time.Time
}

// SocialUse is a login with a SocialAccount. It changes the row's data and last
// login. If the row is not the user's any more, the error is jotgate.ErrNotFound.
type SocialUse struct {
	ID       int64  `json:"i"`
	Provider string `json:"p"`
	UID      string `json:"u"`
	Data     string `json:"-"` // empty: unchanged
	// Subject and Session are those of provider.Origin: a new session is stored with
	// them, so that EndSocial finds it.
	Subject string `json:"b,omitempty"`
	Session string `json:"q,omitempty"`
	// At is when the provider was asked. If EndSocial has ended the session at the
	// provider since, no session is created: the error is jotgate.ErrLoginNotValid.
	At time.Time `json:"t,omitzero"`
}

// SocialChange connects or disconnects an account at a provider, in one
// transaction that locks the user's row.
type SocialChange struct {
	User UserID
	// Spend are inserted. If one of them exists, the error is
	// jotgate.ErrLoginNotValid.
	Spend []Spent
	// IfVerified, if not empty, is an address that must be listed as verified for
	// the user. IfSession, if not empty, is a session of the user that must be live
	// at At. Otherwise the error is jotgate.ErrNotFound.
	IfVerified, IfSession string
	At                    time.Time
	// Connect is inserted, and its ID is set. If Provider and UID belong to another
	// user, the error is jotgate.ErrConnected; if they belong to this one, nothing
	// changes.
	Connect *SocialAccount
	// Disconnect is the id of a row of the user to delete, if the user's stored
	// password, FactorSet and other rows are still those that were read. Otherwise
	// the error is jotgate.ErrNotFound. So the last way to log in is not removed by
	// two concurrent changes that each leave the other's.
	Disconnect  int64
	IfPassword  string
	IfFactors   string
	IfRemaining []int64 // in order of id
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
	// SignUpSocial creates an account and its SocialAccount in one transaction, and
	// spends what makes it happen once. The address is listed as verified if verified
	// is set. Errors: those of Accounts.Create; jotgate.ErrConnected if Provider and
	// UID belong to a user; jotgate.ErrLoginNotValid if one of spend exists.
	SignUpSocial(ctx context.Context, a *Account, social *SocialAccount, verified bool, spend []Spent) error
	// EndSocial ends the sessions that began with a session at a provider, with
	// EndedByProvider, and returns them as they are then. Of which, Provider, Subject,
	// Session and At (now) count; at least one of Subject and Session is set, and what is
	// set must be that of the session here. In the same transaction it inserts
	// once: if that exists, the error is jotgate.ErrLoginNotValid, and nothing
	// ends. A session that replaced another one (Entry.Replaces) began with the same
	// session at a provider, unless it began with another one.
	EndSocial(ctx context.Context, which SocialUse, once Spent) ([]Session, error)
	// ChangeRights makes the user a member of the groups in add, ends the memberships in
	// those in remove, and sets IsStaff and IsSuperuser of roles, in one transaction.
	// If the user loses something, it revokes the access tokens. If names in add are of no
	// group, it changes nothing and returns them. The error is jotgate.ErrNotFound if
	// there is no such account.
	ChangeRights(ctx context.Context, user UserID, add, remove []string, roles Change) (missing []string, err error)
	// SpendOnce inserts the row, or returns jotgate.ErrLoginNotValid if it exists.
	SpendOnce(ctx context.Context, s Spent) error
}
