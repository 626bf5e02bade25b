package admin

// The audit trail, and its filters.

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

func (a *Admin) listEvents(ctx context.Context, who *Actor, values url.Values) (l list, err error) {
	if err := a.mayView(who, "user"); err != nil {
		return l, err
	}
	q, err := a.eventQuery(ctx, Fields(values))
	if err != nil {
		return l, err
	}
	q.Limit = pageSize
	q.Before, _ = strconv.ParseInt(values.Get("after"), 10, 64)
	page, err := a.store.Events(ctx, q)
	if page.Next > 0 {
		l.Next = strconv.FormatInt(page.Next, 10)
	}
	l.Results = append([]record.Event{}, page.Events...)
	return l, err
}

// eventFilters are the parameters that select events.
var eventFilters = []string{"event", "user", "actor", "parent", "since"}

// eventQuery reads the filters of the audit trail. An invalid date is an error of its field.
func (a *Admin) eventQuery(ctx context.Context, in Fields) (q adminstore.EventQuery, err error) {
	q.Name = in.text("event")
	if q.User, err = a.keyOf(ctx, in.text("user")); err != nil {
		return q, err
	}
	if q.Actor, err = a.keyOf(ctx, in.text("actor")); err != nil {
		return q, err
	}
	q.Parent, _ = strconv.ParseInt(in.text("parent"), 10, 64)
	if text := in.text("since"); text != "" {
		if q.Since, err = time.Parse(time.DateOnly, text); err != nil {
			return q, refuse("since", "Must be a date such as 2026-01-31.")
		}
	}
	return q, nil
}
