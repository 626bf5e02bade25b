package admin

// Act: the only way to change anything.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// Result is the outcome of an action that has succeeded.
type Result struct {
	Action string `json:"action"`   // its name, such as user.change
	Event  int64  `json:"event_id"` // the id of its event
	// Target is the key of what was changed or created.
	Target string `json:"id,omitempty"`
	// Count is how many sessions were ended, by the actions that only do that.
	Count int `json:"count,omitempty"`
	// Access and Refresh are the tokens of user.impersonate.
	Access  string `json:"access,omitempty"`
	Refresh string `json:"refresh,omitempty"`

	acting *acting
	users  adminstore.Query      // of user.export
	events adminstore.EventQuery // of event.export
	user   record.UserID         // the owner of Target, if an action on it leads to the page of the owner
}

// change is an action that is being run, in its transaction.
type change struct {
	*Admin
	ctx    context.Context
	tx     adminstore.Tx
	who    Actor
	action *action
	target string
	in     Fields
	now    time.Time

	event   record.Event
	entry   *adminstore.LogEntry
	changes map[string][2]any
	result  Result
	ready   any // what prepare returned
	// then is called after the event was written, in the transaction.
	then func() error
}

// Act runs the action with this name (see Actions) on a target: the key of a user,
// group, invitation, session, account at a provider, API key, signing key, e-mail,
// counter or job; "" for an action that creates something. An action on many users,
// job.start, only stores the job: Run or Work does it.
//
// Errors: jotgate.ErrForbidden if the actor lacks a right; jotgate.ErrNotFound if
// there is no such action or target; 400 with the field; 401 with the code
// insufficient_user_authentication if the actor must authenticate again; a *Conflict
// if another administrator has changed the target; jotgate.ErrUnavailable.
func (a *Admin) Act(ctx context.Context, who Actor, name, target string, in Fields) (Result, error) {
	act := actionNamed(name)
	if act == nil {
		return Result{}, jotgate.ErrNotFound
	}
	if err := a.admit(ctx, &who, act, in); err != nil {
		a.gate.Events().RecordRefusal(ctx, err, who.id(), who.client)
		return Result{}, err
	}
	var ready any
	var err error
	if act.prepare != nil {
		if ready, err = act.prepare(a, ctx, target, in); err != nil {
			return Result{}, err
		}
	}
	var c *change
	err = a.store.Change(ctx, func(ctx context.Context, tx adminstore.Tx) error {
		c = a.change(ctx, tx, who, act, target, in)
		c.ready = ready
		return c.run()
	})
	if err != nil {
		a.gate.Events().RecordRefusal(ctx, err, who.id(), who.client)
		return Result{}, err
	}
	a.done(ctx, c)
	return c.result, c.issue()
}

// admit checks what does not need the transaction: it only saves work, since run
// checks the rights again.
func (a *Admin) admit(ctx context.Context, who *Actor, act *action, in Fields) error {
	if !act.allows(a, who) {
		return jotgate.ErrForbidden
	}
	if err := act.known(a, in); err != nil {
		return err
	}
	if act.danger {
		return who.recent(ctx)
	}
	return nil
}

func (a *Admin) change(ctx context.Context, tx adminstore.Tx, who Actor, act *action, target string, in Fields) *change {
	now := a.gate.Settings().Now().UTC().Truncate(time.Microsecond)
	return &change{
		Admin: a, ctx: ctx, tx: tx, who: who, action: act, target: target, in: in, now: now, changes: map[string][2]any{},
		event: record.Event{
			Time: now, Name: "admin", Detail: act.Name, Actor: who.id(), Address: who.client.Address, UserAgent: who.client.UserAgent, Endpoint: who.client.Endpoint,
		},
		result: Result{Action: act.Name, Target: target},
	}
}

// run makes the change and writes its event.
func (c *change) run() (err error) {
	if c.who, err = c.who.refreshed(c.ctx, c.tx); err != nil {
		return err
	}
	if !c.action.allows(c.Admin, &c.who) {
		return jotgate.ErrForbidden
	}
	if err := c.action.run(c); err != nil {
		return err
	}
	return c.record()
}

// record writes the one event of a change.
func (c *change) record() error {
	text, err := json.Marshal(c.changes)
	if err != nil {
		return err
	}
	c.event.Changes = string(text)
	if c.event.Target == "" {
		c.event.Target = c.target
	}
	if err := c.tx.Record(c.ctx, &c.event, c.entry); err != nil {
		return err
	}
	c.result.Event = c.event.ID
	if c.then != nil {
		return c.then()
	}
	return nil
}

// done is called after the commit: the gate reads what was revoked, and the log
// gets the event.
func (a *Admin) done(ctx context.Context, c *change) {
	if err := a.gate.Sync(ctx); err != nil { // Run reads it again
		a.gate.Settings().Logger.WarnContext(ctx, "the revocations of a change were not read", "cause", err)
	}
	a.gate.Events().Stored(ctx, c.event)
}

// set notes a changed value, unless it is as before.
func (c *change) set(field string, before, after any) {
	if fmt.Sprint(before) != fmt.Sprint(after) {
		c.changes[field] = [2]any{before, after}
	}
}

// Conflict is the error of an action with the field version if another administrator
// has changed the target since that version was read. It has both values of each
// field that differs.
type Conflict struct {
	// Version is the current version of the target. A client that sends the action
	// again with it overwrites the other change.
	Version string `json:"version"`
	// Current has the current values by field, and Yours those of the action.
	Current map[string]any `json:"current"`
	Yours   map[string]any `json:"yours"`
}

// Error implements error.
func (c *Conflict) Error() string { return errConflict.Error() }

// Unwrap returns the *jotgate.Error that a client sees, with status 409.
func (c *Conflict) Unwrap() error { return errConflict }

var errConflict = &jotgate.Error{Status: http.StatusConflict, Code: "changed", Detail: "Another administrator has changed this in the meantime."}

// conflict returns a Conflict if the form was made of another version of these
// values.
func (c *change) conflict(version string, current map[string]any) error {
	if had := c.in.text("version"); had == "" || had == version {
		return nil
	}
	e := &Conflict{Version: version, Current: map[string]any{}, Yours: map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(c.in)) {
		if now, ok := current[name]; ok && fmt.Sprint(now) != fmt.Sprint(c.in.shown(name, now)) {
			e.Current[name], e.Yours[name] = now, c.in.shown(name, now)
		}
	}
	return e
}

// refuse returns the error of a field, with status 400.
func refuse(field, text string) *jotgate.Error {
	return &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: field, Messages: []string{text}}}}
}

// asConflict returns the Conflict of an error, or nil.
func asConflict(err error) *Conflict {
	var c *Conflict
	errors.As(err, &c)
	return c
}
