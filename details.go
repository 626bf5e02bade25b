package jotgate

// What few tokens say about their user. Most users have none of it and stay small:
// a User is allocated for every request.

import (
	"cmp"
	"errors"
	"strings"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// details is never changed after its User was created.
type details struct {
	authTime int64 // in Unix seconds; 0: not known
	amr      []string
	acr      string
	actor    record.UserID

	limited bool
	scopes  []string
	client  string
	jti     string // see accessClaims.revocable; empty for other tokens

	owner record.UserID // the account of a credential other than a token
}

// noDetails are those of a User without any.
var noDetails details

// detailsOf reads the details, or returns nil if there are none.
func detailsOf(c *accessClaims) (*details, error) {
	limited := c.Scope != "" || c.SCP != "" || c.ClientID != "" || c.AZP != ""
	switch {
	case c.CNF != "":
		return nil, errBoundKey
	case !limited && c.AuthTime == 0 && c.AMR == nil && c.ACR == "" && c.Act == "":
		return nil, nil
	}
	d := &details{authTime: c.AuthTime, amr: c.AMR, acr: c.ACR, actor: actorOf(c.Act)}
	if limited {
		d.limit(c)
	}
	return d, nil
}

// maxScopes is the largest number of scopes of a token; further ones are ignored.
const maxScopes = 100

var errBoundKey = errors.New("the token is bound to a key (cnf), so it is not a bearer token")

// limit sets what the token may be used for. The claims are those of RFC 9068
// (scope, client_id) and of other issuers (scp, azp). A claim of an unexpected
// type grants nothing, and its token is limited.
func (d *details) limit(c *accessClaims) {
	d.limited, d.scopes = true, scopesOf(c.Scope)
	if len(d.scopes) == 0 {
		d.scopes = scopesOf(c.SCP)
	}
	d.client = cmp.Or(textOf(c.ClientID), textOf(c.AZP))
	d.jti = c.revocable()
}

// revocable returns the jti by which the token can be revoked alone (RFC 7009): that
// of a client. Other tokens are revoked with their session.
func (c *accessClaims) revocable() string {
	if c.ClientID == "" {
		return ""
	}
	return textOf(c.JTI)
}

// unknownActor is the Actor of a token whose claim act does not name one.
const unknownActor record.UserID = "unknown"

// actorOf reads the claim act (RFC 8693 section 4.1). A token with an act of another
// form is also one of an actor.
func actorOf(act jwt.Raw) record.UserID {
	if act == "" {
		return ""
	}
	sub, _ := act.Member("sub")
	if name := textOf(sub); name != "" {
		return record.UserID(name)
	}
	return unknownActor
}

// scopesOf reads a string of scopes separated by spaces, or an array of scopes.
func scopesOf(raw jwt.Raw) []string {
	text, ok := raw.Text()
	scopes := strings.Fields(text)
	if !ok {
		scopes = textsOf(raw)
	}
	return scopes[:min(len(scopes), maxScopes)]
}
