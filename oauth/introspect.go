package oauth

// Token introspection (RFC 7662) and revocation (RFC 7009).

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
)

// ScopeIntrospection is the scope with which a client introspects the access tokens of
// users and other clients, as a resource server does, and not only its own.
const ScopeIntrospection = "introspection"

var errToken = refuse(errRequest, "The parameter token is missing.")

// Introspect returns what an access token says, a JSON object: the member active, and
// if that is true, the claims. It is false for a token that is invalid, expired or
// revoked, and for one that the client may not read. It reads no database for a client
// that was seen in the last 5 seconds. Errors: those of Token about the client.
func (s *Server) Introspect(ctx context.Context, c Call) (json.RawMessage, error) {
	_, caller, err := s.authenticate(ctx, &c)
	if err != nil {
		return nil, err
	}
	token := c.Form.Get("token")
	if token == "" {
		return nil, errToken
	}
	of, err := s.gate.VerifyAccess(token)
	if errors.Is(err, jotgate.ErrUnavailable) {
		return nil, err
	}
	if err != nil || of.Client() != caller.ID && !slices.Contains(caller.Scopes, ScopeIntrospection) {
		return json.RawMessage(`{"active":false}`), nil
	}
	return introspected(of), nil
}

// introspected returns the response about a valid token, with the claims as the token has
// them. It reads the token once: a resource server may ask for each of its requests.
func introspected(u *jotgate.User) json.RawMessage {
	out := append(make([]byte, 0, 512), `{"active":true,"token_type":"Bearer"`...)
	subject := false
	for name, value := range u.Claims() {
		switch name {
		case "sub":
			subject = true
		case "client_id", "username", "exp", "iat", "nbf", "aud", "iss", "jti", "user_id", "auth_time", "acr", "amr", "act":
		default:
			continue
		}
		out = append(append(append(out, `,"`...), name...), `":`...)
		out = append(out, value...)
	}
	if !subject {
		out = member(out, "sub", string(u.ID))
	}
	if u.Limited() {
		out = member(out, "scope", strings.Join(u.Scopes(), " "))
	}
	return append(out, '}')
}

// member appends a member to a JSON object that has some.
func member(out []byte, name, text string) []byte {
	value, _ := json.Marshal(text) // of a string
	return append(append(append(append(out, `,"`...), name...), `":`...), value...)
}

// Revoke revokes an access token of the client. It is refused by this node when Revoke
// returns, and by others and by guards that follow the revocation feed within a second.
// A token that is invalid, or another client's, is no error (RFC 7009 section 2.2).
// Errors: those of Token about the client.
func (s *Server) Revoke(ctx context.Context, c Call) error {
	_, caller, err := s.authenticate(ctx, &c)
	if err != nil {
		return err
	}
	token := c.Form.Get("token")
	if token == "" {
		return errToken
	}
	of, err := s.gate.VerifyAccess(token)
	switch {
	case errors.Is(err, jotgate.ErrUnavailable):
		return err
	case err != nil || of.Client() != caller.ID:
		return nil
	}
	raw, _ := of.Claim("jti")
	jti, _ := raw.Text()
	err = s.recorded(ctx, caller.Owner, "revoked a token of "+caller.ID, c.Client, func(ctx context.Context) error { return s.store.RevokeToken(ctx, jti, s.now()) })
	if err == nil {
		s.sync(ctx)
	}
	return err
}
