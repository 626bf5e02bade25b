package main

// `event`: the audit trail.

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type eventCommands struct {
	List eventList `cmd:"" help:"List events, newest first: logins, failures with their reasons, changes."`
}

type eventList struct {
	databaseFlags
	listFlags
	User  string        `arg:"" optional:"" help:"The username, or the id of an account that no longer exists. Default: all users."`
	Since time.Duration `placeholder:"TIME" help:"Only events of the last 15m, 12h, 7d, … Default: all that are stored."`
	Event []string      `placeholder:"NAME" help:"Only these events, such as login_failed. Default: all."`
	After *string       `placeholder:"CURSOR" help:"Events after this cursor, oldest first, as JSON Lines, each with its cursor; 0 is the start."`
	Limit int           `default:"100" placeholder:"N" help:"Maximum number of events, up to 10000."`
}

// Help is shown below the usage line.
func (eventList) Help() string {
	return `    jotgate event list
    jotgate event list alice --since 7d
    jotgate event list --event login_failed --since 1d --json
    jotgate event list --after 0 --limit 10000 >> events.jsonl`
}

// Run lists the events.
func (c *eventList) Run(a *app) error {
	if c.Limit < 1 || c.Limit > 10000 {
		return usage("--limit is %d, it must be 1 to 10000", c.Limit)
	}
	if c.Since < 0 {
		return usage("--since is %v, it cannot be negative", c.Since)
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	return c.with(a, func(db *store.Store) error {
		var user record.UserID
		empty := "there are no such events"
		if c.User != "" {
			account, err := db.Accounts().ByLogin(a.ctx, c.User)
			switch {
			case err == nil:
				user = account.ID
			case errors.Is(err, jotgate.ErrNotFound):
				user = record.UserID(c.User) // of a deleted account
				empty = "there is no user " + visible(c.User) + ", and no event of an account with that id"
			default:
				return err
			}
		}
		if c.After != nil {
			return c.feed(a, db, user)
		}
		events, err := c.read(a, db, user)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, e := range events {
			rows = append(rows, []string{when(e.Time), e.Name, string(e.User), e.Address, e.Detail, e.Session})
		}
		return c.show(a, append([]record.Event{}, events...), empty, "TIME EVENT USER-ID ADDRESS DETAIL SESSION", rows)
	})
}

// checkNames rejects names that no event has.
func (c *eventList) checkNames() error {
	var known []string
	for _, kind := range record.EventKinds {
		known = append(known, kind.Name)
	}
	for _, name := range c.Event {
		if !slices.Contains(known, name) {
			return usage("--event: there is no event %q%s", name, meant(name, known))
		}
	}
	return nil
}

// eventPage is the number of rows in one page.
const eventPage = 1000

// read returns the selected events.
func (c *eventList) read(a *app, db *store.Store, user record.UserID) (list []record.Event, err error) {
	var since time.Time
	if c.Since > 0 {
		since = time.Now().Add(-c.Since)
	}
	for before := int64(0); len(list) < c.Limit; {
		page, err := db.Events().List(a.ctx, user, before, eventPage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if e.Time.Before(since) {
				return list, nil
			}
			if c.wants(e.Name) && len(list) < c.Limit {
				list = append(list, e)
			}
		}
		if len(page) < eventPage {
			return list, nil
		}
		before = page[len(page)-1].ID
	}
	return list, nil
}

func (c *eventList) wants(name string) bool {
	for _, wanted := range c.Event {
		if wanted == name {
			return true
		}
	}
	return len(c.Event) == 0
}

// feed writes the selected events after a cursor.
func (c *eventList) feed(a *app, db *store.Store, user record.UserID) error {
	cursor, out := *c.After, json.NewEncoder(a.stdout)
	var since time.Time
	if c.Since > 0 {
		since = time.Now().Add(-c.Since)
	}
	for left := c.Limit; ; {
		page, err := db.Events().After(a.ctx, cursor, eventPage)
		if err != nil {
			return err
		}
		for i := range page {
			e := &page[i]
			if left == 0 {
				return nil
			}
			if cursor = e.Cursor; e.Time.Before(since) || !c.wants(e.Name) || user != "" && e.User != user {
				continue
			}
			if err := out.Encode(e); err != nil {
				return err
			}
			left--
		}
		if len(page) < eventPage {
			return nil
		}
	}
}
