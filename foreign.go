package jotgate

// Access tokens of other issuers, whose claims may have other types.

import (
	"errors"

	"github.com/jotgate/jotgate/jwt"
)

// ofAnotherType reports whether a genuine token was rejected only because a
// fact about the user does not have the type that jotgate writes.
func ofAnotherType(err error) bool {
	var refused *jwt.Error
	return errors.As(err, &refused) && refused.Reason == jwt.ErrMalformed && factNamed(refused.Claim) != nil
}

// lenient adds the facts of the payload that have a usable type.
func (f *foreignClaims) lenient(payload jwt.Raw) accessClaims {
	c := accessClaims{
		TokenType: f.TokenType, JTI: f.JTI, UserID: f.UserID, SID: f.SID, Act: f.Act,
		Scope: f.Scope, SCP: f.SCP, ClientID: f.ClientID, AZP: f.AZP, CNF: f.CNF,
	}
	for _, fact := range facts {
		if raw, ok := payload.Member(fact.name); ok {
			fact.lenient(&c, raw)
		}
	}
	return c
}
