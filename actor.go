package jotgate

// Who acts for the user of a token.

import (
	"context"
	"errors"
	"net/http"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// errImpersonated rejects what only the user may do: a change of the account, and
// what NotImpersonated protects.
var errImpersonated = &Error{
	Status: http.StatusForbidden, Code: "impersonated", Detail: "This is not possible while you act for another user.",
}

// CheckSelf returns nil unless a member of staff acts for the user (see User.Actor).
// Then the error has the status 403 and the code impersonated.
func (u *User) CheckSelf() error {
	if u.Actor() != "" {
		return errImpersonated
	}
	return nil
}

// actClaim returns the claim act of the tokens of a session, or nothing.
func actClaim(s *record.Session) jwt.Object {
	if s.Actor == "" {
		return nil
	}
	return jwt.Object{{Name: "act", Value: map[string]record.UserID{"sub": s.Actor}}}
}

// mayAct returns an error unless the actor of a session, if it has one, is still an
// active member of staff.
func (g *Gate) mayAct(ctx context.Context, s *record.Session) error {
	if s.Actor == "" {
		return nil
	}
	actor, err := g.users.UserByID(ctx, s.Actor)
	if errors.Is(err, ErrNotFound) || err == nil && !(actor.IsActive && actor.IsStaff) {
		return ErrTokenBlacklisted.Because(errors.New("the actor is no longer active staff"))
	}
	return err
}
