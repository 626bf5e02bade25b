package store

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/webhook"
)

// Webhooks: the tables jotgate_webhook and jotgate_webhook_delivery, and the mark of
// events for which there are no messages yet (jotgate_event.relay).

type webhooks struct{ db *Store }

var _ webhook.Store = webhooks{}

// Webhooks returns the storage of package webhook in the database.
func Webhooks(s *Store) webhook.Store { return webhooks{s} }

const webhookColumns = "id, url, types, created, sealed, previous, previous_until, failing, reason, disabled"

// messageCounts counts the messages to a webhook that are not delivered yet, and those
// that were given up.
const messageCounts = `(SELECT COUNT(*) FROM jotgate_webhook_delivery AS d WHERE d.webhook = jotgate_webhook.id AND d.done IS NULL),
(SELECT COUNT(*) FROM jotgate_webhook_delivery AS d WHERE d.webhook = jotgate_webhook.id AND d.done IS NOT NULL AND NOT d.delivered)`

func scanWebhook(rows rowScanner) (e webhook.Endpoint, err error) {
	var types string
	err = rows.Scan(&e.ID, &e.URL, &types, instant{&e.Created}, &e.Sealed, &e.Previous, instant{&e.PreviousUntil},
		instant{&e.Failing}, &e.Reason, instant{&e.Disabled})
	e.Types = append([]string{}, strings.Fields(types)...)
	return e, err
}

// scanCountedWebhook reads webhookColumns and then messageCounts.
func scanCountedWebhook(rows rowScanner) (webhook.Endpoint, error) {
	var waiting, givenUp int
	e, err := scanWebhook(longRow{rows, []any{&waiting, &givenUp}})
	e.Waiting, e.GivenUp = waiting, givenUp
	return e, err
}

