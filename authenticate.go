package jotgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Authenticate verifies the token in the request and returns its user, without a query.
// Errors: ErrNotAuthenticated if there is no token (no header, or a scheme that is not
// in GuardSettings.HeaderTypes), ErrBadHeader, and those of VerifyAccess. A credential
// of another kind (Logins.Accept) is looked up unless it is cached; then the errors are
// those of its CredentialSource, ErrUserNotFound and ErrUserInactive.
func (g *Guard) Authenticate(r *http.Request) (*User, error) { return g.authenticate(r, nil) }

// authenticate is Authenticate; see verifyAccess for dst.
func (g *Guard) authenticate(r *http.Request, dst *User) (*User, error) {
	p, err := g.presentedIn(r)
	if err != nil {
		return nil, err
	}
	if p.source != nil {
		return g.credentialUser(r, p)
	}
	user, err := g.verifyAccess(p.value, dst)
	if err != nil && strings.ContainsFunc(p.value, isSpace) {
		return nil, ErrBadHeader // checked only now, since no token with a space in it verifies
	}
	return user, err
}

// Require returns a handler that passes a request with a valid access token to next,
// with the user in the context (see [UserFrom]), and responds to any other request with
// 401.
func (g *Guard) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &userContext{Context: r.Context(), guard: g}
		var err error
		if c.user, err = g.authenticate(r, &c.stored); err != nil {
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(c))
	})
}

// A userContext is the context of a request and its user, in one allocation.
type userContext struct {
	context.Context
	guard  *Guard // the Guard that verified the token
	user   *User
	stored User // what user points to, unless the user is shared
}

// verifiedKey is the context key that returns the userContext itself.
type verifiedKey struct{}

// Value implements context.Context.
func (c *userContext) Value(key any) any {
	switch key {
	case contextKey{}:
		return c.user
	case verifiedKey{}:
		return c
	}
	return c.Context.Value(key)
}

// RequireUser is Require for a handler that takes the user as an argument. It avoids
// the look-up in the context and the copy of the request.
func (g *Guard) RequireUser(next func(http.ResponseWriter, *http.Request, *User)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := g.Authenticate(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		next(w, r, user)
	})
}

// Optional returns a handler that is like Require, but passes a request without a token
// to next, too; then UserFrom returns no user. A token that is not valid is rejected
// with 401, as in Django.
func (g *Guard) Optional(next http.Handler) http.Handler {
	required := g.Require(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := g.presentedIn(r); err == ErrNotAuthenticated {
			next.ServeHTTP(w, r)
			return
		}
		required.ServeHTTP(w, r)
	})
}

// RequirePermission returns a middleware that is Require for users who have the
// permission, such as "blog.add_post", and for superusers; it responds to others with
// 403. Only superusers pass unless Settings.Claims contains "permissions", which puts
// them into tokens.
func (g *Guard) RequirePermission(permission string) func(http.Handler) http.Handler {
	return g.requireThat(allow(fmt.Sprintf("the user does not have the permission %q", permission), func(u *User) bool { return u.HasPermission(permission) }))
}

// RequireRole returns a middleware that is Require for users with the role; it responds
// to others with 403. "admin", "staff" and "user" are compared with Role.Type. Any
// other word is the name of a group: that of the role or, with "groups" in
// Settings.Claims, any of the user's. A group named "admin" makes no user an admin.
func (g *Guard) RequireRole(role string) func(http.Handler) http.Handler {
	return g.requireThat(allow(fmt.Sprintf("the user does not have the role %q", role), func(u *User) bool { return u.HasRole(role) }))
}

// RequireStaff returns a handler that is Require for staff and superusers (Django's
// IsAdminUser); it responds to others with 403.
func (g *Guard) RequireStaff(next http.Handler) http.Handler {
	return g.requireThat(allow("the user is not staff", (*User).IsStaff))(next)
}

// RequireScope returns a middleware that is Require for tokens that have all of the
// scopes; it responds to others with 403 and the error insufficient_scope (RFC 6750
// section 3.1). The access token of a login has every scope (see User.HasScope).
// RequireScope panics if a scope is empty or contains a character that RFC 6749 section
// 3.3 does not allow.
//
//	mux.Handle("GET /orders/", gate.RequireScope("orders:read")(orders))
func (g *Guard) RequireScope(scopes ...string) func(http.Handler) http.Handler {
	for _, scope := range scopes {
		if !IsScope(scope) {
			panic("jotgate: RequireScope: " + strconv.Quote(scope) + " is not a scope")
		}
	}
	return g.requireThat(func(u *User) error { return u.CheckScope(scopes...) })
}

// RequireAudience returns a middleware that is Require for access tokens with this
// audience; it responds to others with 401. The audience must also be in
// GuardSettings.Audience (for a Gate, Settings.Audience).
func (g *Guard) RequireAudience(audience string) func(http.Handler) http.Handler {
	return g.requireThat(func(u *User) error { return u.CheckAudience(audience) })
}

// NotImpersonated returns a handler that rejects a request with 403 if a member of
// staff acts for its user (User.Actor), and passes others to next. It must be inside
// Require of a Guard, which also sends the response; without a user it rejects every
// request:
//
//	mux.Handle("/pay", gate.Require(jotgate.NotImpersonated(pay)))
func NotImpersonated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error = ErrForbidden
		if user, ok := UserFrom(r.Context()); ok {
			err = user.CheckSelf()
		}
		if err == nil {
			next.ServeHTTP(w, r)
			return
		}
		if c, ok := r.Context().Value(verifiedKey{}).(*userContext); ok {
			c.guard.refuse(w, r, err)
			return
		}
		AsError(err).Respond(w, "")
	})
}

// allow returns the check of requireThat that responds with 403 to users for
// whom is returns false. The audit trail has the reason.
func allow(reason string, is func(*User) bool) func(*User) error {
	refusal := ErrForbidden.Because(errors.New(reason))
	return func(u *User) error {
		if !is(u) {
			return refusal
		}
		return nil
	}
}

// requireThat returns the middleware for users for whom check returns nil.
// Inside a Require of the same Guard it does not verify the token again; it
// ignores what another Guard verified.
func (g *Guard) requireThat(check func(*User) error) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		checked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, ok := UserFrom(r.Context())
			if !ok {
				g.refuse(w, r, ErrForbidden)
				return
			}
			if err := check(user); err != nil {
				g.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
		verified := g.Require(checked)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, ok := r.Context().Value(verifiedKey{}).(*userContext); ok && c.guard == g {
				checked.ServeHTTP(w, r)
				return
			}
			verified.ServeHTTP(w, r)
		})
	}
}

// refuse logs the reason and responds with the error.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := AsError(err)
	g.log.DebugContext(r.Context(), "refused", "status", e.Status, "reason", e.Error())
	if g.refused != nil {
		g.refused(r, e)
	}
	g.onError(w, r, e)
}
