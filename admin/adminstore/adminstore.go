// Package adminstore defines what package admin asks of a database: rows for its
// lists, and changes in a transaction. store.Store.Admin returns the
// implementation in SQL:
//
//	rows, err := db.Admin().Users(ctx, adminstore.Query{Search: "ada"})
//	err = db.Admin().Change(ctx, func(ctx context.Context, tx adminstore.Tx) error { … })
//
// No list counts or skips rows: a page begins after a key (Query.After), and a
// count stops at MaxCount. The errors named here are those of package jotgate.
package adminstore

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// MaxCount is where Count stops: one more than the largest exact number that is
// shown.
const MaxCount = 1001

// MaxPage is the maximum number of rows in a page.
const MaxPage = 500

// Store reads what the administration shows, and changes it. It is safe for
// concurrent use.
type Store interface {
	// Model returns Django's names of the user model, auth and user by default,
	// which are part of the names of permissions: auth.change_user.
	Model(ctx context.Context) (app, model string, err error)
	// Users lists at most q.Limit users. The error is jotgate.ErrNotFound if
	// q.After or a key is not valid.
	Users(ctx context.Context, q Query) (Page, error)
	// Count counts the users that q selects, up to MaxCount.
	Count(ctx context.Context, q Query) (int, error)
	// Sorts lists the values of Query.Sort that the user table has columns for.
	Sorts() []string
	// SearchKind returns how a Query with this Search is answered.
	SearchKind(search string) SearchKind
	// User returns a user. The error is jotgate.ErrNotFound if there is none.
	User(ctx context.Context, id record.UserID) (*User, error)

	// Groups lists at most limit groups with a name after this one, by name.
	Groups(ctx context.Context, after string, limit int) ([]Group, error)
	// Group returns a group with its permissions. The error is
	// jotgate.ErrNotFound if there is none.
	Group(ctx context.Context, id int64) (*Group, error)
	// Permissions lists all permissions, by name.
	Permissions(ctx context.Context) ([]Permission, error)
	// Holders lists at most limit users who have the permission themselves or by
	// a group, with a key greater than after, in order of key. Superusers, who
	// have every permission, are not listed. groups names the groups that have it.
	Holders(ctx context.Context, permission int64, after record.UserID, limit int) (users []*record.Account, groups []Group, err error)

	// Sessions lists at most limit sessions with a creation time before this
	// one, newest first; of a user, if that is not empty.
	Sessions(ctx context.Context, user record.UserID, before time.Time, limit int) ([]record.Session, error)
	// Messages lists at most limit e-mails that wait to be sent, with an id
	// greater than after, in order of id.
	Messages(ctx context.Context, after int64, limit int) ([]Message, error)
	// Invitations lists at most limit invitations with an id below before, newest first;
	// 0 is from the newest.
	Invitations(ctx context.Context, before int64, limit int) ([]record.Invitation, error)
	// Events lists events, newest first.
	Events(ctx context.Context, q EventQuery) (EventPage, error)
	// DjangoLog lists the newest changes of a user that Django's admin has recorded, at
	// most limit, newest first, without those that Tx.Record has written. It is empty if
	// no Django with its admin uses the database.
	DjangoLog(ctx context.Context, user record.UserID, limit int) ([]LogEntry, error)
	// Failures lists at most limit counters of failures with a key greater than
	// after, in order of key.
	Failures(ctx context.Context, after string, limit int) ([]Failure, error)
	// Addresses lists a user's e-mail addresses, the primary one first, at most
	// 100.
	Addresses(ctx context.Context, user record.UserID) ([]Address, error)
	// Jobs lists at most limit jobs with an id below before (0: all), newest
	// first.
	Jobs(ctx context.Context, before int64, limit int) ([]Job, error)
	// Facts are the findings of `jotgate doctor` about the database.
	Facts(ctx context.Context) ([]Fact, error)

	// Change runs do in one transaction, and commits it unless do returns an
	// error, which Change then returns. do may run more than once: only the last
	// run counts. At the end of a transaction that has changed something, do calls
	// Tx.Record.
	Change(ctx context.Context, do func(ctx context.Context, tx Tx) error) error
}

// SearchKind is how a list was searched.
type SearchKind string

// The kinds of searches. A search by SearchPrefix compares the beginning of the
// username or, if the text contains @, of the e-mail address.
const (
	SearchNone      SearchKind = ""
	SearchSubstring SearchKind = "substring" // by an index of trigrams, in all names and the address
	SearchPrefix    SearchKind = "prefix"
)

// Query selects users. All conditions must hold.
type Query struct {
	Search string `json:"search,omitempty"`
	// Staff, Superuser and Active select by the columns; MFA, whether the user has
	// a second factor; Never, whether the user has never logged in.
	Staff     *bool `json:"staff,omitempty"`
	Superuser *bool `json:"superuser,omitempty"`
	Active    *bool `json:"active,omitempty"`
	MFA       *bool `json:"mfa,omitempty"`
	Never     *bool `json:"never,omitempty"`
	// Group is the id of a group; 0: any.
	Group int64 `json:"group,omitempty"`
	// IDs are the keys of the users; nil: any.
	IDs []record.UserID `json:"ids,omitempty"`

	// Sort is one of Sorts, with "-" before it for the opposite order. Only a
	// Query without conditions can be sorted; others are in order of key. Default:
	// the key.
	Sort string `json:"-"`
	// After is the Next of the page before.
	After string `json:"-"`
	Limit int    `json:"-"` // 1 to MaxPage
}

// Filtered reports whether q has a condition.
func (q *Query) Filtered() bool {
	return q.Search != "" || q.Staff != nil || q.Superuser != nil || q.Active != nil || q.MFA != nil || q.Never != nil ||
		q.Group != 0 || q.IDs != nil
}

// Page is a page of users.
type Page struct {
	Users []*record.Account
	Next  string // After of the next page; empty: this is the last
}

// User is an account with its rights.
type User struct {
	record.Account
	Groups      []record.Group
	Permissions []Permission // its own, without those of its groups
	Factors     []record.Factor
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
	Due    time.Time
	Reason string // why sending has failed
}

// Failure is a counter of failed attempts.
type Failure struct {
	Key   string    `json:"key"`
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

// Address is an e-mail address of a user: a row of allauth's
// account_emailaddress.
type Address struct {
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
	Primary  bool   `json:"primary"`
}

// Fact is a finding about the database.
type Fact struct {
	OK    bool   `json:"ok"`
	Fatal bool   `json:"fatal,omitempty"`
	About string `json:"about"`
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"`
}

// EventQuery selects events.
type EventQuery struct {
	Name   string        // of the event; empty: any
	User   record.UserID // whom the event is about; empty: any
	Actor  record.UserID // who made the change; empty: any
	Parent int64         // the event of the job; 0: any
	Since  time.Time     // zero: any
	Before int64         // ids below it; 0: from the newest
	Limit  int           // 1 to MaxPage
}

// EventPage is a page of events. It may have fewer than Limit events although
// there are more: a page reads at most 20,000 rows.
type EventPage struct {
	Events []record.Event
	Next   int64 // Before of the next page; 0: this is the last
}
