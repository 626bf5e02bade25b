package main

// `user add-to-group`, `remove-from-group`, `grant` and `revoke`: a user's
// groups and permissions. Tokens contain the change from the next refresh on.

import (
	"context"
	"errors"
	"fmt"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type userInGroup struct {
	databaseFlags
	User  string `arg:"" help:"The username."`
	Group string `arg:"" help:"The group's name."`
}

type userAddToGroup struct{ userInGroup }

// Help is shown below the usage line.
func (userAddToGroup) Help() string { return `    jotgate user add-to-group alice editors` }

// Run makes the user a member.
func (c *userAddToGroup) Run(a *app) error {
	return c.change(a, c.User, "group "+c.Group, "is in", func(ctx context.Context, db *store.Store, id record.UserID) error {
		return db.Groups().AddMember(ctx, id, c.Group)
	})
}

type userRemoveFromGroup struct{ userInGroup }

// Help is shown below the usage line.
func (userRemoveFromGroup) Help() string { return `    jotgate user remove-from-group alice editors` }

// Run ends the membership.
func (c *userRemoveFromGroup) Run(a *app) error {
	return c.change(a, c.User, "group "+c.Group, "is not in", func(ctx context.Context, db *store.Store, id record.UserID) error {
		return db.Groups().RemoveMember(ctx, id, c.Group)
	})
}

type userWithPermission struct {
	databaseFlags
	User       string `arg:"" help:"The username."`
	Permission string `arg:"" help:"The permission, as app_label.codename."`
}

type userGrant struct{ userWithPermission }

// Help is shown below the usage line.
func (userGrant) Help() string { return `    jotgate user grant alice auth.view_user` }

// Run gives the user the permission.
func (c *userGrant) Run(a *app) error {
	return c.change(a, c.User, "permission "+c.Permission, "has", func(ctx context.Context, db *store.Store, id record.UserID) error {
		return db.Permissions().GrantToAccount(ctx, id, c.Permission)
	})
}

type userRevoke struct{ userWithPermission }

// Help is shown below the usage line.
func (userRevoke) Help() string { return `    jotgate user revoke alice auth.view_user` }

// Run removes the permission from the user.
func (c *userRevoke) Run(a *app) error {
	return c.change(a, c.User, "permission "+c.Permission, "has no longer its own", func(ctx context.Context, db *store.Store, id record.UserID) error {
		return db.Permissions().RevokeFromAccount(ctx, id, c.Permission)
	})
}

// change changes a user and records it in the audit trail. what is the group
// or permission, for an error that names what does not exist.
func (f *databaseFlags) change(a *app, user, what, verb string, do func(context.Context, *store.Store, record.UserID) error) error {
	return f.withUser(a, user, func(db *store.Store, account *record.Account) error {
		if err := do(a.recording(record.Event{Name: "role", User: account.ID, Detail: verb + " " + what}), db, account.ID); err != nil {
			return missing(what, err)
		}
		a.printf("user %s %s %s now\n", account.Username, verb, what)
		return nil
	})
}

// missing returns an error that names what was not found.
func missing(what string, err error) error {
	if errors.Is(err, jotgate.ErrNotFound) {
		return fmt.Errorf("there is no %s", what)
	}
	return err
}