// Add implements webhook.Store.
func (ws webhooks) Add(ctx context.Context, e webhook.Endpoint) error {
	return ws.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		if ws.db.driver.Locks { // so that concurrent calls count each other's rows
			if _, err := run(ctx, q, "LOCK TABLE jotgate_webhook IN SHARE ROW EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		n, err := run(ctx, q, `INSERT INTO jotgate_webhook (id, url, types, created, sealed)
SELECT $1, $2, $3, CAST($4 AS bigint), $5 WHERE (SELECT COUNT(*) FROM jotgate_webhook) < $6`,
			e.ID, e.URL, strings.Join(e.Types, " "), e.Created.UnixMicro(), e.Sealed, webhook.MaxEndpoints)
		if err == nil && n == 0 {
			return webhook.ErrLimit
		}
		return ws.db.taken(err, jotgate.ErrTaken)
	})
}

// Find implements webhook.Store.
func (ws webhooks) Find(ctx context.Context, id string) (*webhook.Endpoint, error) {
	if !storable(id) {
		return nil, jotgate.ErrNotFound
	}
	return ask(ctx, ws.db, func(ctx context.Context, q Queryer) (*webhook.Endpoint, error) {
		return single(ctx, q, scanWebhook, "SELECT "+webhookColumns+" FROM jotgate_webhook WHERE id = $1", id)
	})
}

// List implements webhook.Store.
func (ws webhooks) List(ctx context.Context) ([]webhook.Endpoint, error) {
	return ask(ctx, ws.db, func(ctx context.Context, q Queryer) ([]webhook.Endpoint, error) {
		return all(ctx, q, scanCountedWebhook, "SELECT "+webhookColumns+", "+messageCounts+" FROM jotgate_webhook ORDER BY created, id")
	})
}

// Change implements webhook.Store.
func (ws webhooks) Change(ctx context.Context, id, url string, types []string) error {
	return ws.change(ctx, id, "UPDATE jotgate_webhook SET url = $2, types = $3 WHERE id = $1", url, strings.Join(types, " "))
}

// Rotate implements webhook.Store.
func (ws webhooks) Rotate(ctx context.Context, id, from, sealed string, until time.Time) error {
	return ws.change(ctx, id, "UPDATE jotgate_webhook SET previous = sealed, previous_until = $2, sealed = $3 WHERE id = $1 AND sealed = $4",
		until.UnixMicro(), sealed, from)
}

// SetDisabled implements webhook.Store.
func (ws webhooks) SetDisabled(ctx context.Context, id string, at time.Time) error {
	if at.IsZero() {
		return ws.change(ctx, id, "UPDATE jotgate_webhook SET disabled = NULL, failing = NULL, reason = '' WHERE id = $1 AND disabled IS NOT NULL")
	}
	return ws.change(ctx, id, "UPDATE jotgate_webhook SET disabled = $2 WHERE id = $1 AND disabled IS NULL", at.UnixMicro())
}

// change changes the webhook $1, or returns jotgate.ErrNotFound.
func (ws webhooks) change(ctx context.Context, id, text string, args ...any) error {
	if !storable(id) {
		return jotgate.ErrNotFound
	}
	return ws.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, text, append([]any{id}, args...)...)
		return orNotFound(n > 0, err)
	})
}

// Remove implements webhook.Store.
func (ws webhooks) Remove(ctx context.Context, id string) error {
	if !storable(id) {
		return jotgate.ErrNotFound
	}
	return ws.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, "DELETE FROM jotgate_webhook WHERE id = $1", id)
		if err == nil && n > 0 {
			_, err = run(ctx, q, "DELETE FROM jotgate_webhook_delivery WHERE webhook = $1", id)
		}
		return orNotFound(n > 0, err)
	})
}

// The condition is there twice for the reason of leaseText.
const relayText = `UPDATE jotgate_event SET relay = NULL WHERE relay AND id IN
(SELECT id FROM jotgate_event WHERE relay ORDER BY made, id LIMIT $1) RETURNING ` + eventColumns

// Relay implements webhook.Store.
func (ws webhooks) Relay(ctx context.Context, limit int, route func([]record.Event, []webhook.Endpoint) []webhook.Delivery) (n int, err error) {
	marked, err := ask(ctx, ws.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_event WHERE relay LIMIT 1")
	})
	if err != nil || !marked {
		return 0, err
	}
	return act(ctx, ws.db, func(ctx context.Context, q Queryer) (int, error) {
		events, err := all(ctx, q, scanEvent, relayText, limit)
		if err != nil || len(events) == 0 {
			return 0, err
		}
		endpoints, err := all(ctx, q, scanWebhook, "SELECT "+webhookColumns+" FROM jotgate_webhook ORDER BY created, id")
		if err != nil {
			return 0, err
		}
		for _, d := range route(events, endpoints) {
			if _, err := run(ctx, q, `INSERT INTO jotgate_webhook_delivery (id, webhook, event, type, body, created, due)
VALUES ($1, $2, $3, $4, $5, $6, $7)`, d.ID, d.Endpoint, d.Event, d.Type, d.Body, d.Created.UnixMicro(), d.Due.UnixMicro()); err != nil {
				return 0, err
			}
		}
		return len(events), nil
	})
}

// Waiting implements webhook.Store.
func (ws webhooks) Waiting(ctx context.Context, now time.Time) ([]string, error) {
	return ask(ctx, ws.db, func(ctx context.Context, q Queryer) ([]string, error) {
		return all(ctx, q, value[string], `SELECT id FROM jotgate_webhook WHERE disabled IS NULL AND EXISTS
(SELECT 1 FROM jotgate_webhook_delivery AS d WHERE d.webhook = jotgate_webhook.id AND d.done IS NULL AND d.due <= $1) ORDER BY id`, now.UnixMicro())
	})
}

const deliveryColumns = "id, webhook, event, type, body, created, due, attempts, status, reason, done, delivered"

func scanDelivery(rows rowScanner) (d webhook.Delivery, err error) {
	err = rows.Scan(&d.ID, &d.Endpoint, &d.Event, &d.Type, &d.Body, instant{&d.Created}, instant{&d.Due}, &d.Attempts,
		&d.Status, &d.Reason, instant{&d.Done}, &d.Delivered)
	return d, err
}

var dueDeliveries = leaseText("jotgate_webhook_delivery", ` AND webhook = $4 AND done IS NULL
AND EXISTS (SELECT 1 FROM jotgate_webhook AS w WHERE w.id = $4 AND w.disabled IS NULL)`, deliveryColumns)

// Due implements webhook.Store.
func (ws webhooks) Due(ctx context.Context, endpoint string, now time.Time, limit int, lease time.Duration) ([]webhook.Delivery, error) {
	return act(ctx, ws.db, func(ctx context.Context, q Queryer) ([]webhook.Delivery, error) {
		return all(ctx, q, scanDelivery, dueDeliveries, now.Add(lease).UnixMicro(), now.UnixMicro(), limit, endpoint)
	})
}

// Record implements webhook.Store.
func (ws webhooks) Record(ctx context.Context, d webhook.Delivery, o webhook.Outcome, now time.Time) (disabled bool, err error) {
	due, done := o.Retry, time.Time{}
	if o.Retry.IsZero() { // delivered, or given up
		due, done = now, now
	}
	return act(ctx, ws.db, func(ctx context.Context, q Queryer) (bool, error) {
		n, err := run(ctx, q, `UPDATE jotgate_webhook_delivery SET attempts = attempts + 1, status = $1, reason = $2, due = $3, done = $4, delivered = $5
WHERE id = $6 AND attempts = $7 AND due = $8 AND done IS NULL`,
			o.Status, note(o.Reason, 512), due.UnixMicro(), micros(done), o.Delivered, d.ID, d.Attempts, d.Due.UnixMicro())
		switch {
		case err != nil || n == 0:
			return false, err
		case o.Delivered:
			_, err = run(ctx, q, "UPDATE jotgate_webhook SET failing = NULL, reason = '' WHERE id = $1 AND failing IS NOT NULL", d.Endpoint)
			return false, err
		}
		return webhookFailed(ctx, q, d.Endpoint, o, now)
	})
}

// webhookFailed records a failure of a webhook, and disables it if there were nothing but
// failures for too long.
func webhookFailed(ctx context.Context, q Queryer, id string, o webhook.Outcome, now time.Time) (disabled bool, err error) {
	at := now.UnixMicro()
	if _, err := run(ctx, q, "UPDATE jotgate_webhook SET failing = COALESCE(failing, $1), reason = $2 WHERE id = $3 AND disabled IS NULL",
		at, note(o.Reason, 512), id); err != nil {
		return false, err
	}
	n, err := run(ctx, q, "UPDATE jotgate_webhook SET disabled = $1 WHERE id = $2 AND disabled IS NULL AND ($3 OR failing < $4)",
		at, id, o.Disable, o.DisableIf.UnixMicro())
	if err != nil || n == 0 {
		return false, err
	}
	return true, addEvent(ctx, q, record.Event{Time: now, Name: "webhook", Detail: "disabled " + id + ": " + o.Reason})
}

// Deliveries implements webhook.Store.
func (ws webhooks) Deliveries(ctx context.Context, endpoint string, failed bool, limit int) ([]webhook.Delivery, error) {
	return ask(ctx, ws.db, func(ctx context.Context, q Queryer) ([]webhook.Delivery, error) {
		return all(ctx, q, scanDelivery, "SELECT "+deliveryColumns+` FROM jotgate_webhook_delivery
WHERE webhook = $1 AND ($2 = FALSE OR NOT delivered) ORDER BY created DESC, event DESC LIMIT $3`, endpoint, failed, limit)
	})
}

// Replay implements webhook.Store.
func (ws webhooks) Replay(ctx context.Context, endpoint string, since, now time.Time, failed bool) (n int, err error) {
	a := cmp.Or(record.AttachedTo(ctx), &record.Attached{Events: make([]record.Event, 1)})
	what := a.Events[0].Detail
	err = ws.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		n, err = run(ctx, q, `UPDATE jotgate_webhook_delivery SET due = $1, attempts = 0, done = NULL, delivered = FALSE
WHERE webhook = $2 AND created >= $3 AND ($4 = FALSE OR NOT delivered)`, now.UnixMicro(), endpoint, since.UnixMicro(), failed)
		a.Events[0].Detail = strconv.Itoa(n) + " " + what
		return err
	})
	return n, err
}

// Purge implements webhook.Store.
func (ws webhooks) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return act(ctx, ws.db, func(ctx context.Context, q Queryer) (int, error) {
		return run(ctx, q, `DELETE FROM jotgate_webhook_delivery WHERE id IN
(SELECT id FROM jotgate_webhook_delivery WHERE created < $1 ORDER BY created LIMIT $2)`, before.UnixMicro(), limit)
	})
}
