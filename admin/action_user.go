package admin

// Actions on a user.

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// user finds the target and checks that the actor may touch it.
func (c *change) user() (*adminstore.User, error) {
	u, err := c.tx.Users.Find(c.ctx, record.UserID(c.target))
	if err != nil {
		return nil, err
	}
	c.event.User, c.event.Target = u.ID, "user "+string(u.ID)
	return u, c.above(u)
}

// above returns an error if the user has a right that the actor lacks.
func (c *change) above(u *adminstore.User) error {
	return c.who.above(u, func() ([]record.Group, []string, error) {
		_, groups, permissions, err := c.tx.Users.Rights(c.ctx, u.ID)
		return groups, permissions, err
	})
}

// onUser returns the action that calls run with the target.
func onUser(run func(*change, *adminstore.User) error) func(*change) error {
	return func(c *change) error {
		u, err := c.user()
		if err != nil {
			return err
		}
		return run(c, u)
	}
}

// log adds the change to Django's history.
func (c *change) log(flag adminstore.LogFlag, model, object, name, message string) {
	c.entry = &adminstore.LogEntry{Flag: flag, Model: model, Object: object, Name: name, Message: message}
}

// logUser adds a change of a user that Django's admin has no form for.
func (c *change) logUser(u *adminstore.User, message string) {
	c.log(adminstore.LogChange, "user", string(u.ID), u.Username, message)
}

// labels are the labels of Django's form, which its history shows.
var labels = map[string]string{
	"username": "Username", "email": "Email address", "first_name": "First name", "last_name": "Last name", "is_active": "Active",
	"is_staff": "Staff status", "is_superuser": "Superuser status", "groups": "Groups", "user_permissions": "User permissions", "name": "Name", "permissions": "Permissions",
}

// changed returns Django's message about the changed fields.
func (c *change) changed() string {
	var names, list []string
	for name := range c.changes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(slices.Index(djangoFields, a)-slices.Index(djangoFields, b), strings.Compare(a, b))
	})
	for _, name := range names {
		list = append(list, label(name))
	}
	return djangoChanged(list)
}

// byEmail reports whether users log in by e-mail and have no other name.
func (a *Admin) byEmail() bool { return a.gate.Accounts().LoginIsEmail() }

// values returns a user's fields by name, as forms show them. If users log in by e-mail,
// the field email is the username, as in fieldNames.
func (a *Admin) values(u *adminstore.User) map[string]any {
	v := map[string]any{
		"username": u.Username, "email": u.Email, "first_name": u.FirstName, "last_name": u.LastName, "is_active": u.IsActive,
		"is_staff": u.IsStaff, "is_superuser": u.IsSuperuser, "groups": groupIDs(u.Groups), "user_permissions": permissionIDs(u.Permissions),
	}
	if a.byEmail() {
		delete(v, "username")
	}
	for _, f := range a.gate.Accounts().UserFields() {
		if !f.WriteOnly {
			v[f.Name] = fieldText(u.Fields[f.Name])
		}
	}
	return v
}

