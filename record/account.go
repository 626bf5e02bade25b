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

// ErrSimilarName is the cause of jotgate.ErrTaken if no account has this username but
// one has a similar username.
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

// Account is the row of a user in Django's auth_user, or in the custom table that the
// store's schema names. Its JSON form does not contain the password.
type Account struct {
	ID          UserID    `json:"id"`
	Username    string    `json:"username"`
	Email       string    `json:"email"`
	FirstName   string    `json:"first_name"`
	LastName    string    `json:"last_name"`
	Password    string    `json:"-"` // the hash, as package passwd makes it
	IsActive    bool      `json:"is_active"`
	IsStaff     bool      `json:"is_staff"`
	IsSuperuser bool      `json:"is_superuser"`
	DateJoined  time.Time `json:"date_joined"`
	LastLogin   time.Time `json:"last_login,omitzero"` // zero: never
	// Service reports a service account, which a program uses (package oauth). It
	// cannot log in.
	Service bool `json:"is_service,omitempty"`
	// Group is the user's group with the lowest id, or nil if there is no group.
	Group *Group `json:"group,omitempty"`
	// Fields are further columns of the user table, by name. An account that a store
	// returns has those that the store's schema names for users; Accounts.Create can
	// write any column. See Kind for the values.
	Fields map[string]any `json:"-"`
	// Related is set by methods that read it together with the account
	// (PageSessions), and nil otherwise.
	Related *Related `json:"-"`
}

// Related is the data of other tables about an account, at the time when the account
// was read. A change that depends on it passes it as a condition, because it may have
// changed since.
type Related struct {
	Factors          []Factor        // as Factors.ListFactors
	Social           []SocialAccount // as SocialAccounts.ListSocial
	Email            string          // the account's address
	Verified, Listed bool            // as Addresses.Verified for that address
	Pending          []Pending       // as Addresses.Pending, of every purpose
	NotBefore        time.Time       // as Sessions.NotBefore, without a username
	RPID             string          // the setting PinnedRPID
}

// Accounts keeps the users: Django's auth_user and the tables that refer to
// it.
type Accounts interface {
	// ByLogin finds the account whose login column (username, unless the store's
	// schema names another) equals login byte for byte. If there is none, and the
	// column ignores case (citext, NOCASE), it finds the only account whose login
	// column equals login in that way. The error is jotgate.ErrNotFound if there is
	// none, or more than one of the latter.
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

	// Create inserts a and sets a.ID to an id that no account has had before.
	// Errors: jotgate.ErrTaken if the login name is taken (see Names); a jotgate.Error
	// with status 400 if the table cannot hold a value, or if a value must be unique
	// and another account has it; jotgate.ErrSignupClosed if the table has a column
	// whose value only the application knows.
	Create(ctx context.Context, a *Account) error

	// Change applies change in one transaction. The error is jotgate.ErrNotFound if
	// no row has this id or a condition of the change does not hold, and
	// jotgate.ErrTaken if the new username is taken (see Names).
	//
	// In the same transaction:
	//   - If the account is deactivated, or change.EndSessions is set, its sessions
	//     end as by Sessions.End.
	//   - If the username changes, tokens that identify the user by the old name
	//     become void (Sessions.NotBefore), a revocation of that name is added, and
	//     sessions with such tokens end (Session.ByUsername). All other sessions
	//     except KeepSession end with EndedByUsername.
	//   - If is_staff or is_superuser is removed, a revocation of the user's access
	//     tokens is added; the sessions do not end.
	//   - If the password changes and the sessions do not end, the new one is recorded
	//     with each session that had the old one (Session.PasswordDigest).
	Change(ctx context.Context, id UserID, change Change) error

	// Delete removes the row and the rows of known tables that refer to it, ends the
	// sessions as Sessions.End does, voids the tokens that identify the user by the
	// username, and adds a revocation, all in one transaction. The error is
	// jotgate.ErrNotFound if there is no such account, and a jotgate.Error with status
	// 409 if a table that jotgate does not know has rows that must refer to the
	// account; then nothing is removed.
	Delete(ctx context.Context, id UserID) error

	// Grants lists the account's groups, in order of id, and its permissions
	// ("app_label.codename", sorted) as Django's ModelBackend computes them: those of
	// the user and of the groups; for a superuser, all that exist; for an inactive
	// account, none. The error is jotgate.ErrNotFound if there is no such account.
	Grants(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)

	// Rights returns what Grants would return if the account were active.
	Rights(ctx context.Context, id UserID) (groups []Group, permissions []string, err error)
}

// Names compares usernames. Two are similar if they differ only in case, in
// compatibility forms (NFKC) or in characters that look alike (Unicode Technical
// Standard 39). Unless its settings allow it, a Store with Names rejects a new
// username that is similar to that of another account; of two such usernames that are
// stored concurrently, one is rejected. Accounts that another program has created or
// renamed count, too.
type Names interface {
	// Check returns jotgate.ErrTaken if an account other than except has this
	// username or, with the cause ErrSimilarName, a similar one. It serves to reject a
	// name early: Accounts.Create, Accounts.Change and Addresses.SignUp make the check
	// that counts.
	Check(ctx context.Context, name string, except UserID) error
	// Index reads the usernames that another program has written. A Gate calls it
	// regularly. The first call takes about a minute for a million accounts, in which
	// no account can be created; it may be interrupted.
	Index(ctx context.Context) error
}

// Change is a change of an account, with its conditions. A nil pointer leaves the
// column unchanged. The zero Change changes nothing.
type Change struct {
	Username, Email, FirstName, LastName *string
	Password                             *string // the hash
	IsActive, IsStaff, IsSuperuser       *bool
	LastLogin                            *time.Time
	Fields                               map[string]any // columns that the store's schema names for users

	// IfPassword, if not nil, is a condition: the stored hash must be this one. Thus a
	// new hash at a login does not replace a password that was changed concurrently,
	// and a reset link works once.
	IfPassword *string
	// IfActive, if not nil, is a condition: is_active must have this value.
	IfActive *bool

	// VerifyEmail lists the address (Email, or the stored one) as verified. It
	// remains unverified if it is already verified for another account.
	VerifyEmail bool
	// Reclaim, with VerifyEmail, deletes the user's accounts at providers and revokes
	// the API keys, at the time At, if the address was listed as unverified: another
	// person may have registered with the address and created them.
	Reclaim bool
	// Settle is a condition: these pending rows must exist, with these nonces. They
	// are deleted, so that a link works once. With PendingEmailUndo, all later such
	// rows of the user are deleted, too, and what Reclaim deletes, whatever the
	// address was listed as.
	Settle []Pending
	// Await are pending rows to insert, as Addresses.AddPending does. The store sets
	// their User.
	Await []Pending
	// Forget deletes the user's pending rows of these purposes. If the account is
	// deactivated, those of PendingActivation and PendingDeletion are also deleted,
	// unless Await has one; if it is activated, those of PendingDeletion.
	Forget []Purpose

	// EndSessions, if not empty, ends the account's sessions in the same
	// transaction, with this reason, except KeepSession.
	EndSessions EndReason
	KeepSession string
	// At is the time to write into ended sessions and revocations. It must be set if
	// EndSessions is set, or if IsActive is set to false.
	At time.Time
}
