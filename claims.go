package jotgate

import (
	"github.com/jotgate/jotgate/jwt"
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
	Act         jwt.Raw  `json:"act"` // who acts for the user (RFC 8693); Raw so that any form counts

	// What the token may be used for; see User.limit. The types are Raw because
	// issuers write them in several ways.
	Scope    jwt.Raw `json:"scope"`
	SCP      jwt.Raw `json:"scp"`
	ClientID jwt.Raw `json:"client_id"`
	AZP      jwt.Raw `json:"azp"`
	CNF      jwt.Raw `json:"cnf"`
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
	Act       jwt.Raw `json:"act"`

	Scope    jwt.Raw `json:"scope"`
	SCP      jwt.Raw `json:"scp"`
	ClientID jwt.Raw `json:"client_id"`
	AZP      jwt.Raw `json:"azp"`
	CNF      jwt.Raw `json:"cnf"`
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
	return stamp{issued: t.IssuedAt, notBefore: t.NotBefore, expires: t.ExpiresAt, payload: t.Payload()}
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

// claim is one member of a jwt.Object.
type claim = struct {
	Name  string
	Value any
}

// maxTime is 9999-12-31T23:59:59Z, the last second both databases can hold.
const maxTime = 253402300799
