package admin

// The table of actions. Pages, JSON and command line offer these and no others.

import (
	"context"
	"slices"
)

// action is what an administrator can do.
type action struct {
	Name  string // NOUN.VERB, such as user.change
	about string // one sentence
	// perms are the permissions of which the actor needs one: "view", "change", "add"
	// and "delete" are those on users, "change_group" those on groups, "" is for
	// superusers.
	perms  []string
	also   string // a further permission, which it also needs
	danger bool   // needs a recent authentication
	create bool   // has no target
	bulk   bool   // can be done to many users
	fields []string
	run    func(*change) error
	// prepare does before the transaction what takes long, such as hashing a
	// password. Its result is change.ready.
	prepare func(a *Admin, ctx context.Context, target string, in Fields) (any, error)
}

// userFields are the fields of a user, as in Django's UserAdmin.
var userFields = []string{"username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "groups", "user_permissions"}

// actions are all actions.
var actions []*action

func init() { //nolint:gochecknoinits // the functions refer to the table
	actions = []*action{
		{Name: "user.add", about: "Create a user.", perms: []string{"add"}, also: "change", create: true, danger: true, fields: append([]string{"password", "send_reset"}, userFields...), run: userAdd, prepare: hashNew},
		{Name: "user.change", about: "Change a user's fields, groups and permissions.", perms: []string{"change"}, fields: append([]string{"version"}, userFields...), run: onUser(userChange)},
		{Name: "user.activate", about: "Let a user log in again.", perms: []string{"change"}, bulk: true, run: onUser(userActivate)},
		{Name: "user.deactivate", about: "Stop a user from logging in; the sessions end.", perms: []string{"change"}, bulk: true, run: onUser(userDeactivate)},
		{Name: "user.delete", about: "Delete a user and what belongs to it.", perms: []string{"delete"}, danger: true, bulk: true, run: onUser(userDelete)},
		{Name: "user.password", about: "Set a user's password; the sessions end.", perms: []string{"change"}, danger: true, fields: []string{"password"}, run: onUser(userPassword), prepare: hashPassword},
		{Name: "user.reset-password", about: "Send an e-mail with which a user chooses a new password.", perms: []string{"change"}, bulk: true, run: onUser(userResetPassword)},
		{Name: "user.send-activation", about: "Send the e-mail that activates an account again.", perms: []string{"change"}, run: onUser(userSendActivation)},
		{Name: "user.verify-email", about: "Mark a user's e-mail address as verified.", perms: []string{"change"}, danger: true, run: onUser(userVerifyEmail)},
		{Name: "user.end-sessions", about: "End all sessions of a user.", perms: []string{"change"}, bulk: true, run: onUser(userEndSessions)},
		{Name: "user.remove-factor", about: "Remove a second factor, or all without the field factor; the user gets an e-mail.", perms: []string{"change"}, danger: true, fields: []string{"factor", "reason"}, run: onUser(userRemoveFactor)},

		{Name: "user.impersonate", about: "Act for a user for 15 minutes; the user gets an e-mail.", perms: []string{"impersonate"}, danger: true, fields: []string{"reason"}, run: onUser(userImpersonate)},

		{Name: "group.add", about: "Create a group.", perms: []string{"add_group"}, create: true, danger: true, fields: []string{"name", "permissions"}, run: groupAdd},
		{Name: "group.change", about: "Rename a group, and change its permissions.", perms: []string{"change_group"}, danger: true, fields: []string{"name", "permissions", "version"}, run: groupChange},
		{Name: "group.delete", about: "Delete a group.", perms: []string{"delete_group"}, danger: true, run: groupDelete},

		{Name: "invitation.add", about: "Invite the owner of an e-mail address to create an account, in these groups.", perms: []string{"add"}, also: "change", create: true, danger: true, fields: []string{"email", "groups"}, run: invitationAdd, prepare: checkInvited},
		{Name: "invitation.resend", about: "Send an invitation again, with another link.", perms: []string{"add"}, also: "change", danger: true, run: invitationResend},
		{Name: "invitation.revoke", about: "Delete an invitation; its link no longer works.", perms: []string{"add"}, also: "change", run: invitationRevoke},

		{Name: "session.end", about: "End a session.", perms: []string{"change"}, run: sessionEnd},
		{Name: "provider.disconnect", about: "Disconnect an account at a provider from a user; the sessions that began there end, and the user gets an e-mail.", perms: []string{"change"}, danger: true, run: providerDisconnect, prepare: findConnected},
		{Name: "apikey.revoke", about: "Revoke an API key of a user.", perms: []string{"change"}, run: apiKeyRevoke, prepare: findAPIKey},
		{Name: "key.add", about: "Create the next signing key.", perms: []string{""}, create: true, danger: true, fields: []string{"algorithm"}, run: keyAdd, prepare: makeKey},
		{Name: "key.switch", about: "Sign with the next key from now on.", perms: []string{""}, danger: true, run: keySwitch},
		{Name: "key.retire", about: "Sign with this key no longer.", perms: []string{""}, danger: true, run: keyRetire},
		{Name: "key.delete", about: "Delete a retired key; tokens that it signed become invalid.", perms: []string{""}, danger: true, run: keyDelete},
		{Name: "email.retry", about: "Send an e-mail of the queue now.", perms: []string{"change"}, run: emailRetry},
		{Name: "email.drop", about: "Remove an e-mail from the queue.", perms: []string{"change"}, run: emailDrop},
		{Name: "throttle.forgive", about: "Forget the failed attempts that a counter has counted.", perms: []string{"change"}, run: throttleForgive},

		{Name: "job.start", about: "Do an action to many users.", perms: []string{"change", "delete"}, create: true, danger: true, fields: append([]string{"action"}, selectionFields...), run: jobStart},
		{Name: "job.undo", about: "Activate the users again that a job has deactivated.", perms: []string{"change"}, danger: true, run: jobUndo},
		{Name: "user.export", about: "Export users as CSV or JSON lines.", perms: []string{"view"}, create: true, danger: true, fields: append([]string{"format"}, selectionFields...), run: usersExport},
		{Name: "event.export", about: "Export the audit trail as CSV or JSON lines.", perms: []string{"view"}, create: true, danger: true, fields: append([]string{"format"}, eventFilters...), run: eventsExport},
	}
}

// actionNamed returns an action, or nil.
func actionNamed(name string) *action {
	i := slices.IndexFunc(actions, func(a *action) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return actions[i]
}

// allows reports whether the actor has the permissions for the action.
func (act *action) allows(a *Admin, who *Actor) bool {
	if act.also != "" && !who.has(a.permName(act.also)) {
		return false
	}
	return slices.ContainsFunc(act.perms, func(p string) bool { return who.has(a.permName(p)) })
}

// permName returns Django's name of a permission of the table.
func (a *Admin) permName(p string) string {
	switch p {
	case "":
		return ""
	case "view", "change", "add", "delete":
		return a.perm(p)
	case "impersonate":
		return "jotgate.impersonate_user"
	}
	return "auth." + p // of groups
}

// fieldNames lists the fields of an action.
func (act *action) fieldNames(a *Admin) []string {
	if act.Name != "user.change" && act.Name != "user.add" {
		return act.fields
	}
	list := slices.Clone(act.fields)
	if a.byEmail() {
		list = slices.DeleteFunc(list, func(name string) bool { return name == "username" })
	}
	for _, f := range a.gate.Accounts().UserFields() {
		list = append(list, f.Name)
	}
	return list
}

// An ActionInfo describes an action.
type ActionInfo struct {
	Name   string   `json:"action"`            // NOUN.VERB, such as user.change
	About  string   `json:"about"`             // what it does, in an English sentence
	Fields []string `json:"fields"`            // the names of its fields
	Create bool     `json:"creates,omitempty"` // it has no target
}

// Actions lists all actions, in the order of the table, whatever the actor may do.
func (a *Admin) Actions() (list []ActionInfo) {
	for _, act := range actions {
		list = append(list, ActionInfo{act.Name, act.about, act.fieldNames(a), act.create})
	}
	return list
}
