package jotgate

// The bound of the audit trail: what strangers cause is counted, and only some of
// it has rows of its own.

import (
	"sync"
	"time"

	"github.com/jotgate/jotgate/record"
)

// In a window, trailKeys combinations of each kind of event may have trailOwn
// rows of their own and a row with the count of the rest. What comes after them is counted in one
// more row. Whether an event is written depends on what was sent and not on
// whether there is such an account, because a write takes time that a client can
// measure.
const (
	trailWindow = 10 * time.Minute
	trailKeys   = 100
	trailOwn    = 5
)

// trail counts events in the current window. Safe for concurrent use.
type trail struct {
	mu     sync.Mutex
	begun  time.Time
	counts map[record.Event]*counted // by trailKey
	keys   map[string]int            // by kind
}

// counted is what there was of one key.
type counted struct {
	own  int          // rows of their own
	rest record.Event // counts what has none
}

// trailKey is what two events must have in common to be counted together. If
// there is a name that a client sent, all spellings of it are one, whoever has
// which of them.
func trailKey(e record.Event) record.Event {
	key := record.Event{Name: e.Name, Subject: e.Subject, Address: e.Address, Endpoint: e.Endpoint}
	if e.Subject == "" {
		key.User, key.Detail = e.User, e.Detail
	}
	return key
}

// take reports whether the event has a row of its own; if not, it is counted.
// If a window is over it also returns the rows of that one.
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

// others is what counts the events of a kind beyond trailKeys.
func (t *trail) others(e record.Event) *counted {
	key := record.Event{Name: e.Name, Detail: "others"}
	if t.counts[key] == nil {
		t.counts[key] = &counted{own: trailOwn, rest: record.Event{Name: e.Name, Outcome: e.Outcome, Detail: "others"}}
	}
	return t.counts[key]
}

// flush returns the rows of a window that is over; with any, of the current one.
func (t *trail) flush(now time.Time, any bool) []record.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.close(now, any)
}

// close ends the window if it is over, or its clock was set back.
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
