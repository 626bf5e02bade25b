package main

// `user`: the accounts. This file has the commands that show them; the
// commands that change them are in the files user_*.go.

import (
	"fmt"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type userCommands struct {
	List       userList       `cmd:"" help:"List users in the order of their ids."`
	Show       userShow       `cmd:"" help:"Show a user with their groups and permissions."`
	Create     userCreate     `cmd:"" help:"Create a user."`
	Set        userSet        `cmd:"" help:"Change a user."`
	Deactivate userDeactivate `cmd:"" help:"Deactivate a user; their sessions end."`
	Activate   userActivate   `cmd:"" help:"Reactivate a user."`
	Delete     userDelete     `cmd:"" help:"Delete a user and the rows that belong to them."`

	AddToGroup      userAddToGroup      `cmd:"" help:"Add a user to a group."`
	RemoveFromGroup userRemoveFromGroup `cmd:"" help:"Remove a user from a group."`
	Grant           userGrant           `cmd:"" help:"Grant a user a permission."`
	Revoke          userRevoke          `cmd:"" help:"Revoke a permission from a user."`
	Factors         userFactors         `cmd:"" help:"Show and remove a user's second factors."`
	Export          userExport          `cmd:"" help:"Write all users as JSON lines."`
	Import          userImport          `cmd:"" help:"Read users from JSON lines."`
}

type userList struct {
	databaseFlags
	listFlags
	pageFlags
}

// Help is shown below the usage line.
func (userList) Help() string {
	return `    jotgate user list
    jotgate user list --after 100 --json`
}

// Run lists a page of users.
func (c *userList) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(a, func(db *store.Store) error {
		accounts, err := db.Accounts().List(a.ctx, record.UserID(c.After), c.Limit)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, u := range accounts {
			rows = append(rows, []string{string(u.ID), u.Username, u.Email, jotgate.RoleOf(u).Type, yes(u.IsActive), when(u.DateJoined), when(u.LastLogin)})
		}
		c.more(a, accounts)
		return c.show(a, append([]*record.Account{}, accounts...), "there are no users", "ID USERNAME EMAIL ROLE ACTIVE JOINED LAST-LOGIN", rows)
	})
}

type userShow struct {
	databaseFlags
	listFlags
	User string `arg:"" help:"The username."`
}

// shownUser is the output for a user. It does not contain the hash.
type shownUser struct {
	*record.Account
	Role        jotgate.Role   `json:"role"`
	Password    string         `json:"password"` // the algorithm of the hash
	Groups      []record.Group `json:"groups"`
	Permissions []string       `json:"permissions"`
	Sessions    int            `json:"sessions"` // live ones
}

// Help is shown below the usage line.
func (userShow) Help() string { return `    jotgate user show alice` }

// Run shows one user.
func (c *userShow) Run(a *app) error {
	return c.withUser(a, c.User, func(db *store.Store, account *record.Account) error {
		u, err := lookUp(a, db, account)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(u)
		}
		a.facts(u.facts())
		return nil
	})
}

// facts returns the lines for people.
func (u *shownUser) facts() [][2]string {
	names := make([]string, len(u.Groups))
	for i, g := range u.Groups {
		names[i] = g.Name
	}
	return [][2]string{
		{"id", string(u.ID)},
		{"username", u.Username},
		{"email", u.Email},
		{"name", strings.TrimSpace(u.FirstName + " " + u.LastName)},
		{"role", u.Role.Type + " (" + u.Role.DisplayName + ")"},
		{"active", yes(u.IsActive)},
		{"password", u.Password},
		{"joined", when(u.DateJoined)},
		{"last login", when(u.LastLogin)},
		{"groups", strings.Join(names, ", ")},
		{"permissions", strings.Join(u.Permissions, ", ")},
		{"sessions", fmt.Sprint(u.Sessions)},
	}
}

// lookUp reads what belongs to an account.
func lookUp(a *app, db *store.Store, account *record.Account) (*shownUser, error) {
	groups, permissions, err := db.Accounts().Grants(a.ctx, account.ID)
	if err != nil {
		return nil, err
	}
	sessions, err := db.Sessions().List(a.ctx, account.ID, time.Now())
	return &shownUser{
		Account: account, Role: jotgate.RoleOf(account), Password: passwd.Identify(account.Password).String(),
		Groups: append([]record.Group{}, groups...), Permissions: append([]string{}, permissions...),
		Sessions: len(sessions),
	}, err
}
