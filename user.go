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

// User is the user of a verified access token. It contains only data from the token;
// Accounts.Of reads the account in the database. It must not be modified: goroutines
// may share it.
type User struct {
	ID          record.UserID `json:"id"`
	Username    string        `json:"username"`
	Email       string        `json:"email"`
	Role        Role          `json:"role"`
	Groups      []string      `json:"groups,omitempty"`      // names; present when Settings.Claims has "groups"
	Permissions []string      `json:"permissions,omitempty"` // "app_label.codename"; present when Settings.Claims has "permissions"
	Session     string        `json:"-"`                     // the session (sid) the token belongs to; empty in tokens that Django issued

	stamp // of the token; empty for a User that was not created from a token
	rest  *details
}

func (u *User) details() *details {
	if u.rest == nil {
		return &noDetails
	}
	return u.rest
}

// AuthTime returns when the user last authenticated, in whole seconds, or the zero time
// if the token does not contain it.
func (u *User) AuthTime() time.Time {
	if t := u.details().authTime; t != 0 {
		return time.Unix(t, 0)
	}
	return time.Time{}
}

// AMR returns the methods with which the user last authenticated (RFC 8176), or nil if
// the token does not contain them. The slice must not be modified.
func (u *User) AMR() []string { return u.details().amr }

// ACR returns the level at which the user last authenticated: "aal1" for one factor,
// "aal2" for two, or "" if the token does not contain it.
func (u *User) ACR() string { return u.details().acr }

// Actor returns the id of the member of staff who acts for the user (the claim act), or
// "" if there is none. See NotImpersonated.
func (u *User) Actor() record.UserID { return u.details().actor }

// Scopes returns the scopes of the token, or nil. The slice must not be modified. Call
// HasScope to check one, since a token that is not limited has every scope.
func (u *User) Scopes() []string { return u.details().scopes }

// Client returns the client to which the token was issued (the claim client_id, or
// azp), or "" if there is none.
func (u *User) Client() string { return u.details().client }

// MarshalJSON implements json.Marshaler.
func (u *User) MarshalJSON() ([]byte, error) {
	type fields User // without the methods
	d := u.details()
	return json.Marshal(struct {
		*fields
		AuthTime int64         `json:"auth_time,omitempty"`
		AMR      []string      `json:"amr,omitempty"`
		ACR      string        `json:"acr,omitempty"`
		Actor    record.UserID `json:"actor,omitempty"`
	}{(*fields)(u), d.authTime, d.amr, d.acr, d.actor})
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

// HasRole reports whether the user has the role. "admin", "staff" and "user" are
// compared with Role.Type. Any other word is the name of a group: that of the role or
// one of Groups.
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

// Claim returns the JSON text of a claim of the verified token. ok is false if the
// token does not have it. See also ClaimInto.
func (u *User) Claim(name string) (jwt.Raw, bool) { return u.payload.Member(name) }

// Claims returns all claims of the verified token in their order.
func (u *User) Claims() iter.Seq2[string, jwt.Raw] { return u.payload.All() }

// ClaimInto decodes a claim of the verified token into a T, as encoding/json does. It
// is for claims that Settings.CustomClaims or another issuer has added. It returns an
// error if the token does not have the claim, or if its value does not fit T.
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

// UserFrom returns the user that Require has put into the request's context. ok is
// false for a request that did not pass through Require, or that passed Optional
// without a token.
func UserFrom(ctx context.Context) (user *User, ok bool) {
	user, ok = ctx.Value(contextKey{}).(*User)
	return user, ok
}
