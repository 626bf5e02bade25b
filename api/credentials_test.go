package api

// The credentials of a site, of every kind.

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/record"
)

// credentials returns what makes credentials for the site.
func (s *site) credentials() *credentials.Site {
	if s.maker == nil {
		s.maker = &credentials.Site{
			TB: s.t, Gate: s.gate, Store: s.db, Keys: s.settings.APIKeys, Clients: s.settings.OAuth, Endpoints: s.API,
			Secret: siteSecret, Password: goodPassword, Advance: s.now.turn, AuthToken: s.authToken,
		}
	}
	return s.maker
}

// madeKey creates an API key of alice.
func (s *site) madeKey(scopes string) apikey.Created {
	s.t.Helper()
	return s.credentials().Key(scopes)
}

// signed returns a token of alice with the claims of an access token, and these.
func (s *site) signed(typ string, claims map[string]any) string {
	s.t.Helper()
	return s.credentials().Signed(typ, claims)
}

// authTokens stands for Django's table authtoken_token; package store reads the real one.
type authTokens map[string]record.UserID

func (a authTokens) Owner(_ context.Context, token string) (record.UserID, error) {
	if owner, ok := a[token]; ok {
		return owner, nil
	}
	return "", jotgate.ErrNotFound
}

// authToken adds a token of alice to the table.
func (s *site) authToken() string {
	if s.tokens == nil {
		s.tokens = authTokens{}
	}
	token := fmt.Sprintf("%040x", len(s.tokens)+1)
	s.tokens[token] = s.account("alice").ID
	return token
}

// asSocket moves a token from its header to the subprotocols of a WebSocket.
func asSocket(r *http.Request) {
	token := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "Token ")
	if token != "" && !strings.Contains(token, " ") {
		r.Header.Del("Authorization")
		r.Header.Set("Sec-WebSocket-Protocol", "bearer, "+token)
	}
}
