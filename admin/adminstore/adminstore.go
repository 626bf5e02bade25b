// Package adminstore is the contract between package admin and a database: the rows
// of its lists, and its changes, each in a transaction. Programs that only serve the
// administration do not need it; it is for a database of another kind.
//
// The two calls to make are Store.Users, or another list, and Store.Change.
// store.Store.Admin returns the implementation in SQL:
//
//	page, err := db.Admin().Users(ctx, adminstore.Query{Search: "ada", Limit: 50})
//	err = db.Admin().Change(ctx, func(ctx context.Context, tx adminstore.Tx) error { … })
//
// Nothing here checks rights or writes an event unless it says so: call admin.Admin.Act
// for that, which is the safe choice.
//
// No list counts or skips rows: a page begins after the key at which the previous
// one ended (Query.After), and a count stops at MaxCount. jotgate.ErrUnavailable is
// the error of each method if the database does not respond.
package adminstore

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// MaxCount is the number at which counting stops. A count below it is exact; MaxCount
// means more than 1000.
const MaxCount = 1001

// MaxPage is the largest number of rows in a page: the maximum of every limit.
const MaxPage = 500

// Store reads what the administration shows, and changes it. It is safe for
// concurrent use. In every method limit is from 1 to MaxPage.
type Store interface {
	// Model returns Django's names of the user model, which are part of the names of
	// permissions, such as auth.change_user. They are auth and user if the database
	// has no other.
	Model(ctx context.Context) (app, model string, err error)
	// Users lists at most q.Limit users. The error is jotgate.ErrNotFound if q.After,
	// q.Sort or one of q.IDs is not valid, or if the database has no column or table
	// for a condition.
	Users(ctx context.Context, q Query) (Page, error)
	// Count counts the users that q selects, up to MaxCount.
	Count(ctx context.Context, q Query) (int, error)
	// Sorts lists the values of Query.Sort that the user table has columns for.
	Sorts() []string
	// User returns a user. The error is jotgate.ErrNotFound if there is none.
	User(ctx context.Context, id record.UserID) (*User, error)

	// Groups lists at most limit groups whose name is greater than after, in order of
	// name; "" is from the first.
	Groups(ctx context.Context, after string, limit int) ([]Group, error)
	// Group returns a group with its permissions. The error is
	// jotgate.ErrNotFound if there is none.
	Group(ctx context.Context, id int64) (*Group, error)
	// Permissions lists all permissions, in order of name.
	Permissions(ctx context.Context) ([]Permission, error)
	// Holders lists at most limit users who have the permission themselves or by a
	// group, with a key greater than after, in order of key; "" is from the first.
	// Superusers have every permission and are not listed. groups are the first 500
	// groups that have the permission, in order of name. The error is
	// jotgate.ErrNotFound if after is not a key, or if the database has no permissions.
	Holders(ctx context.Context, permission int64, after record.UserID, limit int) (users []*record.Account, groups []Group, err error)

	// Sessions lists at most limit sessions that were created before a time, newest
	// first; a zero time is from the newest. With a user it lists the live sessions of
	// that user, and without one those of all users, ended ones included.
	Sessions(ctx context.Context, user record.UserID, before time.Time, limit int) ([]record.Session, error)
	// Messages lists at most limit e-mails that wait to be sent, with an id greater
	// than after, in order of id; 0 is from the oldest.
	Messages(ctx context.Context, after int64, limit int) ([]Message, error)
	// Invitations lists at most limit invitations with an id below before, newest
	// first; 0 is from the newest.
	Invitations(ctx context.Context, before int64, limit int) ([]record.Invitation, error)
	// Events lists events, newest first.
	Events(ctx context.Context, q EventQuery) (EventPage, error)
	// DjangoLog lists at most limit changes of a user that Django's admin has recorded,
	// newest first, without those that Tx.Record has written. The list is empty if the
	// database does not have the tables of Django's admin.
	DjangoLog(ctx context.Context, user record.UserID, limit int) ([]LogEntry, error)
	// Failures lists at most limit counters of failures with a key greater than after,
	// in order of key; "" is from the first.
	Failures(ctx context.Context, after string, limit int) ([]Failure, error)
	// Social returns the account at a provider with this id, without Data. The error is
	// jotgate.ErrNotFound if there is none.
	Social(ctx context.Context, id int64) (*record.SocialAccount, error)
	// Addresses lists a user's e-mail addresses, the primary one first, at most
	// 100.
	Addresses(ctx context.Context, user record.UserID) ([]Address, error)
	// Jobs lists at most limit jobs with an id below before, newest first; 0 is from
	// the newest.
	Jobs(ctx context.Context, before int64, limit int) ([]Job, error)
	// Facts returns what the command doctor reports about the database.
	Facts(ctx context.Context) ([]Fact, error)

	// Change runs do in one transaction, and commits it unless do returns an error,
	// which Change then returns. do may run more than once, if the database asks for
	// that; only the changes of the last run remain. At the end of a transaction that
	// has changed something, do must call Tx.Record.
	Change(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// SearchKind is the way in which a list of users is searched.
type SearchKind string

// The kinds of searches.
const (
	// SearchNone is a Query without Search.
	SearchNone SearchKind = ""
	// SearchSubstring finds users with every word of the text somewhere in the
	// username, the e-mail address or the names, in upper or lower case. It needs an
	// index of trigrams, one to five words, and three characters in each.
	SearchSubstring SearchKind = "substring"
	// SearchPrefix compares the beginning of the username or, if the text contains @,
	// of the e-mail address.
	SearchPrefix SearchKind = "prefix"
)

// Query selects users. A user must meet all conditions; the zero value of a
// condition selects all users.
type Query struct {
	Search string `json:"search,omitempty"` // see SearchKind
	// Staff, Superuser and Active select by is_staff, is_superuser and is_active; MFA
	// by whether the user has a second factor; Never by whether the user has never
	// logged in.
	Staff     *bool `json:"staff,omitempty"`
	Superuser *bool `json:"superuser,omitempty"`
	Active    *bool `json:"active,omitempty"`
	MFA       *bool `json:"mfa,omitempty"`
	Never     *bool `json:"never,omitempty"`
	// Group is the id of a group; 0: any.
	Group int64 `json:"group,omitempty"`
	// Provider is the id of a provider at which a user has a connected account, as in
	// record.SocialAccount; empty: any.
	Provider string `json:"provider,omitempty"`
	// IDs are the keys of the users; nil: any.
	IDs []record.UserID `json:"ids,omitempty"`

	// Sort is one of Store.Sorts, with "-" before it for the opposite order; login
	// lists only users who have logged in, and email those who have an address, in
	// upper case. It has no effect on a Query with a
	// condition, whose users are in order of key or, for SearchPrefix, of what is
	// compared. Default: id, the key.
	Sort string `json:"-"`
	// After is Page.Next of the previous page; empty: from the first user.
	After string `json:"-"`
	Limit int    `json:"-"` // 1 to MaxPage
}

// Filtered reports whether q has a condition. Sort, After and Limit are not
// conditions.
func (q *Query) Filtered() bool {
	return q.Search != "" || q.Staff != nil || q.Superuser != nil || q.Active != nil || q.MFA != nil || q.Never != nil ||
		q.Group != 0 || q.Provider != "" || q.IDs != nil
}

// Page is a page of users.
type Page struct {
	Users  []*record.Account
	Next   string     // Query.After of the next page; empty: this is the last page
	Search SearchKind // how the users were found for Query.Search
}

// User is an account with its rights and second factors.
type User struct {
	record.Account
	Groups      []record.Group
	Permissions []Permission    // those given to the user, without those of its groups
	Factors     []record.Factor // without Data
}

// Permission is a row of Django's auth_permission.
type Permission struct {
	ID    int64  `json:"id"`
	Name  string `json:"permission"` // "app_label.codename"
	Title string `json:"title"`      // "Can add user"
}

// Group is a row of Django's auth_group.
type Group struct {
	ID          int64        `json:"id"`
	Name        string       `json:"name"`
	Members     int          `json:"members"` // up to MaxCount
	Permissions []Permission `json:"permissions,omitempty"`
}

// Message is an e-mail that waits to be sent.
type Message struct {
	record.Message
	Due    time.Time // of the next attempt
	Reason string    // why the last attempt failed; empty: there was none
}

// Failure is a counter of failed attempts, such as wrong passwords.
type Failure struct {
	Key   string    `json:"key"`   // of an account, of an account and a network, or of a network
	Count int       `json:"count"` // how many attempts failed
	Last  time.Time `json:"last"`  // of the last failure
}

// Address is an e-mail address of a user: a row of django-allauth's
// account_emailaddress.
type Address struct {
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
	Primary  bool   `json:"primary"`
}

// Fact is one result of the checks of the command doctor.
type Fact struct {
	OK    bool   `json:"ok"`
	Fatal bool   `json:"fatal,omitempty"` // jotgate cannot work with this database
	About string `json:"about"`           // what was checked
	Found string `json:"found"`           // the result
	Fix   string `json:"fix,omitempty"`   // what to do; empty if OK
}

// EventQuery selects events. An event must meet all conditions.
type EventQuery struct {
	Name   string        // the name of the event, such as login; empty: any
	User   record.UserID // the user that the event is about; empty: any
	Actor  record.UserID // the user that made the change; empty: any
	Parent int64         // the id of the event of a job, whose events are selected; 0: any
	Since  time.Time     // the earliest time; zero: any
	Before int64         // EventPage.Next of the previous page; 0: from the newest
	Limit  int           // 1 to MaxPage
}

// EventPage is a page of events. It may have fewer than Limit events, or none,
// although there are more, because the store examines at most 20,000 rows for a
// page.
type EventPage struct {
	Events []record.Event
	Next   int64 // EventQuery.Before of the next page; 0: this is the last page
}
