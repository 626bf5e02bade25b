package jotgate

// Events: the log, the audit trail and Settings.OnEvent.

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// eventTimeout is how long a response waits for its event to be stored.
const eventTimeout = 2 * time.Second

// Record adds an event of the program's HTTP layer to the log and the audit trail.
// e.Name is one of record.EventKinds. If that kind is Bounded, the number of rows is
// limited. The gate sets Time, Outcome and Count, and takes Address, UserAgent and
// Endpoint from client.
func (es Events) Record(ctx context.Context, e record.Event, client Client) {
	es.gate.event(ctx, e, client)
}

// RecordRefusal records in the audit trail that a request was rejected with err, if
// there is an event for that: for a wrong current password, a delay or a rate, a link
// or a token that is not valid, or a missing permission. user is the user of the
// request, or "" if it is not known; an error of a login in steps contains the account.
func (es Events) RecordRefusal(ctx context.Context, err error, user record.UserID, client Client) {
	var of *attributed
	if !errors.As(err, &of) {
		of = new(attributed)
	}
	if name, detail := refusalEvent(AsError(err)); name != "" {
		es.gate.event(ctx, record.Event{Name: name, User: cmp.Or(user, of.user), Subject: of.subject, Detail: detail}, client)
	}
}

// RecordRefusalOf is RecordRefusal for the user of a token or a cookie; nil means that the
// user is not known. It also records the Actor of the user.
func (es Events) RecordRefusalOf(ctx context.Context, user *User, err error, client Client) {
	var id record.UserID
	if user != nil {
		client.Actor = user.Actor()
		if es.gate.settings.UserIDField == "id" { // otherwise it is the username
			id = user.ID
		}
	}
	es.RecordRefusal(ctx, err, id, client)
}

// attributed is an error with the account whose second factor or code was tried, for the
// audit trail.
type attributed struct {
	error
	user    record.UserID
	subject string // see Events.Subject
}

func (a *attributed) Unwrap() error { return a.error }

// refusalEvent returns the event of a rejected request, or "". Rejecting a
// request without a token is not an event.
func refusalEvent(e *Error) (name, detail string) {
	switch {
	case e.Status == http.StatusTooManyRequests:
		return "throttled", ""
	case e.Is(ErrInsufficientScope):
		return "forbidden", e.reason()
	case e.Is(errAudience):
		return "token_refused", e.reason()
	case e.Pending != "" || e.Challenge != "": // a login that continues, or must be repeated
		return "", ""
	case e.Is(ErrCodeNotValid), e.Is(ErrLoginNotValid), e.Is(ErrPasskeyNotValid), e.Is(ErrPasskeyUnknown):
		return "factor_refused", e.Detail
	case e.Is(errProviderDenied), e.Is(errProviderExpired), e.Is(errProviderInvalid), e.Is(ErrNotConnected):
		return "", "" // Providers records them, and a login that must sign up or connect first is none
	case e.Is(ErrWrongPassword):
		return "password_refused", "wrong password"
	case e.Is(errLink):
		return "link_refused", "invalid link"
	case e.Status == http.StatusForbidden:
		return "forbidden", e.reason()
	case e.Code == "invalid_client": // package oauth records it
		return "", ""
	case e.Status == http.StatusUnauthorized && (e.Code != "" || e.Is(ErrNoAccountForToken)):
		return "token_refused", e.Detail
	}
	return "", ""
}

// recordRequest is Events.RecordRefusalOf for a handler of the program, behind
// Require: the endpoint is the mux's pattern and the address that of the
// peer.
func (g *Gate) recordRequest(r *http.Request, err *Error) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	user, _ := UserFrom(r.Context())
	g.Events().RecordRefusalOf(r.Context(), user, err, Client{Address: host, UserAgent: r.UserAgent(), Endpoint: r.Pattern})
}

// RecordWith calls change, which makes one change in the store with the context that it
// is passed, and records e if change returns nil. If the Store keeps events, e is
// inserted in the transaction of the change, so that both are stored or neither is; the
// same holds for a webhook about it. The kind of e must not be Bounded. change may set
// e.User, for a Store that does not keep events.
func (es Events) RecordWith(ctx context.Context, e *record.Event, client Client, change func(ctx context.Context) error) error {
	return es.gate.recorded(ctx, e, client, change)
}

func (g *Gate) recorded(ctx context.Context, e *record.Event, client Client, change func(ctx context.Context) error) error {
	return g.recordedAll(ctx, []*record.Event{e}, client, change)
}

