package main

// `group`: Django's groups and their permissions.

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type groupCommands struct {
	List        groupList        `cmd:"" help:"List all groups."`
	Show        groupShow        `cmd:"" help:"Show a group's permissions and members."`
	Create      groupCreate      `cmd:"" help:"Create a group."`
	Rename      groupRename      `cmd:"" help:"Rename a group."`
	Delete      groupDelete      `cmd:"" help:"Delete a group, not its members."`
	Grant       groupGrant       `cmd:"" help:"Grant a group a permission."`
	Revoke      groupRevoke      `cmd:"" help:"Revoke a permission from a group."`
	Permissions groupPermissions `cmd:"" help:"List all permissions."`
}

type groupList struct {
	databaseFlags
	listFlags
}

// Help is shown below the usage line.
func (groupList) Help() string { return `    jotgate group list --json` }

// Run lists the groups by name.
func (c *groupList) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		groups, err := db.Groups().List(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, g := range groups {
			rows = append(rows, []string{strconv.FormatInt(g.ID, 10), g.Name})
		}
		return c.show(a, append([]record.Group{}, groups...), "there are no groups", "ID NAME", rows)
	})
}

type groupNamed struct {
	databaseFlags
	Group string `arg:"" help:"The group's name."`
}

type groupShow struct {
	groupNamed
	listFlags
	pageFlags
}

// Help is shown below the usage line.
func (groupShow) Help() string { return `    jotgate group show editors` }

// Run shows one group.
func (c *groupShow) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(a, func(db *store.Store) error {
		permissions, err := db.Permissions().OfGroup(a.ctx, c.Group)
		if err != nil {
			return missing("group "+c.Group, err)
		}
		members, err := db.Groups().Members(a.ctx, c.Group, record.UserID(c.After), c.Limit)
		if err != nil {
			return err
		}
		c.more(a, members)
		g := newShownGroup(c.Group, permissions, members)
		if c.JSON {
			return a.json(g)
		}
		a.facts([][2]string{{"name", g.Name}, {"permissions", strings.Join(g.Permissions, ", ")}, {"members", strings.Join(g.Members, ", ")}})
		return nil
	})
}

// shownGroup is the output for a group.
type shownGroup struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	Members     []string `json:"members"` // usernames
}

func newShownGroup(name string, permissions []store.Permission, members []*record.Account) shownGroup {
	g := shownGroup{name, make([]string, len(permissions)), make([]string, len(members))}
	for i, p := range permissions {
		g.Permissions[i] = p.Name
	}
	for i, m := range members {
		g.Members[i] = m.Username
	}
	return g
}

type groupCreate struct{ groupNamed }

// Help is shown below the usage line.
func (groupCreate) Help() string { return `    jotgate group create editors` }

// Run creates the group.
func (c *groupCreate) Run(a *app) error {
	return c.withNew(a, func(db *store.Store) error {
		group, err := db.Groups().Create(a.recording(record.Event{Name: "role", Detail: "created group " + c.Group}), c.Group)
		if err == nil {
			a.printf("created group %s with the id %d\n", group.Name, group.ID)
		}
		return err
	})
}

type groupRename struct {
	groupNamed
	To string `arg:"" help:"Its new name."`
}

// Help is shown below the usage line.
func (groupRename) Help() string { return `    jotgate group rename editors writers` }

// Run renames the group.
func (c *groupRename) Run(a *app) error {
	return c.act(a, fmt.Sprintf("group %s was renamed to %s", c.Group, c.To), func(ctx context.Context, db *store.Store) error {
		return db.Groups().Rename(ctx, c.Group, c.To)
	})
}

type groupDelete struct{ groupNamed }

// Help is shown below the usage line.
func (groupDelete) Help() string { return `    jotgate group delete editors` }

// Run deletes the group.
func (c *groupDelete) Run(a *app) error {
	return c.act(a, "deleted group "+c.Group, func(ctx context.Context, db *store.Store) error { return db.Groups().Delete(ctx, c.Group) })
}

type groupWithPermission struct {
	groupNamed
	Permission string `arg:"" help:"The permission, as app_label.codename."`
}

type groupGrant struct{ groupWithPermission }

// Help is shown below the usage line.
func (groupGrant) Help() string { return `    jotgate group grant editors auth.change_user` }

// Run gives the group the permission.
func (c *groupGrant) Run(a *app) error {
	return c.act(a, "group "+c.Group+" has permission "+c.Permission+" now", func(ctx context.Context, db *store.Store) error {
		return db.Permissions().GrantToGroup(ctx, c.Group, c.Permission)
	})
}

type groupRevoke struct{ groupWithPermission }

// Help is shown below the usage line.
func (groupRevoke) Help() string { return `    jotgate group revoke editors auth.change_user` }

// Run removes the permission from the group.
func (c *groupRevoke) Run(a *app) error {
	return c.act(a, "group "+c.Group+" has permission "+c.Permission+" no longer", func(ctx context.Context, db *store.Store) error {
		return db.Permissions().RevokeFromGroup(ctx, c.Group, c.Permission)
	})
}

// act changes a group, prints what was done and records it in the audit
// trail.
func (c *groupNamed) act(a *app, done string, do func(ctx context.Context, db *store.Store) error) error {
	return c.with(a, func(db *store.Store) error {
		if err := do(a.recording(record.Event{Name: "role", Detail: done}), db); err != nil {
			return missing("group "+c.Group+", or no such permission", err)
		}
		a.print(done)
		return nil
	})
}

type groupPermissions struct {
	databaseFlags
	listFlags
}

// Help is shown below the usage line.
func (groupPermissions) Help() string { return `    jotgate group permissions` }

// Run lists the permissions by name.
func (c *groupPermissions) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		permissions, err := db.Permissions().List(a.ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, p := range permissions {
			rows = append(rows, []string{p.Name, p.Title})
		}
		return c.show(a, append([]store.Permission{}, permissions...), "there are no permissions", "PERMISSION TITLE", rows)
	})
}
