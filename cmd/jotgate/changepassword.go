package main

// `changepassword USER`: sets a user's password and ends the user's sessions.

import (
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type changepasswordCommand struct {
	databaseFlags
	passwordRuleFlags
	Hasher                       string `group:"passwords" default:"argon2" placeholder:"HASHER" help:"How the password is stored (see serve)."`
	KeepSessionsOnPasswordChange bool   `group:"tokens" help:"Keep the user's sessions. Default: they end."`
	User                         string `arg:"" help:"The username."`
}

// Help is shown below the usage line.
func (changepasswordCommand) Help() string {
	return `Asks for the password twice, without echo; where standard input is no terminal,
its first two lines are the answers.

    jotgate changepassword alice`
}

// Run changes the password.
func (c *changepasswordCommand) Run(a *app) error {
	hasher, err := newHasher(c.Hasher)
	if err != nil {
		return err
	}
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		a.printf("Changing password for user '%s'\n", account.Username)
		check, err := c.checker(a, db, c.UsernameColumn, account)
		if err != nil {
			return err
		}
		password, err := a.askPassword(check)
		if err != nil {
			return err
		}
		encoded, err := hasher.Make(password)
		if err != nil {
			return err
		}
		change := record.Change{Password: &encoded, At: time.Now()}
		if !c.KeepSessionsOnPasswordChange {
			change.EndSessions = record.EndedByPassword
		}
		if err := db.Accounts().Change(a.recording(record.Event{Name: "password", User: account.ID, Detail: "changed"}), account.ID, change); err != nil {
			return err
		}
		a.printf("Password changed successfully for user '%s'\n", account.Username)
		return nil
	})
}

// newHasher makes the Hasher of --hasher for commands that need no gate.
func newHasher(setting string) (*passwd.Hasher, error) {
	hasher, err := passwd.New(setting)
	if err != nil {
		return nil, usage("--hasher: %w", err)
	}
	return hasher, nil
}

// withUser opens the database, finds a user in it and closes it after do.
func (f *databaseFlags) withUser(a *app, name string, do func(*store.Store, *record.Account) error) error {
	return f.with(a, func(db *store.Store) error {
		account, err := findUser(a, db, name)
		if err != nil {
			return err
		}
		return do(db, account)
	})
}

// findUser finds an account by its username.
func findUser(a *app, db *store.Store, name string) (*record.Account, error) {
	account, err := db.Accounts().ByLogin(a.ctx, name)
	if errors.Is(err, jotgate.ErrNotFound) {
		return nil, fmt.Errorf("user '%s' does not exist", name)
	}
	return account, err
}
