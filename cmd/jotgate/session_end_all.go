package main

// `session end-all`: after an incident, makes all users log in again.

import (
	"errors"
	"strings"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type sessionEndAll struct {
	databaseFlags
	Yes bool `help:"Do not ask."`
}

// Help is shown below the usage line.
func (sessionEndAll) Help() string {
	return `Asks first. Every user has to log in again; passwords and keys stay as they are.

    jotgate session end-all
    jotgate session end-all --yes`
}

// Run ends the sessions of one user at a time, so that logins continue
// meanwhile. It can be repeated after a failure.
func (c *sessionEndAll) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		if !c.Yes {
			answer, err := a.ask("End the sessions of all users? [y/N]: ")
			if err == nil && !strings.EqualFold(answer, "y") {
				err = errors.New("nothing was ended")
			}
			if err != nil {
				return err
			}
		}
		users, sessions := 0, 0
		err := eachAccount(a.ctx, db, func(account *record.Account) error {
			n, err := c.end(a, db, account.ID)
			users, sessions = users+1, sessions+n
			return err
		})
		if err != nil {
			return err
		}
		a.print("ended " + plural(sessions, "session") + " of " + plural(users, "user"))
		return nil
	})
}

func (c *sessionEndAll) end(a *app, db *store.Store, user record.UserID) (int, error) {
	return a.endSessions(db, record.Ending{User: user, Reason: record.EndedByUser}, "ended for all users")
}
