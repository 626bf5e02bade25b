package adminstore

// Changes: what a transaction of the administration can do.

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Tx is an open transaction, valid until the function that got it returns. It must
// be used by one goroutine at a time. A method that returns one row (except
// UserTx.Rights) locks it until the transaction ends, so that a decision about the
// row is still right when the transaction commits. A change of a row that does not
// exist changes nothing and is not an error unless the method says so: find the row
// first.
type Tx struct {
	Users  UserTx
	Groups GroupTx
	System SystemTx
	Jobs   JobTx
	// Record inserts the event of a change and sets its ID. It also inserts entry into
	// django_admin_log if entry is not nil, the database has that table, and the change
	// has an actor.
	Record func(ctx context.Context, e *record.Event, entry *LogEntry) error
	// Try runs do. If do returns an error, Try undoes what do has changed and returns
	// that error; the transaction continues.
	Try func(ctx context.Context, do func() error) error
}

// LogEntry is a row of Django's django_admin_log.
type LogEntry struct {
	Time   time.Time     // when Django wrote it; Record takes the time of the event
	Actor  record.UserID // the user that made the change; Record takes the actor of the event
	Flag   LogFlag
	Model  string // "user" or "group"
	Object string // the key of the object
	Name   string // the name of the object, as Django's admin shows it
	// Message is Django's JSON, such as [{"changed": {"fields": ["Email address"]}}].
	Message string
}

// LogFlag is the kind of a LogEntry: Django's action_flag.
type LogFlag int

// The flags, with the values of django.contrib.admin.models.
const (
	LogAddition LogFlag = 1
	LogChange   LogFlag = 2
	LogDeletion LogFlag = 3
)

// UserTx changes users.
type UserTx interface {
	// Find returns the user and locks its row. The error is jotgate.ErrNotFound if
	// there is none.
	Find(ctx context.Context, id record.UserID) (*User, error)
	// Rights returns the user, its groups, and the names of its permissions, those of
	// its groups included, whether it is active or not. It does not lock the row. The
	// error is jotgate.ErrNotFound if there is no such user.
	Rights(ctx context.Context, id record.UserID) (a *record.Account, groups []record.Group, permissions []string, err error)
	// Next lists the keys of at most limit users that q selects, greater than after, in
	// order of key; "" is from the first.
	Next(ctx context.Context, q Query, after record.UserID, limit int) ([]record.UserID, error)
	// Create does what record.Accounts.Create does, in this transaction.
	Create(ctx context.Context, a *record.Account) error
	// Change does what record.Accounts.Change does, in this transaction.
	Change(ctx context.Context, id record.UserID, change record.Change) error
	// Delete does what record.Accounts.Delete does, in this transaction.
	Delete(ctx context.Context, id record.UserID) error
	// SetGroups makes the user a member of these groups only. If the user leaves a
	// group, its access tokens are revoked. The error has status 400 if a group does
	// not exist.
	SetGroups(ctx context.Context, id record.UserID, groups []int64) error
	// SetPermissions does the same for the permissions of the user, without those of
	// its groups.
	SetPermissions(ctx context.Context, id record.UserID, permissions []int64) error
	// EndSessions ends sessions as record.Sessions.End does, and returns how many.
	EndSessions(ctx context.Context, which record.Ending) (int, error)
	// Session returns a session. The error is jotgate.ErrNotFound if there is none.
	Session(ctx context.Context, id string) (*record.Session, error)
	// Impersonate inserts a session of jotgate.Sessions.NewImpersonation and sets its
	// PasswordDigest. The error is jotgate.ErrNotFound if its user is not active.
	Impersonate(ctx context.Context, s *record.Session) error
	// RemoveFactors deletes second factors of the user by their ids. If none is left,
	// it also deletes the recovery codes. The error is jotgate.ErrNotFound if one of
	// the ids does not exist.
	RemoveFactors(ctx context.Context, id record.UserID, factors []int64) error
	// Related returns Social and Factors of record.Related, Factors with Data. The
	// error is jotgate.ErrNotFound if there is no such user.
	Related(ctx context.Context, id record.UserID) (*record.Related, error)
	// Disconnect applies a change of jotgate.Providers.Disconnection, as
	// record.SocialAccounts.ChangeSocial does, also if the user is not active.
	Disconnect(ctx context.Context, change record.SocialChange) error
	// RevokeAPIKey does what Revoke of apikey.Store does, in this transaction.
	RevokeAPIKey(ctx context.Context, id record.UserID, key string, now time.Time) error
}

