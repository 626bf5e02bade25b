package jotgate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// User is the user of a verified access token. It contains only data from the
// token; Accounts.Of reads the row in the database. A User is never changed
// after it was created and may be shared between goroutines.
type User struct {
	ID          record.UserID `json:"id"`
	Username    string        `json:"username"`
	Email       string        `json:"email"`
	Role        Role          `json:"role"`
	Groups      []string      `json:"groups,omitempty"`      // names; present when Settings.Claims has "groups"
	Permissions []string      `json:"permissions,omitempty"` // "app_label.codename"; present when Settings.Claims has "permissions"
	// AuthTime is when the user last authenticated, in Unix seconds, AMR by which
	// methods (RFC 8176), and ACR at which level: "aal1" for one factor, "aal2" for
	// two. They are the zero values if the token does not say so.
	AuthTime int64    `json:"auth_time,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	// Actor is the id of the member of staff who acts for the user (the claim act), or
	// "". See NotImpersonated.
	Actor   record.UserID `json:"actor,omitempty"`
	Session string        `json:"-"` // the session (sid) the token belongs to; empty in tokens that Django issued
	// Scopes are what a limited token may be used for (HasScope), and Client is
	// the client that the token was issued to (the claim client_id).
	Scopes []string `json:"-"`
	Client string   `json:"-"`

	limited bool
	owner   record.UserID // the account of a credential other than a token
	stamp                 // of the token; empty for a User that was not created from a token
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

// HasRole reports whether the user has the role. "admin", "staff" and "user"
// are compared with the role's type, and any other word with the name of the
// role's group and of the token's groups.
func (u *User) HasRole(role string) bool {
	switch role {
	case "":
		return false
	case RoleAdmin, RoleStaff, RoleUser:
		return u.Role.Type == role
	default:
		ofGroup := u.Role.ID != u.Role.Type // not of the flags is_staff and is_superuser
		return ofGroup && u.Role.DisplayName == role || slices.Contains(u.Groups, role)
	}
}

// Expires returns the time at which the token of this User expires, in whole
// seconds, or the epoch for a User that was not created from a token.
func (u *User) Expires() time.Time { return time.Unix(u.expires, 0) }

// Claim returns the JSON text of any claim of the verified token, such as
// those that Settings.CustomClaims or another issuer added.
func (u *User) Claim(name string) (jwt.Raw, bool) { return u.payload.Member(name) }

// Claims returns all claims of the verified token in their order.
func (u *User) Claims() iter.Seq2[string, jwt.Raw] { return u.payload.All() }

// ClaimInto decodes a claim of the verified token into a T, as encoding/json
// does, such as those that Settings.CustomClaims or another issuer added. It
// returns an error if the token has no such claim, or one of another type.
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

// contextKey is the context key of the *User that Require adds.
type contextKey struct{}

// UserFrom returns the user that Require put into the request's context. ok
// is false for a request that did not pass Require (or passed Optional
// without a token).
func UserFrom(ctx context.Context) (user *User, ok bool) {
	user, ok = ctx.Value(contextKey{}).(*User)
	return user, ok
}