// recordedAll is recorded for any number of events about one change.
func (g *Gate) recordedAll(ctx context.Context, events []*record.Event, client Client, change func(ctx context.Context) error) error {
	if len(events) == 0 {
		return change(ctx)
	}
	a := new(record.Attached)
	for _, e := range events {
		a.Events = append(a.Events, g.complete(*e, client))
	}
	if err := change(a.To(ctx)); err != nil {
		return err
	}
	for i, e := range events {
		a.Events[i].User = cmp.Or(a.Events[i].User, e.User)
		g.reportChange(ctx, a.Events[i], a.Stored)
	}
	return nil
}

// reportChange logs an event about a change that was made, and stores it unless the
// store has done so with the change.
func (g *Gate) reportChange(ctx context.Context, e record.Event, stored bool) {
	g.logEvent(ctx, e)
	if !stored {
		g.storeEvent(ctx, e)
	}
}

// complete fills in what the gate knows of an event.
func (g *Gate) complete(e record.Event, client Client) record.Event {
	kind, _ := record.EventKindOf(e.Name)
	e.Time, e.Outcome, e.Count = g.now(), kind.Outcome, 1
	e.Address, e.UserAgent, e.Endpoint = client.Address, cut(client.UserAgent, 512), cut(client.Endpoint, 64)
	e.Detail = cut(e.Detail, 256)
	if e.Actor == "" && e.Name != "admin" {
		e.Actor = client.Actor
	}
	return e
}

// event logs an event and stores it, if the store keeps events.
func (g *Gate) event(ctx context.Context, e record.Event, client Client) {
	kind, _ := record.EventKindOf(e.Name)
	e = g.complete(e, client)
	if !kind.Bounded {
		g.logEvent(ctx, e)
		g.storeEvent(ctx, e)
		return
	}
	own, counted := g.trail.take(e)
	if own || !kind.Sampled {
		g.logEvent(ctx, e)
	}
	if own {
		g.storeEvent(ctx, e)
	}
	for _, row := range counted {
		g.storeEvent(ctx, row)
	}
}

// flushEvents stores the counted events of a window that has ended, or with
// any those of the current window.
func (g *Gate) flushEvents(ctx context.Context, any bool) {
	for _, row := range g.trail.flush(g.now(), any) {
		g.storeEvent(ctx, row)
	}
}

// detached returns the context for what follows from something that has happened: it
// does not end if the client goes away, but after limit.
func detached(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// storeEvent stores it even if the client has gone: leaving early hides nothing.
func (g *Gate) storeEvent(ctx context.Context, e record.Event) {
	events := g.db.Events()
	if events == nil {
		return
	}
	ctx, cancel := detached(ctx, eventTimeout)
	defer cancel()
	if err := events.Add(ctx, e); err != nil {
		g.log.WarnContext(ctx, "an event was not stored", "event", e.Name, "cause", err)
	}
}

// logEvent writes an event to the log and calls Settings.OnEvent.
func (g *Gate) logEvent(ctx context.Context, e record.Event) {
	kind, _ := record.EventKindOf(e.Name)
	e.Outcome, e.Count = cmp.Or(e.Outcome, kind.Outcome), max(e.Count, 1)
	level := slog.LevelInfo
	if e.Name == "reuse" { // a theft, or a client that needs another setting
		level = slog.LevelWarn
	}
	about := []any{
		"outcome", e.Outcome, "user_id", e.User, "sid", e.Session, "address", e.Address,
		"endpoint", e.Endpoint, "subject", e.Subject, "detail", e.Detail,
	}
	if e.Actor != "" {
		about = append(about, "actor_id", e.Actor)
	}
	g.log.Log(ctx, level, e.Name, about...)
	if g.settings.OnEvent == nil {
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			g.log.ErrorContext(ctx, "OnEvent panicked", "event", e.Name, "fault", fmt.Sprint(fault))
		}
	}()
	g.settings.OnEvent(ctx, e)
}

// Subject returns the Subject of a record.Event for a username or an e-mail address
// that a client sent: 32 hexadecimal digits, which are equal for names that names.Fold
// does not distinguish. It is keyed with Settings.SecretKey, so that the audit trail
// does not reveal the name.
func (es Events) Subject(name string) string {
	mac := hmac.New(sha256.New, []byte(es.gate.settings.SecretKey))
	_, _ = mac.Write([]byte("jotgate event subject: " + throttle.AccountKey(name)))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
