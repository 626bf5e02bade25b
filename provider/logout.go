package provider

// Logout: by the provider (OpenID Connect Back-Channel Logout 1.0) and at the provider
// (OpenID Connect RP-Initiated Logout 1.0).

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

const (
	// logoutEvent is the member of the claim events that makes a token a logout
	// token (section 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// maxLogoutAge is the age up to which a logout token is accepted, whatever its
	// exp: so long must its jti be remembered.
	maxLogoutAge = 5 * time.Minute
	// maxLogoutToken is the length of a logout token, in bytes.
	maxLogoutToken = 16 << 10
)

// Origin identifies the session at an OpenID Connect provider in which an ID token was
// issued, so that a logout token for it can be recognized. Subject is a digest of the
// provider's ID and the claim sub, and Session one of the provider's ID and the claim
// sid: 43 characters each. Session is empty if the provider sent no sid. Both are empty
// for a provider without OpenID Connect.
type Origin struct{ Subject, Session string }

// origin returns the origin of a token of the provider.
func (p *Provider) origin(token jwt.Raw) (o Origin) {
	if sub := textOf(token, "sub"); sub != "" {
		o.Subject = p.digest("sub", sub)
	}
	if sid := textOf(token, "sid"); sid != "" {
		o.Session = p.digest("sid", sid)
	}
	return o
}

// digest returns a digest of a value of a claim of this provider.
func (p *Provider) digest(claim, value string) string {
	sum := sha256.Sum256([]byte(p.settings.ID + "\n" + claim + "\n" + value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Logout is a verified logout token.
type Logout struct {
	// Origin is what ends: the session at the provider, or all sessions of the
	// subject if Session is empty.
	Origin
	// ID is a digest of the token's jti. The caller makes sure that it is used once
	// before Expires.
	ID      string
	Expires time.Time
}

// VerifyLogout verifies a logout token (OpenID Connect Back-Channel Logout 1.0, section
// 2.6). The caller makes sure that each is used once (Logout.ID). Every error is an
// *Error.
func (p *Provider) VerifyLogout(ctx context.Context, text string) (l Logout, err error) {
	if len(text) > maxLogoutToken {
		return l, invalid("the logout token is too long")
	}
	m, err := p.metadata(ctx)
	if err != nil {
		return l, err
	}
	if m.logoutTokens == nil {
		return l, invalid("a provider without OpenID Connect sends no logout tokens")
	}
	token, err := m.logoutTokens.Verify(text)
	if err != nil {
		return l, tokenError("the logout token", err)
	}
	payload := token.Payload()
	events, _ := payload.Member("events")
	event, _ := events.Member(logoutEvent)
	_, nonce := payload.Member("nonce")
	l = Logout{Origin: p.origin(payload), ID: p.digest("jti", textOf(payload, "jti"))}
	issued := time.Unix(token.IssuedAt, 0)
	l.Expires = issued.Add(maxLogoutAge + 2*leeway)
	switch {
	case len(event) == 0 || event[0] != '{':
		return l, invalid("the token is not a logout token")
	case nonce:
		return l, invalid("the logout token has a nonce, like an ID token")
	case l.Subject == "" && l.Session == "":
		return l, invalid("the logout token names neither a user nor a session")
	case p.settings.Now().Sub(issued) > maxLogoutAge+leeway:
		return l, invalid("the logout token is too old")
	}
	return l, p.checkTenant(&token)
}

// tokenError returns the error for a token that was not verified.
func tokenError(what string, err error) error {
	reason := Invalid
	if errors.Is(err, jwt.ErrNoKeys) {
		reason = Unavailable
	}
	if e := new(jwt.Error); errors.As(err, &e) {
		err = errors.New(what + ": " + e.Error() + ": " + e.Detail())
	}
	return &Error{reason, err}
}

// LogoutURL returns the address to which a browser is redirected to end the user's
// session at the provider (OpenID Connect RP-Initiated Logout 1.0). The provider sends it
// back to returnTo. LogoutURL returns "" without Settings.Logout, if the provider has no
// such address, and if it cannot be reached.
func (p *Provider) LogoutURL(ctx context.Context, returnTo string) string {
	if !p.settings.Logout {
		return ""
	}
	m, err := p.metadata(ctx)
	if err != nil || m.endSessionURL == "" {
		return ""
	}
	u, err := url.Parse(m.endSessionURL)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", p.settings.ClientID)
	query.Set("post_logout_redirect_uri", returnTo)
	u.RawQuery = query.Encode()
	return u.String()
}
