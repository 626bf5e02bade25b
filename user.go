package jotgate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// Role says what a user may be taken for at a glance. It is part of every
// access token unless Settings.Claims leaves it out.
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

// User is whoever a verified access token speaks of. It holds what the token
// says, nothing is looked up; Gate.Account reads the row behind it. A User is
// never changed after it was made and may be shared between goroutines.
type User struct {
	ID          record.UserID `json:"id"`
	Username    string        `json:"username"`
	Email       string        `json:"email"`
	Role        Role          `json:"role"`
	Groups      []string      `json:"groups,omitempty"`      // names; present when Settings.Claims has "groups"
	Permissions []string      `json:"permissions,omitempty"` // "app_label.codename"; present when Settings.Claims has "permissions"
	Session     string        `json:"-"`                     // the session (sid) the token belongs to; empty in tokens that Django issued

	stamp // of the token; empty for a User that no token made
}

// IsStaff reports whether the token's role is staff or admin.
func (u *User) IsStaff() bool { return u.Role.Type == RoleStaff || u.Role.Type == RoleAdmin }

// IsSuperuser reports whether the token's role is admin.
func (u *User) IsSuperuser() bool { return u.Role.Type == RoleAdmin }

// HasPermission reports whether the token carries the permission
// ("blog.add_post") or its role is admin.
func (u *User) HasPermission(permission string) bool {
	return u.IsSuperuser() || slices.Contains(u.Permissions, permission)
}

// HasRole compares "admin", "staff" and "user" with the role's type, and any
// other word with the name of the role's group and of the token's groups.
func (u *User) HasRole(role string) bool {
	switch role {
	case "":
		return false
	case RoleAdmin, RoleStaff, RoleUser:
		return u.Role.Type == role
	default:
		ofGroup := u.Role.ID != u.Role.Type // and not of the flags
		return ofGroup && u.Role.DisplayName == role || slices.Contains(u.Groups, role)
	}
}

// Expires is when the token that made this User expires, in whole seconds;
// the epoch for a User that no token made.
func (u *User) Expires() time.Time { return time.Unix(u.expires, 0) }

// Claim returns the JSON text of any claim of the verified token, for claims
// that Settings.CustomClaims added or another issuer put in.
func (u *User) Claim(name string) (jwt.Raw, bool) { return u.payload.Member(name) }

// ClaimInto decodes a claim of the verified token into a T, as encoding/json does:
// for claims that Settings.CustomClaims added or another issuer put in. It is an
// error if the token has no such claim, or one of another type.
//
//	plan, err := jotgate.ClaimInto[string](user, "plan")
func ClaimInto[T any](u *User, name string) (value T, err error) {
	text, ok := u.Claim(name)
	if !ok {
		return value, fmt.Errorf("jotgate: the token has no claim %q", name)
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return value, fmt.Errorf("jotgate: claim %q: %w", name, err)
	}
	return value, nil
}

// contextKey is the key under which Require puts the *User.
type contextKey struct{}

// UserFrom returns the user that Require put into the request's context; ok
// is false on a road without Require (or with Optional and no token).
func UserFrom(ctx context.Context) (user *User, ok bool) {
	user, ok = ctx.Value(contextKey{}).(*User)
	return user, ok
}

// RoleOf is the role that the account's access tokens carry.
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
