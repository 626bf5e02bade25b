package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// scopeEvents is the scope with which limited tokens and API keys read the audit trail.
const scopeEvents = "events"

// maxEvents is the largest page of the feed, and the default.
const maxEvents = 1000

// jsonLines is a body of JSON texts, one on each line.
type jsonLines []byte

const jsonLinesType = "application/jsonl"

// eventFeed is GET /auth/events/: the audit trail from a cursor on, oldest first.
func eventFeed(c *call) (any, error) {
	if err := c.mayReadEvents(); err != nil {
		return nil, err
	}
	events := c.gate.Store().Events()
	if events == nil {
		return nil, jotgate.ErrNotFound
	}
	query := c.r.URL.Query()
	limit := maxEvents
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, &jotgate.Error{Status: http.StatusBadRequest, Fields: []jotgate.FieldError{{Field: "limit", Messages: []string{"A valid integer is required."}}}}
		}
		limit = min(n, maxEvents)
	}
	list, err := events.After(c.ctx, query.Get("after"), limit)
	if err != nil {
		return nil, err
	}
	c.w.Header()["Cache-Control"] = noStore
	return linesOf(list)
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
