package jotgate

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Authenticate verifies the token that the request carries and returns whom
// it speaks of. Nothing is looked up. Errors: ErrNotAuthenticated without a
// token (no header, or a scheme that is not ours), ErrBadHeader, and those of
// VerifyAccess.
func (g *Guard) Authenticate(r *http.Request) (*User, error) { return g.authenticate(r, nil) }

// authenticate is Authenticate; room is verifyAccess's.
func (g *Guard) authenticate(r *http.Request, room *User) (*User, error) {
	token, err := g.tokenOf(r)
	if err != nil {
		return nil, err
	}
	user, err := g.verifyAccess(token, room)
	if err != nil && strings.ContainsFunc(token, isSpace) {
		return nil, ErrBadHeader // looked for here only, since no token with a space in it verifies
	}
	return user, err
}

// tokenOf takes the token out of the header, as JWTAuthentication of SimpleJWT
// does: words are parted by white space, the scheme's case counts, another
// scheme is no credentials at all. Stricter than Django in one point: a header
// sent twice is refused, since two parties could read two users from it. The
// text it returns may still be several words.
func (g *Guard) tokenOf(r *http.Request) (string, error) {
	values := r.Header[g.header]
	if len(values) == 0 {
		return "", ErrNotAuthenticated
	}
	if len(values) > 1 {
		return "", ErrBadHeader
	}
	scheme, rest, _ := strings.Cut(strings.TrimFunc(values[0], isSpace), " ")
	if !slices.Contains(g.types, scheme) {
		// Perhaps another kind of white space stands behind the scheme.
		if i := strings.IndexFunc(scheme, isSpace); i > 0 && slices.Contains(g.types, scheme[:i]) {
			rest = scheme[i:] + " " + rest
		} else {
			return "", ErrNotAuthenticated
		}
	}
	if rest = strings.TrimFunc(rest, isSpace); rest == "" {
		return "", ErrBadHeader
	}
	return rest, nil
}

// isSpace is bytes.isspace of Python, which splits the header there.
func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// Require lets a request with a valid access token through to next, with its
// User in the context (UserFrom), and answers any other with 401.
func (g *Guard) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &userContext{Context: r.Context(), guard: g}
		var err error
		if c.user, err = g.authenticate(r, &c.room); err != nil {
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(c))
	})
}

// A userContext is the context of a request and its user, in one allocation.
type userContext struct {
	context.Context
	guard *Guard // that verified the token
	user  *User
	room  User // where user points, unless the user is shared
}

// verifiedKey is the key under which a userContext is found itself.
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

// RequireUser is Require for a handler that takes the user as an argument: no
// look-up, no cast, and no copy of the request.
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

// Optional lets a request without a token through, too, then without a user;
// a token that is there must be good, as in Django.
func (g *Guard) Optional(next http.Handler) http.Handler {
	required := g.Require(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := g.tokenOf(r); err == ErrNotAuthenticated {
			next.ServeHTTP(w, r)
			return
		}
		required.ServeHTTP(w, r)
	})
}

// RequirePermission returns a middleware that is Require for users who have the
// permission ("blog.add_post") and for superusers; others get 403. The token must
// carry permissions (Settings.Claims), or else only superusers pass.
func (g *Guard) RequirePermission(permission string) func(http.Handler) http.Handler {
	return g.requireThat(func(u *User) bool { return u.HasPermission(permission) })
}

// RequireRole returns a middleware that is Require for users of one role: "admin",
// "staff" or "user" is compared with the role's type, any other word with the name
// of the role's group and of the groups in the token (Settings.Claims). Others get
// 403. A group that is called "admin" makes nobody an admin.
func (g *Guard) RequireRole(role string) func(http.Handler) http.Handler {
	return g.requireThat(func(u *User) bool { return u.HasRole(role) })
}

// RequireStaff is Require for staff and superusers (Django's IsAdminUser);
// others get 403.
func (g *Guard) RequireStaff(next http.Handler) http.Handler {
	return g.requireThat((*User).IsStaff)(next)
}

// requireThat returns the middleware for users who are allowed. Inside a Require
// of the same Guard the token is not verified again; what another Guard verified
// does not count.
func (g *Guard) requireThat(allowed func(*User) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		checked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, ok := UserFrom(r.Context()); !ok || !allowed(user) {
				g.refuse(w, r, ErrForbidden)
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

// refuse answers with the error and tells the operator why.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := AsError(err)
	g.log.DebugContext(r.Context(), "refused", "status", e.Status, "reason", e.Error())
	if g.refused != nil {
		g.refused(r, e)
	}
	g.onError(w, r, e)
}

// Challenge is the value of WWW-Authenticate in answers of 401.
func (g *Guard) Challenge() string { return g.challenge }

// HeaderName is the request header that carries the token.
func (g *Guard) HeaderName() string { return g.header }