// GroupTx changes groups.
type GroupTx interface {
	// Find returns the group with its permissions. The error is
	// jotgate.ErrNotFound if there is none.
	Find(ctx context.Context, id int64) (*Group, error)
	// Permissions lists the permissions with these ids, in order of name. It leaves out
	// ids that do not exist.
	Permissions(ctx context.Context, ids []int64) ([]Permission, error)
	// Create creates a group and returns its id. The error has status 400 if the name
	// is taken or not valid.
	Create(ctx context.Context, name string) (int64, error)
	// Rename renames a group and revokes the access tokens of its members. The error
	// has status 400 if the name is taken or not valid.
	Rename(ctx context.Context, id int64, name string) error
	// SetPermissions gives the group these permissions only. If the group loses one,
	// the access tokens of its members are revoked. The error has status 400 if a
	// permission does not exist.
	SetPermissions(ctx context.Context, id int64, permissions []int64) error
	// Delete deletes the group and revokes the access tokens of its members. The error
	// is store.ErrReferred if another table of the database refers to the group.
	Delete(ctx context.Context, id int64) error
}

// SystemTx changes signing keys, e-mails, invitations and counters.
type SystemTx interface {
	// Key returns a signing key without its private part. The error is
	// jotgate.ErrNotFound if there is none.
	Key(ctx context.Context, id string) (*record.Key, error)
	// AddKey, SwitchKey, RetireKey and DeleteKey do what the methods Add, Switch,
	// Retire and Delete of record.Keys do, in this transaction.
	AddKey(ctx context.Context, key record.Key) error
	SwitchKey(ctx context.Context, id string, now time.Time) error
	RetireKey(ctx context.Context, id string, now time.Time) error
	DeleteKey(ctx context.Context, id string) error
	// AddMessage queues an e-mail.
	AddMessage(ctx context.Context, m record.Message) error
	// Message returns an e-mail of the queue. The error is jotgate.ErrNotFound if
	// there is none.
	Message(ctx context.Context, id int64) (*Message, error)
	// RetryMessage makes the next attempt to send an e-mail due now.
	RetryMessage(ctx context.Context, id int64, now time.Time) error
	// DropMessage removes an e-mail from the queue.
	DropMessage(ctx context.Context, id int64) error
	// Invitation returns an invitation, expired or not, and locks its row. The error is
	// jotgate.ErrNotFound if there is none.
	Invitation(ctx context.Context, id int64) (*record.Invitation, error)
	// AddInvitation inserts an invitation and sets its ID. The error has status 400 if
	// the address has one already.
	AddInvitation(ctx context.Context, i *record.Invitation) error
	// RenewInvitation stores Nonce and Expires of an invitation.
	RenewInvitation(ctx context.Context, i *record.Invitation) error
	// DropInvitation deletes an invitation.
	DropInvitation(ctx context.Context, id int64) error
	// Failure returns a counter of failures. The error is jotgate.ErrNotFound if there
	// is none.
	Failure(ctx context.Context, key string) (*Failure, error)
	// Forgive deletes a counter of failures, so that the next attempt is not delayed.
	Forgive(ctx context.Context, key string) error
}

// JobState is the state of a Job.
type JobState string

// The states of a job.
const (
	JobRunning JobState = "running" // the action is not yet done to all users
	JobDone    JobState = "done"    // the action is done
	JobUndoing JobState = "undoing" // the changes are being undone
	JobUndone  JobState = "undone"  // the changes are undone
)

// Job is an action on many users: a row of jotgate_job. It is done in slices of a few
// users. The transaction of each slice also stores Position, so that a job that was
// interrupted continues with the next user.
type Job struct {
	ID        int64         `json:"id"`
	Actor     record.UserID `json:"actor_id"` // empty: an operator at the command line
	Action    string        `json:"action"`   // the name of the action, such as user.deactivate
	Selection Query         `json:"selection"`
	State     JobState      `json:"state"`
	Position  string        `json:"-"`        // the key of the last user or, when undoing, the id of the last event
	Total     int           `json:"total"`    // how many users were selected when the job was created, up to MaxCount
	Done      int           `json:"done"`     // how many users were changed
	Skipped   int           `json:"skipped"`  // how many users the actor may not change, or already are as they should be
	Undone    int           `json:"undone"`   // how many users were changed back
	Parent    int64         `json:"event_id"` // the id of the event of the job, the parent of those of the users
	Created   time.Time     `json:"created"`
	Updated   time.Time     `json:"updated"`
}

// JobTx changes jobs.
type JobTx interface {
	// Create inserts a job and sets its ID.
	Create(ctx context.Context, job *Job) error
	// Find returns the job and locks its row. The error is jotgate.ErrNotFound if
	// there is none.
	Find(ctx context.Context, id int64) (*Job, error)
	// Save stores State, Position, Done, Skipped, Undone, Parent and Updated.
	Save(ctx context.Context, job *Job) error
	// Events lists at most limit events of the job with an id greater than after, in
	// order of id; 0 is from the first.
	Events(ctx context.Context, job *Job, after int64, limit int) ([]record.Event, error)
}
