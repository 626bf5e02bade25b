package record

import (
	"context"
	"slices"
	"time"
)

// Event is one entry of the audit trail, a row of jotgate_event. It never
// contains a password, a token or a link.
type Event struct {
	ID        int64     `json:"id"`
	Time      time.Time `json:"time"`
	Name      string    `json:"event"`   // one of EventKinds
	Outcome   string    `json:"outcome"` // success, failure or denied, as the kind has it
	User      UserID    `json:"user_id,omitempty"`
	Session   string    `json:"sid,omitempty"`
	Address   string    `json:"address,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Endpoint  string    `json:"endpoint,omitempty"` // the route pattern of the request
	// Subject is a keyed digest of the username or the e-mail address that a client
	// sent. It is the same for all spellings that names.Fold does not distinguish, so
	// that attempts on one name can be counted without storing the name.
	Subject string `json:"subject,omitempty"`
	Detail  string `json:"detail,omitempty"` // the reason for a failure, or what changed
	// Actor is the member of staff who caused the event for another user: in the
	// administration, or while acting for User.
	Actor UserID `json:"actor_id,omitempty"`
	// Target is the object that an administrator changed, such as "user 7" or
	// "group 2".
	Target string `json:"target,omitempty"`
	// Changes is a JSON object of the fields that were changed, each with its value
	// before and after: {"email": ["a@example.com", "b@example.com"]}.
	Changes string `json:"changes,omitempty"`
	// Parent is the ID of the event of the job that made this change, or 0.
	Parent int64 `json:"parent_id,omitempty"`
	// Count is the number of events that the row represents. For Bounded kinds,
	// the first five events with the same kind, subject, address and endpoint in
	// ten minutes each have a row; one more row counts the others, and has the
	// values of the first of them.
	Count int64 `json:"count"`
	// Cursor is the place of the event in the order of Events.After, which sets it.
	Cursor string `json:"cursor,omitempty"`
}

// EventKind describes an event of the audit trail.
type EventKind struct {
	Name    string // as in Event.Name
	Outcome string // success, failure or denied
	// Bounded means that the number of rows is limited (Event.Count), because any
	// client can cause such events at any rate.
	Bounded bool
	// Sampled means that an event is logged only when a row is inserted. Events of
	// other kinds are always logged.
	Sampled bool
	About   string // the description in docs/events.md
}

// EventKinds lists all kinds of events in the audit trail. The log lines at level info
// have the same names. It must not be modified. docs/events.md documents them.
var EventKinds = []EventKind{
	{Name: "login", Outcome: "success", About: "A user logged in: a session was started."},
	{Name: "login_failed", Outcome: "failure", Bounded: true, About: "A login, or a client at `/o/token/`, was rejected. The detail is the reason, which no response shows."},
	{Name: "factor", Outcome: "success", About: "A second factor was added, renamed, removed or reset. The detail says which."},
	{Name: "factor_refused", Outcome: "failure", Bounded: true, About: "A second factor was wrong or already used, or a pending login was not valid."},
	{Name: "provider", Outcome: "success", About: "An account at a provider was connected or disconnected, or gave or ended groups and roles. The detail says which."},
	{Name: "provider_refused", Outcome: "failure", Bounded: true, About: "Signing in with a provider failed. The detail is the provider and the reason."},
	{Name: "recovery_code", Outcome: "success", About: "A recovery code was used in place of another factor."},
	{Name: "logout", Outcome: "success", About: "Sessions were ended: by logout, from the list of sessions, or by command."},
	{Name: "reuse", Outcome: "denied", About: "A refresh token was used twice; its session was ended. Logged as WARN: it was stolen, or the client keeps its first one (`--keep-refresh-tokens`)."},
	{Name: "register", Outcome: "success", About: "An account was created by sign-up."},
	{Name: "activate", Outcome: "success", About: "An account was activated by its link."},
	{Name: "password", Outcome: "success", About: "A password was changed or reset."},
	{Name: "username", Outcome: "success", About: "A login name was changed, by its owner or by command."},
	{Name: "email", Outcome: "success", About: "An e-mail address was changed, by its owner or by command."},
	{Name: "profile", Outcome: "success", About: "Further fields of an account, such as its first name, were changed by its owner, by staff or by command."},
	{Name: "delete", Outcome: "success", About: "An account was deleted by its owner or by staff."},
	{Name: "account", Outcome: "success", About: "An account was created, activated, deactivated or deleted by command."},
	{Name: "role", Outcome: "success", About: "Rights or groups were changed by command."},
	{Name: "admin", Outcome: "success", About: "An administrator changed or exported something. The detail is the action, such as user.change; the row also says who did it, to what, and what was changed."},
	{Name: "key", Outcome: "success", About: "A signing key was added, switched, retired or deleted."},
	{Name: "api_key", Outcome: "success", About: "An API key was created, rotated or revoked. The detail says which."},
	{Name: "webhook", Outcome: "success", About: "A webhook was added, changed, disabled or removed, its secret was rotated, or messages were sent again. The detail says which; a webhook is also disabled if it does nothing but fail."},
	{Name: "client", Outcome: "success", About: "An OAuth client was created, changed, rotated, disabled or enabled, or revoked a token. The detail says which."},
	{Name: "password_refused", Outcome: "failure", Bounded: true, About: "The current password, asked for before a change, was wrong."},
	{Name: "password_unchecked", Outcome: "failure", Bounded: true, About: "A password was accepted without the check for breached ones, because their list could not be read."},
	{Name: "throttled", Outcome: "denied", Bounded: true, Sampled: true, About: "A request was rejected with 429, by a rate or by the delay after failed logins."},
	{Name: "link_requested", Outcome: "success", Bounded: true, About: "An e-mail with a link was requested, for an address that may or may not exist. The detail is the kind of link."},
	{Name: "link_refused", Outcome: "failure", Bounded: true, About: "A link was invalid, expired or used before."},
	{Name: "token_refused", Outcome: "failure", Bounded: true, Sampled: true, About: "An access or refresh token was rejected."},
	{Name: "forbidden", Outcome: "denied", Bounded: true, Sampled: true, About: "A request with a valid token was rejected with 403. The detail is the reason, such as the role that the user does not have."},
}

// EventKindOf returns the kind with this name. ok is false if there is none.
func EventKindOf(name string) (kind EventKind, ok bool) {
	i := slices.IndexFunc(EventKinds, func(k EventKind) bool { return k.Name == name })
	if i < 0 {
		return EventKind{Name: name}, false
	}
	return EventKinds[i], true
}

// Events keeps the audit trail. A Gate calls Add for each event, except for those that
// the store inserts itself in the transaction that causes them: "login" in
// Sessions.Create, "reuse" in Sessions.Rotate, the end of sessions that
// Sessions.ConfirmPassword and ConfirmActive find, and the events in the context of a
// change (AttachedTo).
type Events interface {
	// Add inserts an event. The store sets its ID. If Outcome is empty, it is that of
	// the kind; if Count is below 1, it is 1.
	Add(ctx context.Context, e Event) error
	// After lists at most limit events after a cursor, which is the Cursor of an event
	// that it listed, or "" or "0" for the start, in an order that does not change. All events
	// that will ever come before a listed one have been listed: none is skipped or
	// repeated, whatever the order in which transactions commit. An event can
	// therefore be missing until all transactions have ended that began before its
	// own. Errors: jotgate.ErrCursor.
	After(ctx context.Context, cursor string, limit int) ([]Event, error)
	// List lists at most limit events with an id below before, newest first. If before
	// is 0, it starts at the newest. If user is not empty, it lists only the events of
	// that user.
	List(ctx context.Context, user UserID, before int64, limit int) ([]Event, error)
	// Purge deletes at most limit events older than keep, and returns the number.
	Purge(ctx context.Context, keep time.Time, limit int) (int, error)
}
