package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/stopping"
	"github.com/jotgate/jotgate/record"
)

// scopeEvents is the scope with which limited tokens and API keys read the audit trail.
const scopeEvents = "events"

const (
	maxEvents       = 1000 // the largest page of the feed, and the default
	maxEventWait    = 25   // seconds, as for the feed of revocations: less than the 30 of many proxies
	maxEventWaiters = 16   // requests that wait at the same time; later ones get an empty page immediately
)

// jsonLines is a body of JSON texts, one on each line.
type jsonLines []byte

const jsonLinesType = "application/jsonl"

// eventFeed is GET /auth/events/: the audit trail from a cursor on, oldest first. With
// ?wait= it waits for the next event.
func eventFeed(c *call) (any, error) {
	if err := c.mayReadEvents(); err != nil {
		return nil, err
	}
	events := c.gate.Store().Events()
	if events == nil {
		return nil, jotgate.ErrNotFound
	}
	limit, err := c.numberIn("limit", 1, maxEvents, maxEvents)
	if err != nil {
		return nil, err
	}
	seconds, err := c.numberIn("wait", 0, maxEventWait, 0)
	if err != nil {
		return nil, err
	}
	after := c.r.URL.Query().Get("after")
	list, err := events.After(c.ctx, after, limit)
	if err == nil && len(list) == 0 && seconds > 0 {
		list, err = c.awaitEvents(events, after, limit, seconds)
	}
	if err != nil {
		return nil, err
	}
	c.w.Header()["Cache-Control"] = noStore
	return linesOf(list)
}

// awaitEvents asks for events once in a second, until there is one. Each time it checks the
// credential and the rights of the account again, as a new request would.
func (c *call) awaitEvents(events record.Events, after string, limit, seconds int) ([]record.Event, error) {
	defer c.eventWaiters.Add(-1)
	if c.eventWaiters.Add(1) > maxEventWaiters {
		return nil, nil
	}
	for range seconds {
		select {
		case <-c.ctx.Done():
			return nil, nil // the client is gone, or the time of the request is over
		case <-stopping.Done(c.ctx):
			return nil, nil
		case <-time.After(time.Second):
		}
		if err := c.authenticate(member, &action{grant: scopeEvents}); err != nil {
			return nil, err
		}
		if err := c.mayReadEvents(); err != nil {
			return nil, err
		}
		if list, err := events.After(c.ctx, after, limit); err != nil || len(list) > 0 {
			return list, err
		}
	}
	return nil, nil
}

// numberIn returns an integer of the query that is at least low. A greater one than high
// counts as high.
func (c *call) numberIn(name string, low, high, otherwise int) (int, error) {
	text := c.r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low {
		return 0, &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: name, Messages: []string{"A valid integer is required."}}}}
	}
	return min(n, high), nil
}

func linesOf(list []record.Event) (jsonLines, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range list {
		if err := enc.Encode(&list[i]); err != nil {
			return nil, err
		}
	}
	return jsonLines(b.Bytes()), nil
}

// mayReadEvents checks the right of the account, which its scope alone does not give:
// whoever makes a key chooses its scopes. People need what the administration demands.
func (c *call) mayReadEvents() error {
	if !c.user.Limited() {
		if err := c.gate.Factors().RequireStaff(c.ctx, c.user, c.account); err != nil {
			return err
		}
	}
	if c.account.IsActive && c.account.IsSuperuser {
		return nil
	}
	_, permissions, err := c.gate.Store().Accounts().Grants(c.ctx, c.account.ID)
	if err != nil {
		return err
	}
	isReader := func(p string) bool { return p == "jotgate.view_event" || p == "auth.view_user" }
	if !c.account.IsActive || !c.account.IsStaff || !slices.ContainsFunc(permissions, isReader) {
		return jotgate.ErrForbidden.Because(errors.New("the account may not read events"))
	}
	return nil
}