// version returns a text that changes with the values. A login does not change it.
func version(values map[string]any) string {
	text, _ := json.Marshal(values)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

func groupIDs(groups []record.Group) []string {
	list := []string{}
	for _, g := range groups {
		list = append(list, strconv.FormatInt(g.ID, 10))
	}
	return list
}

func permissionIDs(permissions []adminstore.Permission) []string {
	list := []string{}
	for _, p := range permissions {
		list = append(list, strconv.FormatInt(p.ID, 10))
	}
	return list
}

func userChange(c *change, u *adminstore.User) error {
	before := c.values(u)
	if err := c.conflict(version(before), before); err != nil {
		return err
	}
	var change record.Change
	if err := c.readUser(u, &change); err != nil {
		return err
	}
	if len(c.changes) > 0 || change.Fields != nil {
		if err := c.tx.Users.Change(c.ctx, u.ID, change); err != nil {
			return c.takenLogin(err)
		}
	}
	if err := c.setRights(u); err != nil {
		return err
	}
	if err := c.recentFor("is_staff", "is_superuser", "groups", "user_permissions", "email", "username"); err != nil {
		return err
	}
	c.log(adminstore.LogChange, "user", string(u.ID), u.Username, c.changed())
	return nil
}

// recentFor requires a recent authentication if one of the fields changes.
func (c *change) recentFor(fields ...string) error {
	for _, f := range fields {
		if _, ok := c.changes[f]; ok {
			return c.who.recent(c.ctx)
		}
	}
	return nil
}

// readUser reads the columns of a user from the fields, and notes what changes.
func (c *change) readUser(u *adminstore.User, change *record.Change) error {
	for _, f := range []struct {
		name   string
		before string
		into   **string
		check  func(string) (string, error)
	}{
		{"username", u.Username, &change.Username, c.username},
		{"email", u.Email, &change.Email, c.email},
		{"first_name", u.FirstName, &change.FirstName, nil},
		{"last_name", u.LastName, &change.LastName, nil},
	} {
		if !c.in.has(f.name) || c.in.text(f.name) == f.before {
			continue
		}
		text := c.in.text(f.name)
		if f.check != nil {
			var err error
			if text, err = f.check(text); err != nil {
				return err
			}
		}
		c.set(f.name, f.before, text)
		*f.into = &text
	}
	if c.byEmail() {
		change.Username = change.Email
	}
	if err := c.readFlags(u, change); err != nil {
		return err
	}
	return c.readFields(u, change)
}

// takenLogin names the field of the form for a login name that another user has.
func (c *change) takenLogin(err error) error {
	if errors.Is(err, jotgate.ErrTaken) && c.byEmail() {
		return refuse("email", "A user with that e-mail address already exists.")
	}
	return err
}

func (c *change) username(text string) (string, error) {
	name, err := names.Username(text)
	if err != nil {
		return "", refuse("username", err.Error())
	}
	return name, nil
}

// email reads the address of a user, who needs one to log in by e-mail.
func (c *change) email(text string) (string, error) {
	address, err := readEmail(text)
	if err == nil && address == "" && c.byEmail() {
		return "", refuse("email", "This field is required.")
	}
	return address, err
}

func readEmail(text string) (string, error) {
	text = names.Email(text)
	if text == "" {
		return "", nil
	}
	if err := names.CheckEmail(text); err != nil {
		return "", refuse("email", err.Error())
	}
	return text, nil
}

// readFlags reads the boxes. Only superusers make superusers.
func (c *change) readFlags(u *adminstore.User, change *record.Change) error {
	for _, f := range []struct {
		name   string
		before bool
		into   **bool
	}{{"is_active", u.IsActive, &change.IsActive}, {"is_staff", u.IsStaff, &change.IsStaff}, {"is_superuser", u.IsSuperuser, &change.IsSuperuser}} {
		if !c.in.has(f.name) {
			continue
		}
		v, err := c.in.truth(f.name)
		switch {
		case err != nil:
			return err
		case v == f.before:
			continue
		case f.name == "is_superuser" && !c.who.super():
			return refuse("is_superuser", "Only a superuser can change this.")
		case f.name != "is_active" && v && u.ID != "" && u.ID == c.who.id():
			return refuse(f.name, "You cannot raise your own rights.")
		}
		c.set(f.name, f.before, v)
		*f.into = &v
	}
	return nil
}

// setRights replaces groups and permissions. What is added must be a right of the
// actor's.
func (c *change) setRights(u *adminstore.User) error {
	if err := c.setGroups(u); err != nil || !c.in.has("user_permissions") {
		return err
	}
	ids, after, err := c.newPermissions("user_permissions", u.Permissions)
	if err != nil {
		return err
	}
	if _, ok := c.changes["user_permissions"]; !ok && len(after) == len(ids) {
		return nil
	}
	return c.tx.Users.SetPermissions(c.ctx, u.ID, ids)
}

// newPermissions reads a field of permissions that replace others, and notes the
// change. What is added must be a right of the actor's. ids are those of the field,
// after the permissions that exist.
func (c *change) newPermissions(field string, before []adminstore.Permission) (ids []int64, after []adminstore.Permission, err error) {
	if ids, err = c.in.ids(field); err != nil {
		return nil, nil, err
	}
	if after, err = c.tx.Groups.Permissions(c.ctx, ids); err != nil {
		return nil, nil, err
	}
	added := slices.DeleteFunc(slices.Clone(after), func(p adminstore.Permission) bool { return slices.Contains(before, p) })
	if err := c.who.grants(field, added); err != nil {
		return nil, nil, err
	}
	c.set(field, permissionNames(before), permissionNames(after))
	return ids, after, nil
}

func (c *change) setGroups(u *adminstore.User) error {
	if !c.in.has("groups") {
		return nil
	}
	ids, err := c.in.ids("groups")
	if err != nil {
		return err
	}
	before, after := []string{}, []string{}
	for _, g := range u.Groups {
		before = append(before, g.Name)
	}
	for _, id := range ids {
		g, err := c.tx.Groups.Find(c.ctx, id)
		if err != nil {
			return refuse("groups", "Select a valid choice. "+strconv.FormatInt(id, 10)+" is not one of the available choices.")
		}
		after = append(after, g.Name)
		if slices.Contains(before, g.Name) {
			continue
		}
		if u.ID == c.who.id() && !c.who.super() {
			return refuse("groups", "You cannot raise your own rights.")
		}
		if err := c.who.grants("groups", g.Permissions); err != nil {
			return err
		}
	}
	c.set("groups", before, after)
	if _, ok := c.changes["groups"]; !ok {
		return nil
	}
	return c.tx.Users.SetGroups(c.ctx, u.ID, ids)
}

func permissionNames(list []adminstore.Permission) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, p.Name)
	}
	return out
}

