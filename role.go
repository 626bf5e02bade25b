package jotgate

// Roles of users.

import (
	"strconv"

	"github.com/jotgate/jotgate/record"
)

// Role summarizes the rights of a user. Access tokens contain it, unless
// Settings.Claims leaves it out.
type Role struct {
	// ID is the id of the user's first group (the one with the lowest id);
	// without a group it equals Type.
	ID string `json:"id"`
	// DisplayName is that group's name, or "Admin", "Staff" or "User".
	DisplayName string `json:"display_name"`
	// Type is "admin" (is_superuser), "staff" (is_staff) or "user".
	Type string `json:"role_type"`
}

// The values of Role.Type.
const (
	RoleAdmin = "admin"
	RoleStaff = "staff"
	RoleUser  = "user"
)

// RoleOf returns the role that the account's access tokens carry.
func RoleOf(a *record.Account) Role {
	role := Role{ID: RoleUser, DisplayName: "User", Type: RoleUser}
	switch {
	case a.IsSuperuser:
		role = Role{ID: RoleAdmin, DisplayName: "Admin", Type: RoleAdmin}
	case a.IsStaff:
		role = Role{ID: RoleStaff, DisplayName: "Staff", Type: RoleStaff}
	}
	if a.Group != nil {
		role.ID, role.DisplayName = strconv.FormatInt(a.Group.ID, 10), a.Group.Name
	}
	return role
}
