package store

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/jotgate/jotgate/record"
)

// The audit trail.

// Add implements record.Events. Texts that a client chose are cut to a
// bounded length, and what cannot be stored is removed from them.
func (es events) Add(ctx context.Context, e record.Event) error {
	return es.db.write(ctx, func(ctx context.Context, q Queryer) error { return addEvent(ctx, q, e) })
}

// writeRecorded is write for a change that always stores the events attached to ctx.
func (s *Store) writeRecorded(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	return s.write(ctx, func(inner context.Context, q Queryer) error {
		if err := do(inner, q); err != nil {
			return err
		}
		return addAttached(inner, q, record.AttachedTo(ctx), "")
	})
}

// addAttached adds the events that were attached to the context of the call (that of its
// transaction may be another), if there are any. user is the key of a new account, or empty.
func addAttached(ctx context.Context, q Queryer, a *record.Attached, user record.UserID) error {
	if a == nil {
		return nil
	}
	a.Stored = true // unless the transaction fails, and with it the change
	for i := range a.Events {
		if user != "" {
			a.Events[i].User = user
		}
		if err := addEvent(ctx, q, a.Events[i]); err != nil {
			return err
		}
	}
	return nil
}

func addEvent(ctx context.Context, q Queryer, e record.Event) error {
	_, err := insertEvent(ctx, q, e)
	return err
}

// insertEvent inserts an event and returns its id.
func insertEvent(ctx context.Context, q Queryer, e record.Event) (id int64, err error) {
	kind, _ := record.EventKindOf(e.Name)
	_, err = one(ctx, q, []any{&id}, `INSERT INTO jotgate_event (made, event, user_id, session, address, user_agent, detail, outcome, endpoint, subject, count,
actor, target, changes, parent, relay) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, `+eventActor+`, $13, $14, $15, `+eventRelay+`) RETURNING id`,
		e.Time.UnixMicro(), note(e.Name, 64), note(string(e.User), 64), note(e.Session, 64),
		note(e.Address, 64), note(e.UserAgent, 512), note(e.Detail, 1024), note(cmp.Or(e.Outcome, kind.Outcome), 16),
		note(e.Endpoint, 64), note(e.Subject, 64), max(e.Count, 1), note(string(e.Actor), 64), note(e.Target, 256), note(e.Changes, maxChanges), e.Parent)
	return id, err
}

// eventActor is the actor of an event: that of the caller or, in a session in which a
// member of staff acts for a user, that member, so that no event of such a session
// lacks one. An action of the administration names its own.
const eventActor = `CASE WHEN CAST($12 AS text) <> '' OR $2 = 'admin' THEN CAST($12 AS text)
ELSE COALESCE((SELECT substr(s.actor, 33) FROM jotgate_session AS s WHERE s.id = $4), '') END`

// eventRelay marks an event for webhooks if there are any: TRUE or NULL. Being part of the
// statement, it costs none, and is committed with the event.
const eventRelay = "(SELECT TRUE FROM jotgate_webhook LIMIT 1)"

// maxChanges bounds Event.Changes, in bytes. An administrator's change of many
// permissions fits.
const maxChanges = 64 << 10

const eventColumns = "id, made, event, user_id, session, address, user_agent, detail, outcome, endpoint, subject, count, actor, target, changes, parent"

// List implements record.Events.
func (es events) List(ctx context.Context, user record.UserID, before int64, limit int) (list []record.Event, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	text, args := "SELECT "+eventColumns+" FROM jotgate_event WHERE id < $1", []any{before, limit}
	if user != "" {
		if !storable(string(user)) {
			return nil, nil
		}
		text += " AND user_id = $3"
		args = append(args, string(user))
	}
	return ask(ctx, es.db, func(ctx context.Context, q Queryer) ([]record.Event, error) {
		return all(ctx, q, scanEvent, text+" ORDER BY id DESC LIMIT $2", args...)
	})
}

func scanEvent(rows rowScanner) (record.Event, error) { return scanEventAnd(rows) }

// scanEventAnd reads a row of eventColumns and further columns.
func scanEventAnd(rows rowScanner, more ...any) (e record.Event, err error) {
	err = rows.Scan(append([]any{
		&e.ID,
		instant{&e.Time},
		&e.Name, &e.User, &e.Session, &e.Address, &e.UserAgent, &e.Detail, &e.Outcome, &e.Endpoint, &e.Subject, &e.Count,
		&e.Actor, &e.Target, &e.Changes, &e.Parent,
	}, more...)...)
	return e, err
}

// Purge implements record.Events.
func (es events) Purge(ctx context.Context, keep time.Time, limit int) (n int, err error) {
	return act(ctx, es.db, func(ctx context.Context, q Queryer) (int, error) {
		return run(ctx, q, "DELETE FROM jotgate_event WHERE id IN (SELECT id FROM jotgate_event WHERE made < $1 ORDER BY made LIMIT $2)",
			keep.UnixMicro(), limit)
	})
}