// hashNew makes the password of a new user: a random one, unless
// administrators may choose it.
func hashNew(a *Admin, ctx context.Context, _ string, in Fields) (any, error) {
	password := in.text("password")
	if password != "" && !a.options.SetPasswords {
		return nil, errNoPasswords
	}
	if password == "" {
		password = rand.Text() + rand.Text()
	} else if err := a.gate.Accounts().AcceptPassword(ctx, &record.Account{Username: cmp.Or(in.text("username"), in.text("email")), Email: in.text("email")}, password); err != nil {
		return nil, err
	}
	return a.gate.Accounts().MakePassword(ctx, password)
}

var errNoPasswords = &jotgate.Error{Status: 403, Detail: "Administrators do not choose passwords here. Send a link to choose one instead."}

func userAdd(c *change) error {
	u := &adminstore.User{Account: record.Account{IsActive: true, Fields: map[string]any{}}}
	var change record.Change
	if err := c.readUser(u, &change); err != nil {
		return err
	}
	if change.Username == nil {
		field := map[bool]string{false: "username", true: "email"}[c.byEmail()]
		return refuse(field, "This field is required.")
	}
	a := &u.Account
	a.Username, a.Password = *change.Username, c.ready.(string)
	for _, f := range []struct{ from, into *string }{{change.Email, &a.Email}, {change.FirstName, &a.FirstName}, {change.LastName, &a.LastName}} {
		if f.from != nil {
			*f.into = *f.from
		}
	}
	for _, f := range []struct{ from, into *bool }{{change.IsActive, &a.IsActive}, {change.IsStaff, &a.IsStaff}, {change.IsSuperuser, &a.IsSuperuser}} {
		if f.from != nil {
			*f.into = *f.from
		}
	}
	if change.Fields != nil {
		a.Fields = change.Fields
	}
	if err := c.tx.Users.Create(c.ctx, a); err != nil {
		return c.takenLogin(err)
	}
	c.target = string(a.ID)
	c.result.Target, c.event.User, c.event.Target = c.target, a.ID, "user "+c.target
	if err := c.setRights(u); err != nil {
		return err
	}
	c.log(adminstore.LogAddition, "user", c.target, a.Username, djangoAdded)
	if send, err := c.in.truth("send_reset"); err != nil || !send {
		return err
	}
	return c.send(a, record.MessagePasswordReset)
}
