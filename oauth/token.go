package oauth

// The token endpoint (RFC 6749 section 4.4).

import (
	"context"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
)

// Token is the response of the token endpoint.
type Token struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"` // Bearer
	Expires int64  `json:"expires_in"` // in seconds
	Scope   string `json:"scope"`
}

// Token issues an access token to a client: grant_type is client_credentials, and scope
// and resource (RFC 8707), which are optional, narrow what the token is for. Errors:
// *jotgate.Error with the Code of RFC 6749 section 5.2; that of Call.Limit;
// jotgate.ErrUnavailable.
func (s *Server) Token(ctx context.Context, c Call) (Token, error) {
	user, caller, err := s.authenticate(ctx, &c)
	if err != nil {
		return Token{}, err
	}
	grant := jotgate.Grant{Client: caller.ID, Audience: c.Form.Get("resource")}
	switch grantType := c.Form.Get("grant_type"); {
	case grantType == "":
		return Token{}, refuse(errRequest, "The parameter grant_type is missing.")
	case grantType != "client_credentials":
		return Token{}, errGrant
	case grant.Audience != "" && !slices.Contains(s.gate.Settings().Audience, grant.Audience):
		return Token{}, errTarget
	}
	if grant.Scopes, err = narrow(caller.Scopes, c.Form.Get("scope")); err != nil {
		return Token{}, err
	}
	token, expires, err := s.gate.Logins().Issue(ctx, user, grant)
	if err != nil {
		return Token{}, err
	}
	return Token{token, "Bearer", max(0, expires.Unix()-s.now().Unix()), strings.Join(grant.Scopes, " ")}, nil
}

// narrow returns the scopes that are asked for, all of which the client must have, or
// all of the client's if none is.
func narrow(has []string, asked string) (scopes []string, err error) {
	for scope := range strings.SplitSeq(asked, " ") {
		switch {
		case scope == "":
		case !slices.Contains(has, scope):
			return nil, refuse(errScope, "The client does not have the scope "+ascii(scope)+".")
		case !slices.Contains(scopes, scope):
			scopes = append(scopes, scope)
		}
	}
	if scopes == nil {
		return has, nil
	}
	return scopes, nil
}
