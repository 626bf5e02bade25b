package jotgate

// What the user table of the store is like.

import "github.com/jotgate/jotgate/record"

// model describes the store's user table.
func (g *Gate) model() record.Model {
	if s, ok := g.db.(interface{ Model() record.Model }); ok {
		return s.Model()
	}
	return record.Model{}
}

// LoginIsEmail reports whether users log in by e-mail and have no other name: the username
// of an account is its e-mail address, and changes with it.
func (as Accounts) LoginIsEmail() bool { return as.gate.loginIsEmail() }

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (g *Gate) loginIsEmail() bool {
	return g.settings.LoginField == "email" || g.model().LoginIsEmail
}

// withEmail returns the change with an e-mail address, which is also the username if
// users log in by e-mail.
func (g *Gate) withEmail(change record.Change, email string) record.Change {
	change.Email = &email
	if g.loginIsEmail() {
		change.Username = &email
	}
	return change
}

// ownUsers reports whether the users are in Settings.Users and not in the
// store.
func (g *Gate) ownUsers() bool { return g.settings.Users != nil }
