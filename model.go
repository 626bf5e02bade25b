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

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (g *Gate) loginIsEmail() bool {
	if g.settings.LoginField == "email" {
		return true
	}
	return g.model().LoginIsEmail
}

// ownUsers reports whether the users are in Settings.Users and not in the
// store.
func (g *Gate) ownUsers() bool { return g.settings.Users != nil }
