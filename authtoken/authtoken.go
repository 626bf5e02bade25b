// Package authtoken accepts the tokens of Django REST framework's
// rest_framework.authtoken while clients move to tokens of jotgate or to API keys:
//
//	source, err := store.AuthTokens(ctx, db)
//	authtoken.Accept(gate, source)
//
// A client sends one as Authorization: Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b.
// It is as good as the access token of a login, as in Django, and does not expire.
// It is read from Django's table once a minute: a token that Django deletes is refused
// after a minute at most. A token of an inactive user is refused. Call Accept once,
// before the gate serves requests.
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

// Store reads Django's table. Package store implements it.
type Store interface {
	// Owner returns the user of a token, or jotgate.ErrNotFound.
	Owner(ctx context.Context, token string) (record.UserID, error)
}

// Accept makes the gate accept the tokens (jotgate.Logins.Accept). Call it before the
// gate handles the first request.
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
