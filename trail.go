package jotgate

// The limit of the audit trail: events that strangers can cause are counted,
// and only some of them have separate rows.

import (
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

// In a window, trailKeys combinations of each kind of event each have up to
// trailOwn separate rows and a row with the count of the others. Further
// combinations are counted in one more row for the kind. Whether an event is
// inserted depends on the request and not on whether there is such an
// account, because an insertion takes time that a client can measure.
const (
	trailWindow = 10 * time.Minute
	trailKeys   = 100
	trailOwn    = 5
)

// trail counts events in the current window. It is safe for concurrent use.
type trail struct {
	mu     sync.Mutex
	begun  time.Time
	counts map[record.Event]*counted // by trailKey
	keys   map[string]int            // by kind
}

// counted is the state of one key.
type counted struct {
	own  int          // separate rows
	rest record.Event // counts the events without one
}

// trailKey returns the members that two events must have in common to be
// counted together. If a client sent a name, all its spellings are counted
// together, whether or not they are names of accounts.
func trailKey(e record.Event) record.Event {
	key := record.Event{Name: e.Name, Subject: e.Subject, Address: e.Address, Endpoint: e.Endpoint, Actor: e.Actor}
	if e.Subject == "" {
		key.User, key.Detail = e.User, e.Detail
	}
	return key
}

// take reports whether the event gets a separate row; if not, it is counted.
// If a window has ended, take also returns its rows.
func (t *trail) take(e record.Event) (own bool, rows []record.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows = t.close(e.Time, false)
	if t.counts == nil {
		t.begun, t.counts, t.keys = e.Time, map[record.Event]*counted{}, map[string]int{}
	}
	key := trailKey(e)
	c := t.counts[key]
	if c == nil {
		if t.keys[e.Name]++; t.keys[e.Name] <= trailKeys {
			c = &counted{rest: e}
			c.rest.Count = 0
			t.counts[key] = c
		} else {
			c = t.others(e)
		}
	}
	if c.own < trailOwn {
		c.own++
		return true, rows
	}
	c.rest.Count++
	c.rest.Time = e.Time
	return false, rows
}

// others returns the counter of the events of a kind beyond trailKeys.
func (t *trail) others(e record.Event) *counted {
	key := record.Event{Name: e.Name, Detail: "others"}
	if t.counts[key] == nil {
		t.counts[key] = &counted{own: trailOwn, rest: record.Event{Name: e.Name, Outcome: e.Outcome, Detail: "others"}}
	}
	return t.counts[key]
}

// flush returns the rows of a window that has ended or, with any, of the
// current one.
func (t *trail) flush(now time.Time, any bool) []record.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.close(now, any)
}

// close ends the window, and returns its rows, if its time is over, if the
// clock was set back, or with any.
func (t *trail) close(now time.Time, any bool) (rows []record.Event) {
	if !any && !now.Before(t.begun) && now.Before(t.begun.Add(trailWindow)) {
		return nil
	}
	for _, c := range t.counts {
		if c.rest.Count > 0 {
			rows = append(rows, c.rest)
		}
	}
	t.counts, t.keys = nil, nil
	return rows
}
