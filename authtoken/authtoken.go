// Package authtoken makes a gate accept the tokens of Django REST framework's
// rest_framework.authtoken, for the time in which clients move to tokens of jotgate or
// to API keys. The two calls to make are store.AuthTokens, which finds Django's table,
// and [Accept]:
//
//	source, err := store.AuthTokens(ctx, db)
//	authtoken.Accept(gate, source)
//
// A client sends such a token as
// Authorization: Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b. As in Django it has
// all rights of a login and does not expire, so the safe choice is to stop accepting
// these tokens when no client sends one any more: API keys (package apikey) expire and
// are limited to scopes.
//
// A token is cached for a minute, so a token that Django deletes is refused after a
// minute at most. A token of an inactive user is refused.
package authtoken

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Store reads Django's table authtoken_token. It is safe for concurrent use.
// store.AuthTokens returns one.
type Store interface {
	// Owner returns the user of a token: 40 hexadecimal digits. Errors:
	// jotgate.ErrNotFound, jotgate.ErrUnavailable.
	Owner(ctx context.Context, token string) (record.UserID, error)
}

// Accept makes the gate accept the tokens of the store in all its handlers
// (jotgate.Logins.Accept). Call it once, before the gate handles the first request.
func Accept(gate *jotgate.Gate, s Store) { gate.Logins().Accept(source{s}) }

type source struct{ Store }

var _ jotgate.CredentialSource = source{}

// cachedFor is after how long a token is read again.
const cachedFor = time.Minute

var errInvalid = &jotgate.Error{Status: http.StatusUnauthorized, Detail: "Invalid token."}

// Accepts implements jotgate.CredentialSource.
func (source) Accepts(scheme, value string) bool {
	return strings.EqualFold(scheme, "Token") && len(value) == 40 && strings.Trim(value, "0123456789abcdef") == ""
}

// Load implements jotgate.CredentialSource.
func (s source) Load(ctx context.Context, value string, now time.Time) (jotgate.Credential, error) {
	owner, err := s.Owner(ctx, value)
	if errors.Is(err, jotgate.ErrNotFound) {
		return jotgate.Credential{}, errInvalid
	}
	sum := sha256.Sum256([]byte("jotgate authtoken " + value))
	return jotgate.Credential{
		Owner: owner, Session: hex.EncodeToString(sum[:16]), Login: true, Expires: now.Truncate(time.Second).Add(cachedFor),
	}, err
}

// Admit implements jotgate.CredentialSource.
func (source) Admit(*http.Request, *jotgate.Credential) error { return nil }
