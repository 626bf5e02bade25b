package record

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

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
	return strconv.AppendQuote(nil, string(id)), nil
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
	// Group is the group with the lowest id, nil without one.
	Group *Group `json:"group,omitempty"`
}

// Accounts is Django's auth_user and what hangs on it.
type Accounts interface {
	// AccountByLogin finds the account whose login column (username unless
	// the schema settings say otherwise) equals login, byte for byte.
	// jotgate.ErrNotFound when there is none.
	AccountByLogin(ctx context.Context, login string) (*Account, error)

	// AccountByID finds the account with this key. An id that is not of the
	// key's type is jotgate.ErrNotFound, not an error of its own.
	AccountByID(ctx context.Context, id UserID) (*Account, error)

	// AccountsByEmail lists the accounts whose e-mail equals email without
	// regard to case (Django's iexact), at most 100: first those for which it
	// is verified, then those of which nothing is known, each in order of id.
	AccountsByEmail(ctx context.Context, email string) ([]*Account, error)

	// ListAccounts lists at most limit accounts with a key greater than
	// after, in order of key; after "" starts at the first.
	ListAccounts(ctx context.Context, after UserID, limit int) ([]*Account, error)

	// CreateAccount inserts a and sets a.ID, which is never an id used
	// before. jotgate.ErrTaken when the login name exists; an Error with status 400
	// for a value that the table cannot hold.
	CreateAccount(ctx context.Context, a *Account) error

	// ChangeAccount applies change in one transaction. jotgate.ErrNotFound when no row
	// has this id or the change's conditions do not hold, jotgate.ErrTaken when the
	// new username exists. Deactivating an account, or change.EndSessions,
	// ends its sessions in the same transaction, as Sessions.EndSessions does.
	// Giving a username up voids the tokens that go by that name (NotBefore)
	// and adds a revocation of it. Taking is_staff or is_superuser away adds a
	// revocation of the user's access tokens, whose sessions go on. A new
	// password that leaves sessions alone becomes theirs, if the one that they
	// go with was the stored one.
	ChangeAccount(ctx context.Context, id UserID, change Change) error

	// DeleteAccount removes the row and what refers to it, ends its sessions as
	// Sessions.EndSessions does, voids tokens that go by its name and adds a
	// revocation, all in one transaction. jotgate.ErrNotFound when there
	// is none; an Error with status 409, and nothing removed, when rows of a
	// table that is not known to jotgate must refer to it.
	DeleteAccount(ctx context.Context, id UserID) error

	// Grants lists the account's groups (by id) and its permissions as
	// Django's ModelBackend computes them ("app_label.codename", sorted):
	// its own and its groups'; all there are for a superuser; none for an
	// inactive account. jotgate.ErrNotFound when there is no such account.
	Grants(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)

	// Rights is Grants as if the account were active.
	Rights(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)
}

// Change names the columns to change; nil leaves a column as it is.
type Change struct {
	Username, Email, FirstName, LastName *string
	Password                             *string // encoded
	IsActive, IsStaff, IsSuperuser       *bool
	LastLogin                            *time.Time

	// IfPassword makes the change conditional on the stored password being
	// exactly this one, so that an upgrade at login never overwrites a
	// password changed meanwhile, and a reset link works once.
	IfPassword *string
	// IfActive makes the change conditional on is_active having this value.
	IfActive *bool

	// VerifyEmail lists the address (Email, or the stored one) as verified. It
	// stays unverified if it is already verified for another account.
	VerifyEmail bool
	// Settle makes the change conditional on these pending rows, nonces
	// included, and deletes them: a link works once. With PendingEmailUndo every
	// later one of the user is deleted, too.
	Settle []Pending
	// Await inserts pending rows, as AddPending does; User is set.
	Await []Pending
	// Forget deletes the user's pending rows of these purposes. Deactivating an
	// account deletes those of PendingActivation unless Await has one.
	Forget []Purpose

	// EndSessions, when not empty, ends the account's sessions in the same
	// transaction, with this reason; KeepSession is left alone.
	EndSessions EndReason
	KeepSession string
	// At is the time to write into ended sessions and revocations; it must
	// be set when EndSessions is, or when IsActive is set to false.
	At time.Time
}
