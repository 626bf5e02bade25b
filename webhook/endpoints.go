package webhook

// Managing endpoints.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/hooksign"
	"github.com/jotgate/jotgate/record"
)

// Request describes an endpoint to add, or to change.
type Request struct {
	URL string // at most 1000 bytes
	// Types are at most 50 types of events, such as user.deleted, or beginnings of types
	// followed by *, such as user.*. Empty: the standard ones (see Types).
	Types []string
}

// Created is a new endpoint, or one with a new secret.
type Created struct {
	Endpoint
	Secret string `json:"secret"` // cannot be shown again
}

// ErrLimit rejects a new endpoint if there are MaxEndpoints.
var ErrLimit = &jotgate.Error{
	Status: http.StatusBadRequest, Code: "webhook_limit", Detail: fmt.Sprintf("There can be %d webhooks. Remove one first.", MaxEndpoints),
}

// Add adds an endpoint, which gets the events from now on. Errors: 400 with the field,
// ErrLimit, jotgate.ErrUnavailable.
func (w *Webhooks) Add(ctx context.Context, r Request, client jotgate.Client) (c Created, err error) {
	if err := w.check(&r); err != nil {
		return c, err
	}
	c.Endpoint = Endpoint{ID: hooksign.NewID("wh_"), URL: r.URL, Types: r.Types, Created: w.now()}
	if c.Secret, c.Sealed, err = w.makeSecret(c.ID); err == nil {
		err = w.recorded(ctx, "added "+c.ID, client, func(ctx context.Context) error { return w.store.Add(ctx, c.Endpoint) })
	}
	if err != nil {
		return Created{}, err
	}
	return c, nil
}

func (w *Webhooks) makeSecret(id string) (secret, sealed string, err error) {
	secret = hooksign.NewSecret()
	sealed, err = w.seal(secret, id)
	return secret, sealed, err
}

// check checks a request, and drops repeated types.
func (w *Webhooks) check(r *Request) error {
	if len(r.URL) > 1000 {
		return form.FieldError("url", "Ensure this field has no more than 1000 characters.")
	}
	if err := w.egress.Check(r.URL); err != nil {
		return form.FieldError("url", fmt.Sprintf("%.100q: %v.", r.URL, err))
	}
	standard, further := Types()
	known := append(standard, further...)
	types := []string{} // JSON: [], not null
	for _, text := range r.Types {
		if !slices.ContainsFunc(known, func(kind string) bool { return matches([]string{text}, kind) }) {
			return form.FieldError("types", fmt.Sprintf("%.64q is not the type of an event, such as user.deleted or user.*.", text))
		}
		if !slices.Contains(types, text) {
			types = append(types, text)
		}
	}
	if r.Types = types; len(types) > 50 {
		return form.FieldError("types", "Ensure this field has no more than 50 types.")
	}
	return nil
}

// List lists the endpoints, oldest first.
func (w *Webhooks) List(ctx context.Context) ([]Endpoint, error) { return w.store.List(ctx) }

// Deliveries lists at most limit messages to the endpoint, newest first; if failed is
// true, only those that were not delivered.
func (w *Webhooks) Deliveries(ctx context.Context, id string, failed bool, limit int) ([]Delivery, error) {
	if _, err := w.store.Find(ctx, id); err != nil {
		return nil, err
	}
	return w.store.Deliveries(ctx, id, failed, limit)
}

// MaxOverlap is the longest time for which a secret that was replaced still signs.
const MaxOverlap = 30 * 24 * time.Hour

// Rotate gives the endpoint a new secret. For the duration overlap, from 0 to MaxOverlap,
// each message has two signatures, by the new and by the former secret, so that the
// receiver can change its secret at any time in between. Errors: 400,
// jotgate.ErrNotFound (also if the secret is being rotated concurrently),
// jotgate.ErrUnavailable.
func (w *Webhooks) Rotate(ctx context.Context, id string, overlap time.Duration, client jotgate.Client) (c Created, err error) {
	if overlap < 0 || overlap > MaxOverlap {
		return c, form.FieldError("overlap", fmt.Sprintf("Ensure this value is between 0 and %d.", MaxOverlap/time.Second))
	}
	e, err := w.store.Find(ctx, id)
	if err != nil {
		return c, err
	}
	c.Endpoint, c.PreviousUntil = *e, w.now().Add(overlap)
	if c.Secret, c.Sealed, err = w.makeSecret(id); err == nil {
		err = w.recorded(ctx, "secret of "+id+" rotated", client, func(ctx context.Context) error {
			return w.store.Rotate(ctx, id, e.Sealed, c.Sealed, c.PreviousUntil)
		})
	}
	if err != nil {
		return Created{}, err
	}
	return c, nil
}

