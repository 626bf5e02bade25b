package main

// `user set`, `activate`, `deactivate` and `delete`: changes to one account,
// each in one database transaction.

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type userSet struct {
	databaseFlags
	User      string  `arg:"" help:"The username."`
	Username  *string `placeholder:"NAME" help:"A new username."`
	Email     *string `placeholder:"ADDRESS" help:"A new e-mail address."`
	FirstName *string `placeholder:"NAME" help:"A new first name."`
	LastName  *string `placeholder:"NAME" help:"A new last name."`
	Staff     *bool   `negatable:"" help:"Whether the user is staff: may log in to Django's admin."`
	Superuser *bool   `negatable:"" help:"Whether the user is a superuser: has all permissions."`
}

// Help is shown below the usage line.
func (userSet) Help() string {
	return `What is not named stays as it is. Tokens carry the change from the next refresh.

    jotgate user set alice --email alice@example.org --staff
    jotgate user set alice --no-superuser`
}

// Run changes the row.
func (c *userSet) Run(a *app) error {
	change, err := c.change()
	if err != nil {
		return err
	}
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		if err := db.Accounts().Change(a.recording(eventsOf(account.ID, &change)...), account.ID, change); err != nil {
			return err
		}
		a.print("changed user " + account.Username)
		return nil
	})
}

// eventsOf returns the events of a change to an account: one of each kind.
func eventsOf(user record.UserID, change *record.Change) (events []record.Event) {
	for _, kind := range []struct {
		name string
		made bool
	}{
		{"username", change.Username != nil},
		{"email", change.Email != nil},
		{"profile", change.FirstName != nil || change.LastName != nil},
		{"role", change.IsStaff != nil || change.IsSuperuser != nil},
	} {
		if kind.made {
			events = append(events, record.Event{Name: kind.name, User: user, Detail: "changed"})
		}
	}
	return events
}

// change returns the changes that the flags name.
func (c *userSet) change() (change record.Change, err error) {
	change = record.Change{
		Username: c.Username, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName,
		IsStaff: c.Staff, IsSuperuser: c.Superuser,
	}
	if reflect.DeepEqual(change, record.Change{}) {
		return change, usage("nothing to change was named")
	}
	if c.Email != nil { // the operator confirms the address
		address, err := newEmail(*c.Email)
		if err != nil {
			return change, err
		}
		change.Email, change.VerifyEmail = &address, true
	}
	if c.Username == nil && c.loginIsEmail() {
		change.Username = c.Email
	}
	if change.Username != nil {
		name, err := c.newName(*change.Username)
		change.Username = &name
		return change, err
	}
	return change, nil
}

type userDeactivate struct {
	databaseFlags
	User string `arg:"" help:"The username."`
}

// Help is shown below the usage line.
func (userDeactivate) Help() string { return `    jotgate user deactivate alice` }

// Run deactivates the account.
func (c *userDeactivate) Run(a *app) error { return c.setActive(a, c.User, false) }

type userActivate struct {
	databaseFlags
	User string `arg:"" help:"The username."`
}

// Help is shown below the usage line.
func (userActivate) Help() string { return `    jotgate user activate alice` }

// Run activates the account.
func (c *userActivate) Run(a *app) error { return c.setActive(a, c.User, true) }

func (f *databaseFlags) setActive(a *app, user string, active bool) error {
	return f.withUser(a, user, func(db *store.Store, account *record.Account) error {
		before := !active
		what := map[bool]string{true: "active", false: "inactive"}[active]
		ctx := a.recording(record.Event{Name: "account", User: account.ID, Detail: what})
		err := db.Accounts().Change(ctx, account.ID, record.Change{IsActive: &active, IfActive: &before, At: time.Now()})
		if errors.Is(err, jotgate.ErrNotFound) {
			a.printf("user %s was %s already\n", account.Username, what)
			return nil
		} else if err != nil {
			return err
		}
		a.printf("user %s is %s now\n", account.Username, what)
		return nil
	})
}

type userDelete struct {
	databaseFlags
	User string `arg:"" help:"The username."`
	Yes  bool   `help:"Do not ask."`
}

// Help is shown below the usage line.
func (userDelete) Help() string {
	return `There is no way back; deactivate keeps the account.

    jotgate user delete alice --yes`
}

// Run deletes the account after asking for confirmation.
func (c *userDelete) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		if !c.Yes {
			answer, err := a.ask("Delete " + account.Username + " (" + account.Email + ") and what belongs to them? [y/N]: ")
			if err == nil && !strings.EqualFold(answer, "y") {
				err = errors.New("nothing was deleted")
			}
			if err != nil {
				return err
			}
		}
		if err := db.Accounts().Delete(a.recording(record.Event{Name: "account", User: account.ID, Detail: "deleted"}), account.ID); err != nil {
			return err
		}
		a.print("deleted user " + account.Username)
		return nil
	})
}
