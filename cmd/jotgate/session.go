package main

// `session`: lists the users' sessions and ends them.

import (
	"context"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type sessionCommands struct {
	List sessionList `cmd:"" help:"List a user's live sessions."`
	End  sessionEnd  `cmd:"" help:"End a user's sessions; their tokens stop working within a second."`

	EndAll sessionEndAll `cmd:"" help:"End the sessions of all users."`
}

type sessionList struct {
	databaseFlags
	listFlags
	User string `arg:"" help:"The username."`
}

// Help is shown below the usage line.
func (sessionList) Help() string {
	return `    jotgate session list alice
    jotgate session list alice --json`
}

// Run lists the sessions, newest first.
func (c *sessionList) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		sessions, err := db.Sessions().List(a.ctx, account.ID, time.Now())
		if err != nil {
			return err
		}
		var rows [][]string
		for _, s := range sessions {
			rows = append(rows, []string{s.ID, when(s.Created), when(s.LastSeen), when(s.Expires), s.Address, s.UserAgent})
		}
		return c.show(a, append([]record.Session{}, sessions...), c.User+" has no live session", "ID CREATED LAST-SEEN EXPIRES ADDRESS USER-AGENT", rows)
	})
}

type sessionEnd struct {
	databaseFlags
	User   string   `arg:"" help:"The username."`
	ID     []string `arg:"" optional:"" help:"The sessions to end, as session list shows them."`
	All    bool     `help:"End all of them."`
	Except string   `placeholder:"ID" help:"With --all: except this one."`
}

// Help is shown below the usage line.
func (sessionEnd) Help() string {
	return `    jotgate session end alice 3f2c…
    jotgate session end alice --all`
}

// Run ends the sessions.
func (c *sessionEnd) Run(a *app) error {
	if c.All == (len(c.ID) > 0) {
		return usage("name the sessions to end, or give --all")
	}
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		ids := c.ID
		if c.All {
			ids = []string{""} // in EndSessions, the empty id means every session
		}
		ended := 0
		for _, id := range ids {
			n, err := c.end(a, db, account.ID, id)
			if err != nil {
				return err
			}
			if n == 0 && !c.All {
				return fmt.Errorf("%s has no live session %s", c.User, id)
			}
			ended += n
		}
		a.print("ended " + plural(ended, "session"))
		return nil
	})
}

func (c *sessionEnd) end(a *app, db *store.Store, user record.UserID, id string) (int, error) {
	// Ending all sessions also invalidates tokens without a session, so it is
	// recorded even if no session was live.
	return a.endSessions(db, record.Ending{User: user, ID: id, Except: c.Except, Reason: record.EndedByUser}, "ended")
}

func (a *app) endSessions(db *store.Store, which record.Ending, detail string) (int, error) {
	which.Now = time.Now()
	return db.Sessions().End(a.recording(record.Event{Name: "logout", User: which.User, Session: which.ID, Detail: detail}), which)
}

// recording returns the context for one change in the store, which adds the events to the
// audit trail in the transaction of that change.
func (a *app) recording(events ...record.Event) context.Context {
	now := time.Now()
	for i := range events {
		events[i].Time = now
		events[i].Detail += " on the command line"
	}
	return (&record.Attached{Events: events}).To(a.ctx)
}
