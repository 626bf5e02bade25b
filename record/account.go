package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// ErrSimilarName is the cause of jotgate.ErrTaken if a username is not taken itself
// but similar to another one.
var ErrSimilarName = errors.New("the username is similar to that")

// UserID is a user's primary key in text form: decimal digits for Django's
// integer keys, the hyphenated form for UUID keys, as SimpleJWT writes it
// into the user_id claim.
type UserID string

// MarshalJSON writes an integer key as a JSON number, as Django REST
// framework does, and any other key as a string.
func (id UserID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// UnmarshalJSON reads what MarshalJSON writes: an integer or a string.
func (id *UserID) UnmarshalJSON(text []byte) error {
	if s, ok := jwt.Raw(text).Text(); ok {
		*id = UserID(s)
		return nil
	}
	n, ok := jwt.Raw(text).Int()
	if !ok {
		return fmt.Errorf("jotgate: a user id is a string or an integer, not %.40s", text)
	}
	*id = UserID(strconv.FormatInt(n, 10))
	return nil
}

// Group is a row of Django's auth_group.
type Group struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Account is a user's row in Django's auth_user (or in the custom table the
// settings name). The password stays inside the process: JSON leaves it out.
type Account struct {
	ID          UserID    `json:"id"`
	Username    string    `json:"username"`
	Email       string    `json:"email"`
	FirstName   string    `json:"first_name"`
	LastName    string    `json:"last_name"`
	Password    string    `json:"-"` // encoded, as passwd writes it
	IsActive    bool      `json:"is_active"`
	IsStaff     bool      `json:"is_staff"`
	IsSuperuser bool      `json:"is_superuser"`
	DateJoined  time.Time `json:"date_joined"`
	LastLogin   time.Time `json:"last_login,omitzero"` // zero: never
	// Service reports a service account: a program acts for it (package oauth), and no
	// login accepts it.
	Service bool `json:"is_service,omitempty"`
	// Group is the group with the lowest id, nil without one.
	Group *Group `json:"group,omitempty"`
	// Fields are further columns of the user table, by name. An account that is
	// read has those that the store's schema names for users; CreateAccount
	// writes any. See Kind for the values.
	Fields map[string]any `json:"-"`
	// Related is set only by a query that reads it with the account.
	Related *Related `json:"-"`
}

// Related is what other tables hold about an account, as it was when the account
// was read. A change that depends on it names what was read as its condition.
type Related struct {
	Factors          []Factor        // as Factors.ListFactors
	Social           []SocialAccount // as SocialAccounts.ListSocial
	Email            string          // the account's address, of which Verified and Listed are
	Verified, Listed bool            // as Addresses.Verified
	Pending          []Pending       // as Addresses.Pending, of every purpose
	NotBefore        time.Time       // as Sessions.NotBefore, without a username
	RPID             string          // the setting PinnedRPID
}

// Accounts keeps the users: Django's auth_user and the tables that refer to
// it.
type Accounts interface {
	// ByLogin finds the account whose login column (username unless the
	// schema settings say otherwise) equals login as the database compares it:
	// byte for byte, unless the site chose a column without regard to case (citext,
	// NOCASE) and only one account matches. The error is jotgate.ErrNotFound if
	// there is none.
	ByLogin(ctx context.Context, login string) (*Account, error)

	// ByID finds the account with this key. The error is
	// jotgate.ErrNotFound if there is none, or if id does not have the type of
	// the key.
	ByID(ctx context.Context, id UserID) (*Account, error)

	// ByEmail lists the accounts whose e-mail address equals email,
	// ignoring case (Django's iexact), at most 100: first those for which it is
	// verified, then those without any listed address, each in order of id.
	ByEmail(ctx context.Context, email string) ([]*Account, error)

	// List lists at most limit accounts with a key greater than after, in
	// order of key. If after is empty, it starts at the first.
	List(ctx context.Context, after UserID, limit int) ([]*Account, error)

	// Create inserts a and sets a.ID, which is never an id used before.
	// The error is jotgate.ErrTaken if the login name is taken (see Names), an Error with status
	// 400 for a value that the table cannot hold or that another unique column has,
	// and jotgate.ErrSignupClosed if a column needs a value that only the
	// application knows.
	Create(ctx context.Context, a *Account) error

	// Change applies change in one transaction. The error is
	// jotgate.ErrNotFound if no row has this id or the change's conditions do not
	// hold, and jotgate.ErrTaken if the new username is taken (see Names). Deactivating an
	// account, or change.EndSessions, ends its sessions in the same transaction,
	// as Sessions.End does. Changing the username voids the tokens that
	// identify the user by the old one (NotBefore), adds a revocation of it, ends
	// the sessions whose tokens do (Session.ByUsername) and then, like EndSessions
	// with EndedByUsername, all others except KeepSession.
	// Removing is_staff or is_superuser adds a revocation of the user's access
	// tokens, but does not end the sessions. A new password that does not end the
	// sessions is recorded as theirs, for each session whose recorded password
	// was the stored one.
	Change(ctx context.Context, id UserID, change Change) error

	// Delete removes the row and the rows that refer to it, ends its
	// sessions as Sessions.End does, voids the tokens that identify the
	// user by its username and adds a revocation, all in one transaction. The
	// error is jotgate.ErrNotFound if there is no such account, and an Error with
	// status 409, with nothing removed, if rows of a table that jotgate does not
	// know refer to it and must.
	Delete(ctx context.Context, id UserID) error

	// Grants lists the account's groups (by id) and its permissions as Django's
	// ModelBackend computes them ("app_label.codename", sorted): the user's and
	// those of the groups; for a superuser, all that exist; for an inactive
	// account, none. The error is jotgate.ErrNotFound if there is no such
	// account.
	Grants(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)

	// Rights returns what Grants would return if the account were active.
	Rights(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)
}

// Names compares usernames. Two are similar if they differ only in case, in
// compatibility forms (NFKC) or in characters that look alike (Unicode Technical
// Standard 39). Unless its settings allow it, a Store that has them accepts no new
// username that is similar to another account's: of concurrent ones exactly one
// is stored. Accounts that another program created or renamed count, too.
type Names interface {
	// Check returns jotgate.ErrTaken if an account other than except has this
	// username or, with the cause ErrSimilarName, a similar one. Accounts.Create,
	// Accounts.Change and Addresses.SignUp decide; this is for an early response.
	Check(ctx context.Context, name string, except UserID) error
	// Index reads the usernames that another program wrote. It takes about a
	// minute for a million accounts at the first time, when no account can be
	// created, and may be interrupted. A Gate calls it regularly.
	Index(ctx context.Context) error
}

// Change names the columns to change; nil leaves a column as it is.
type Change struct {
	Username, Email, FirstName, LastName *string
	Password                             *string // encoded
	IsActive, IsStaff, IsSuperuser       *bool
	LastLogin                            *time.Time
	Fields                               map[string]any // those that the store's schema names for users

	// IfPassword makes the change conditional on the stored password being
	// exactly this one, so that an upgrade at login never overwrites a password
	// changed in the meantime, and a reset link works once.
	IfPassword *string
	// IfActive makes the change conditional on is_active having this value.
	IfActive *bool

	// VerifyEmail lists the address (Email, or the stored one) as verified. It
	// stays unverified if it is already verified for another account.
	VerifyEmail bool
	// Reclaim, with VerifyEmail, deletes the user's accounts at providers and revokes
	// the API keys, at At, if the address was listed as unverified: somebody else may
	// have registered with it, and made them.
	Reclaim bool
	// Settle makes the change conditional on these pending rows, including their
	// nonces, and deletes them, so that a link works once. With PendingEmailUndo,
	// every later such row of the user is deleted, too.
	Settle []Pending
	// Await inserts pending rows, as AddPending does, after setting their User.
	Await []Pending
	// Forget deletes the user's pending rows of these purposes. Deactivating an
	// account also deletes those of PendingActivation and PendingDeletion, unless
	// Await has one; activating it, those of PendingDeletion.
	Forget []Purpose

	// EndSessions, if not empty, ends the account's sessions in the same
	// transaction, with this reason, except KeepSession.
	EndSessions EndReason
	KeepSession string
	// At is the time to write into ended sessions and revocations. It must be set
	// if EndSessions is, or if IsActive is set to false.
	At time.Time
}
