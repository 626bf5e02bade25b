package jotgate

// Facts: what a token contains about its user in addition to the id. This
// table is the only list of them; settings, issuing, guards and the help text
// read it.

import (
	"slices"

	"github.com/jotgate/jotgate/jwt"
)

// A fact is a property of a user that an access token can carry under its
// name: an entry of Settings.Claims. A Guard reads it into the field of
// accessClaims with the same name, and userFromClaims copies that to the User
// (TestFacts checks both).
type fact struct {
	name     string
	standard bool                               // part of Settings.Claims by default
	granted  bool                               // read with the user's groups and permissions
	session  bool                               // about the session's authentication; also present whenever a second factor is concerned
	of       func(*User) any                    // the value of the claim
	lenient  func(c *accessClaims, raw jwt.Raw) // reads a claim of another issuer, of any type
}

var facts = []fact{
	{
		name: "username", standard: true, of: func(u *User) any { return u.Username },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.Username = textOf(raw) },
	},
	{
		name: "email", standard: true, of: func(u *User) any { return u.Email },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.Email = textOf(raw) },
	},
	{
		name: "role", standard: true, of: func(u *User) any { return u.Role },
		lenient: func(c *accessClaims, raw jwt.Raw) {
			// A role that is a string is the name of a role, never its type: "admin" in
			// another issuer's token makes no user a superuser.
			if name := textOf(raw); name != "" {
				c.Role = Role{ID: name, DisplayName: name}
			}
		},
	},
	{
		name: "groups", granted: true, of: func(u *User) any { return u.Groups },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.Groups = textsOf(raw) },
	},
	{
		name: "permissions", granted: true, of: func(u *User) any { return u.Permissions },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.Permissions = textsOf(raw) },
	},
	{
		name: "auth_time", session: true, of: func(u *User) any { return u.details().authTime },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.AuthTime, _ = raw.Int() },
	},
	{
		name: "amr", session: true, of: func(u *User) any { return u.AMR() },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.AMR = textsOf(raw) },
	},
	{
		name: "acr", session: true, of: func(u *User) any { return u.ACR() },
		lenient: func(c *accessClaims, raw jwt.Raw) { c.ACR = textOf(raw) },
	},
}

// ClaimNames lists the values that Settings.Claims accepts, in the order of
// the documentation.
func ClaimNames() []string {
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = f.name
	}
	return names
}

// standardClaims returns the default of Settings.Claims.
func standardClaims() []string {
	return slices.DeleteFunc(ClaimNames(), func(name string) bool { return !factNamed(name).standard })
}

// factNamed returns the fact with this name, or nil.
func factNamed(name string) *fact {
	if i := slices.IndexFunc(facts, func(f fact) bool { return f.name == name }); i >= 0 {
		return &facts[i]
	}
	return nil
}