// Change replaces the URL of an endpoint unless r.URL is empty, and its types unless
// r.Types is nil. Messages that wait go to the new URL. Errors: 400 with the field,
// jotgate.ErrNotFound, jotgate.ErrUnavailable.
func (w *Webhooks) Change(ctx context.Context, id string, r Request, client jotgate.Client) error {
	e, err := w.store.Find(ctx, id)
	if err != nil {
		return err
	}
	if r.URL = cmp.Or(r.URL, e.URL); r.Types == nil {
		r.Types = e.Types
	}
	if err := w.check(&r); err != nil {
		return err
	}
	return w.recorded(ctx, "changed "+id, client, func(ctx context.Context) error { return w.store.Change(ctx, id, r.URL, r.Types) })
}

// SetDisabled disables an endpoint, whose messages then wait, or enables it again. The
// error is jotgate.ErrNotFound if this changes nothing, or jotgate.ErrUnavailable.
func (w *Webhooks) SetDisabled(ctx context.Context, id string, disabled bool, client jotgate.Client) error {
	at, what := time.Time{}, "enabled "
	if disabled {
		at, what = w.now(), "disabled "
	}
	return w.recorded(ctx, what+id, client, func(ctx context.Context) error { return w.store.SetDisabled(ctx, id, at) })
}

// Remove removes an endpoint with its messages. Errors: jotgate.ErrNotFound,
// jotgate.ErrUnavailable.
func (w *Webhooks) Remove(ctx context.Context, id string, client jotgate.Client) error {
	return w.recorded(ctx, "removed "+id, client, func(ctx context.Context) error { return w.store.Remove(ctx, id) })
}

// Replay makes messages due again that were created at or after since; if failed is true,
// only those that were not delivered. Run sends them, with the ids that they had. Replay
// returns their number. Errors: jotgate.ErrNotFound, jotgate.ErrUnavailable.
func (w *Webhooks) Replay(ctx context.Context, id string, since time.Time, failed bool, client jotgate.Client) (n int, err error) {
	if _, err := w.store.Find(ctx, id); err != nil {
		return 0, err
	}
	err = w.recorded(ctx, "messages to "+id+" sent again", client, func(ctx context.Context) (err error) {
		n, err = w.store.Replay(ctx, id, since, w.now(), failed)
		return err
	})
	return n, err
}

// ErrRefused is returned by Test if the endpoint did not respond with 2xx; the error says
// why.
var ErrRefused = errors.New("the endpoint did not accept the message")

// Test sends a message of the type webhook.test to the endpoint, once, and returns the
// status of the response. Errors: jotgate.ErrNotFound, ErrRefused,
// jotgate.ErrUnavailable.
func (w *Webhooks) Test(ctx context.Context, id string) (status int, err error) {
	e, err := w.store.Find(ctx, id)
	if err != nil {
		return 0, err
	}
	body := bodyOf(&record.Event{Time: w.now()}, typeTest)
	status, _, err = w.post(ctx, e, hooksign.NewID("msg_"), body)
	if err != nil {
		err = fmt.Errorf("%w: %s", ErrRefused, reason(err))
	}
	return status, err
}

// recorded makes a change and its event in one transaction.
func (w *Webhooks) recorded(ctx context.Context, detail string, client jotgate.Client, change func(ctx context.Context) error) error {
	return w.gate.Events().RecordWith(ctx, &record.Event{Name: "webhook", Detail: detail}, client, change)
}

// Describe returns the state of an endpoint in one line: whether it is enabled, and since
// when it has been failing.
func (e *Endpoint) Describe() string {
	switch {
	case !e.Disabled.IsZero() && e.Reason != "":
		return "disabled: " + e.Reason
	case !e.Disabled.IsZero():
		return "disabled"
	case !e.Failing.IsZero():
		return strings.TrimSpace("failing since " + e.Failing.Format("2006-01-02 15:04") + ": " + e.Reason)
	}
	return "enabled"
}

// Describe returns the state of a message in one line: whether it was delivered, and
// otherwise why not and when it is sent again.
func (d *Delivery) Describe() string {
	const layout = "2006-01-02 15:04:05"
	switch {
	case d.Delivered:
		return "delivered " + d.Done.UTC().Format(layout)
	case !d.Done.IsZero():
		return "given up: " + d.Reason
	case d.Reason == "":
		return "waiting"
	}
	return "again " + d.Due.UTC().Format(layout) + ": " + d.Reason
}
