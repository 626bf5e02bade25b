package adminstore

// Changes: what a transaction of the administration can do.

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Tx is an open transaction. Each method locks the rows on which a decision may
// depend until the transaction ends.
type Tx struct {
	Users  UserTx
	Groups GroupTx
	System SystemTx
	Jobs   JobTx
	// Record inserts the event of a change and sets its ID. If a Django with its
	// admin uses the database, Record also inserts entry into django_admin_log,
	// unless it is nil.
	Record func(ctx context.Context, e *record.Event, entry *LogEntry) error
	// Try runs do, and takes back what it has changed if it returns an error, which
	// Try then returns. The transaction goes on.
	Try func(ctx context.Context, do func() error) error
}

// LogEntry is a row of Django's django_admin_log.
type LogEntry struct {
	Time   time.Time     // when Django wrote it; for Record, that of the event
	Actor  record.UserID // who made the change; for Record, that of the event
	Flag   LogFlag
	Model  string // "user" or "group"
	Object string // the key of the object
	Name   string // of the object, as Django's admin shows it
	// Message is Django's JSON, such as [{"changed": {"fields": ["Email address"]}}].
	Message string
}

// LogFlag is the kind of a LogEntry: Django's action_flag.
type LogFlag int

// The flags of django.contrib.admin.models.
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
	// Rights returns the user, its groups, and what it may do if it is active.
	Rights(ctx context.Context, id record.UserID) (a *record.Account, groups []record.Group, permissions []string, err error)
	// Next lists at most limit users that q selects, with a key greater than
	// after, in order of key.
	Next(ctx context.Context, q Query, after record.UserID, limit int) ([]record.UserID, error)
	// Create is record.Accounts.Create.
	Create(ctx context.Context, a *record.Account) error
	// Change is record.Accounts.Change.
	Change(ctx context.Context, id record.UserID, change record.Change) error
	// Delete is record.Accounts.Delete.
	Delete(ctx context.Context, id record.UserID) error
	// SetGroups replaces the user's memberships. If one is removed, the user's
	// access tokens are revoked. The error has status 400 if a group does not exist.
	SetGroups(ctx context.Context, id record.UserID, groups []int64) error
	// SetPermissions is SetGroups for the user's own permissions.
	SetPermissions(ctx context.Context, id record.UserID, permissions []int64) error
	// EndSessions ends sessions as record.Sessions.End does, and returns how many.
	EndSessions(ctx context.Context, which record.Ending) (int, error)
	// Session returns a session. The error is jotgate.ErrNotFound if there is none.
	Session(ctx context.Context, id string) (*record.Session, error)
	// Impersonate inserts the session of jotgate.Sessions.NewImpersonation. The error is
	// jotgate.ErrNotFound if its user is not active.
	Impersonate(ctx context.Context, s *record.Session) error
	// RemoveFactors deletes factors of the user by their ids. With the last one,
	// the recovery codes are deleted. The error is jotgate.ErrNotFound if one does
	// not exist.
	RemoveFactors(ctx context.Context, id record.UserID, factors []int64) error
}

// GroupTx changes groups.
type GroupTx interface {
	// Find returns the group with its permissions. The error is
	// jotgate.ErrNotFound if there is none.
	Find(ctx context.Context, id int64) (*Group, error)
	// Permissions lists the permissions with these ids.
	Permissions(ctx context.Context, ids []int64) ([]Permission, error)
	// Create creates a group. If the name is taken or not valid, the error has
	// status 400.
	Create(ctx context.Context, name string) (int64, error)
	// Rename renames a group and revokes the access tokens of its members.
	Rename(ctx context.Context, id int64, name string) error
	// SetPermissions replaces the group's permissions. If one is removed, the
	// access tokens of its members are revoked.
	SetPermissions(ctx context.Context, id int64, permissions []int64) error
	// Delete deletes the group and revokes the access tokens of its members.
	Delete(ctx context.Context, id int64) error
}

// SystemTx changes signing keys, e-mails, invitations and counters.
type SystemTx interface {
	// Key returns a signing key without its private part. The error is
	// jotgate.ErrNotFound if there is none.
	Key(ctx context.Context, id string) (*record.Key, error)
	// AddKey, SwitchKey, RetireKey and DeleteKey are those of record.Keys.
	AddKey(ctx context.Context, key record.Key) error
	SwitchKey(ctx context.Context, id string, now time.Time) error
	RetireKey(ctx context.Context, id string, now time.Time) error
	DeleteKey(ctx context.Context, id string) error
	// AddMessage queues an e-mail.
	AddMessage(ctx context.Context, m record.Message) error
	// Message returns an e-mail of the queue. The error is jotgate.ErrNotFound if
	// there is none.
	Message(ctx context.Context, id int64) (*Message, error)
	// RetryMessage makes an e-mail due now.
	RetryMessage(ctx context.Context, id int64, now time.Time) error
	// DropMessage removes an e-mail.
	DropMessage(ctx context.Context, id int64) error
	// Invitation returns an invitation, expired or not, and locks its row. The error is
	// jotgate.ErrNotFound if there is none.
	Invitation(ctx context.Context, id int64) (*record.Invitation, error)
	// AddInvitation inserts an invitation and sets its ID. The error has status 400 if
	// the address has one already.
	AddInvitation(ctx context.Context, i *record.Invitation) error
	// RenewInvitation stores Nonce and Expires.
	RenewInvitation(ctx context.Context, i *record.Invitation) error
	// DropInvitation deletes an invitation.
	DropInvitation(ctx context.Context, id int64) error
	// Failure returns a counter. The error is jotgate.ErrNotFound if there is none.
	Failure(ctx context.Context, key string) (*Failure, error)
	// Forgive deletes a counter of failures.
	Forgive(ctx context.Context, key string) error
}

// JobState is how far a Job has come.
type JobState string

// The states of a job.
const (
	JobRunning JobState = "running"
	JobDone    JobState = "done"
	JobUndoing JobState = "undoing"
	JobUndone  JobState = "undone"
)

// Job is an action on many users: a row of jotgate_job. It is done in slices,
// each in a transaction with Job.Position, so that a job that was interrupted
// continues where it was.
type Job struct {
	ID        int64         `json:"id"`
	Actor     record.UserID `json:"actor_id"`
	Action    string        `json:"action"`
	Selection Query         `json:"selection"`
	State     JobState      `json:"state"`
	Position  string        `json:"-"`       // the last key, or the last event when undoing
	Total     int           `json:"total"`   // up to MaxCount; of the selection at the beginning
	Done      int           `json:"done"`    // users changed
	Skipped   int           `json:"skipped"` // users that could not be changed by the actor, or did not need to be
	Undone    int           `json:"undone"`
	Parent    int64         `json:"event_id"` // the event of the job
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
	// Events lists at most limit events of the job after this id, in order of id.
	Events(ctx context.Context, job *Job, after int64, limit int) ([]record.Event, error)
}
