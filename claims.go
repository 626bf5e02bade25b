package jotgate

import (
	"errors"
	"strconv"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// accessClaims are the claims that jotgate reads from a token. UserID is raw
// because SimpleJWT wrote numbers before 5.5 and has written strings since.
type accessClaims struct {
	TokenType   jwt.Raw  `json:"token_type"` // Raw distinguishes absent from empty
	JTI         jwt.Raw  `json:"jti"`
	UserID      jwt.Raw  `json:"user_id"`
	SID         string   `json:"sid"`
	Username    string   `json:"username"`
	Email       string   `json:"email"`
	Role        Role     `json:"role"`
	Groups      []string `json:"groups"`
	Permissions []string `json:"permissions"`
	AuthTime    int64    `json:"auth_time"`
	AMR         []string `json:"amr"`
	ACR         string   `json:"acr"`
}

// foreignClaims reads the tokens of another issuer, whose claims about the
// user may have other types, for example those of a Django whose serializer
// adds "role": "editor". Only the claims that every token must have are
// strict.
type foreignClaims struct {
	TokenType jwt.Raw `json:"token_type"`
	JTI       jwt.Raw `json:"jti"`
	UserID    jwt.Raw `json:"user_id"`
	SID       string  `json:"sid"`
}

// verifiedToken is what a Guard keeps of a verified token.
type verifiedToken struct {
	accessClaims
	stamp
}

// A stamp is the part of a token other than its decoded claims: its times, in
// Unix seconds, and the JSON text of all its claims.
type stamp struct {
	issued, notBefore, expires int64
	payload                    jwt.Raw
}

func stampOf[T any](t *jwt.Token[T]) stamp {
	return stamp{t.IssuedAt, t.NotBefore, t.ExpiresAt, t.Payload()}
}

// read verifies the signature, times, issuer and audience. The errors are
// those of package jwt.
func (g *Guard) read(token string) (verifiedToken, error) {
	t, err := g.tokens.Verify(token)
	if err != nil {
		return g.readForeign(token, err)
	}
	return verifiedToken{t.Claims, stampOf(&t)}, nil
}

// readForeign reads a token that was rejected, if the only reason was a claim
// that another issuer writes with another type.
func (g *Guard) readForeign(token string, refused error) (verifiedToken, error) {
	if !ofAnotherType(refused) {
		return verifiedToken{}, refused
	}
	t, err := g.foreign.Verify(token)
	if err != nil {
		return verifiedToken{}, err
	}
	return verifiedToken{t.Claims.lenient(t.Payload()), stampOf(&t)}, nil
}

// ofAnotherType reports whether a genuine token was rejected only because a
// fact about the user does not have the type that jotgate writes.
func ofAnotherType(err error) bool {
	var refused *jwt.Error
	return errors.As(err, &refused) && refused.Reason == jwt.ErrMalformed && factNamed(refused.Claim) != nil
}

// lenient adds the facts of the payload that have a usable type.
func (f *foreignClaims) lenient(payload jwt.Raw) accessClaims {
	c := accessClaims{TokenType: f.TokenType, JTI: f.JTI, UserID: f.UserID, SID: f.SID}
	for _, fact := range facts {
		if raw, ok := payload.Member(fact.name); ok {
			fact.lenient(&c, raw)
		}
	}
	return c
}

// textOf returns the value of a JSON string, or "" for any other value.
func textOf(raw jwt.Raw) string {
	text, _ := raw.Text()
	return text
}

// textsOf returns the elements of an array of strings, or nil for any other
// value.
func textsOf(raw jwt.Raw) []string {
	list, _ := raw.Elements()
	texts := make([]string, 0, len(list))
	for _, element := range list {
		text, ok := element.Text()
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// userID reads the claim that identifies the user: a string, as SimpleJWT has
// written it since 5.5, or an integer, as it did before. A claim of any other
// type identifies no user.
func (g *Guard) userID(c *accessClaims, payload jwt.Raw) (record.UserID, error) {
	raw := c.UserID
	if g.idClaim != "user_id" {
		raw, _ = payload.Member(g.idClaim)
	}
	if raw == "" {
		return "", ErrNoUserClaim
	}
	if text, isString := raw.Text(); isString && text != "" {
		return record.UserID(text), nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return "", ErrUserNotFound
	}
	return record.UserID(strconv.FormatInt(n, 10)), nil
}
