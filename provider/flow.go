package provider

// The authorization code flow (RFC 6749 section 4.1, OpenID Connect Core section 3.1).

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/jotgate/jotgate/jwt"
)

const (
	// FlowTime is how long a user may take at the provider.
	FlowTime = 10 * time.Minute
	leeway   = time.Minute // between the clocks
	maxCode  = 4096        // bytes
)

// Flow is a sign-in that has begun. Only the browser that began it may finish it, so
// keep it in an encrypted cookie, or on the server under a secret in a cookie.
type Flow struct {
	Provider    string `json:"p"`
	State       string `json:"s"`
	Nonce       string `json:"n,omitempty"`
	Verifier    string `json:"v"` // of PKCE (RFC 7636)
	RedirectURL string `json:"r"`
	Start       int64  `json:"t"`           // Unix seconds
	Again       bool   `json:"a,omitempty"` // the provider was asked to authenticate the user again
}

// Begin returns the address to which the browser is redirected, and the flow to finish
// when the provider sends the browser back to redirectURL, which must be registered
// there. If again is true, the provider is asked to authenticate the user even if the
// browser is signed in there. The reason of an error is Unavailable or Invalid.
func (p *Provider) Begin(ctx context.Context, redirectURL string, again bool) (address string, f Flow, err error) {
	m, err := p.metadata(ctx)
	if err != nil {
		return "", f, err
	}
	f = Flow{
		Provider: p.settings.ID, State: random(), Verifier: oauth2.GenerateVerifier(), RedirectURL: redirectURL, Start: p.settings.Now().Unix(), Again: again,
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier)}
	add := func(name, value string) { options = append(options, oauth2.SetAuthURLParam(name, value)) }
	if m.idTokens != nil {
		f.Nonce = random()
		add("nonce", f.Nonce)
		if again {
			add("prompt", "login")
			add("max_age", "0")
		}
	}
	if p.kind.formPost {
		add("response_mode", "form_post")
	}
	return p.config(m, redirectURL).AuthCodeURL(f.State, options...), f, nil
}

// FormPost reports whether the provider sends the browser back with a POST (form_post),
// as Apple does. The request then has no cookies with SameSite=Lax, so the flow must be
// in another one.
func (p *Provider) FormPost() bool { return p.kind.formPost }

// random returns 256 random bits.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Finish exchanges the code in the parameters of a callback and verifies the identity of
// the user. The caller makes sure that each flow is finished once. Every error is an
// *Error.
func (p *Provider) Finish(ctx context.Context, f Flow, callback url.Values) (Verified, error) {
	m, err := p.metadata(ctx)
	if err != nil {
		return Verified{}, err
	}
	if err := p.checkCallback(m, &f, callback); err != nil {
		return Verified{}, err
	}
	token, err := p.exchange(ctx, m, &f, callback.Get("code"))
	if err != nil {
		return Verified{}, err
	}
	claims, err := p.claimsOf(ctx, m, &f, token)
	if err != nil {
		return Verified{}, err
	}
	identity, err := p.identity(claims)
	if err != nil {
		return Verified{}, err
	}
	if p.kind.formPost {
		identity.addAppleName(callback.Get("user"))
	}
	return Verified{&identity}, nil
}

// checkCallback checks the parameters of a callback before any request is made.
func (p *Provider) checkCallback(m *metadata, f *Flow, callback url.Values) error {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(callback[name]) > 1 { // RFC 6749 section 3.1
			return invalid("the callback has " + name + " more than once")
		}
	}
	age := p.settings.Now().Sub(time.Unix(f.Start, 0))
	issuer, sent := callback.Get("iss"), callback.Has("iss")
	switch {
	case f.Provider != p.settings.ID:
		return invalid("the flow began with another provider")
	case f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(callback.Get("state"))) != 1:
		return invalid("the state is not that of the flow")
	case age > FlowTime || age < -leeway:
		return failed(Expired, fmt.Errorf("the flow began %v ago", age))
	case m.sendsIssuer && !sent, sent && p.settings.Issuer != "" && !p.isIssuer(issuer):
		return invalid("the callback has another issuer")
	case callback.Has("error"):
		return p.refusal(callback.Get("error"))
	case callback.Get("code") == "" || len(callback.Get("code")) > maxCode:
		return invalid("the callback has no code")
	}
	return nil
}

// isIssuer reports whether the iss of a callback is the provider. Microsoft's names
// the tenant of the user.
func (p *Provider) isIssuer(iss string) bool {
	if p.hasTenants() && p.settings.Tenant == "" {
		before, after, _ := strings.Cut(p.settings.Issuer, "common")
		tenant, ok := strings.CutPrefix(iss, before)
		tenant, ok2 := strings.CutSuffix(tenant, after)
		return ok && ok2 && validTenant.MatchString(tenant)
	}
	return iss == p.settings.Issuer
}

// refusal returns the error for the parameter error (RFC 6749 section 4.1.2.1).
func (p *Provider) refusal(code string) error {
	code = clean(code, 64)
	switch code {
	case "access_denied", "user_cancelled_authorize", "user_cancelled_login", "login_required", "interaction_required", "consent_required":
		return failed(Denied, errors.New(code))
	case "server_error", "temporarily_unavailable":
		return failed(Unavailable, errors.New(code))
	}
	return invalid("the provider refused: " + code)
}

// exchange exchanges the code for tokens.
func (p *Provider) exchange(ctx context.Context, m *metadata, f *Flow, code string) (*oauth2.Token, error) {
	config := p.config(m, f.RedirectURL)
	if p.apple != nil {
		secret, err := p.appleSecret()
		if err != nil {
			return nil, failed(Invalid, err)
		}
		config.ClientSecret = secret
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, p.client), timeout)
	defer cancel()
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if refused := new(oauth2.RetrieveError); errors.As(err, &refused) {
		if refused.Response != nil && refused.Response.StatusCode >= 500 {
			return nil, failed(Unavailable, fmt.Errorf("the token endpoint: %d", refused.Response.StatusCode))
		}
		return nil, invalid("the code was refused: " + clean(refused.ErrorCode, 64))
	} else if err != nil {
		return nil, failed(Unavailable, err)
	}
	return token, nil
}

// claimsOf returns the claims of the ID token and, if that lacks an address or groups, those
// of the endpoint that describes the user.
func (p *Provider) claimsOf(ctx context.Context, m *metadata, f *Flow, token *oauth2.Token) (claims, error) {
	if m.idTokens == nil {
		return p.describe(ctx, m, token.AccessToken)
	}
	text, _ := token.Extra("id_token").(string)
	if text == "" {
		return claims{}, failed(Invalid, errNoIDToken)
	}
	c, err := p.verifyIDToken(m, f, text)
	if err != nil || m.userInfoURL == "" || pathOf(c.token, p.claim("email")) != "" && (!p.MapsRights() || valuesAt(c.token, p.claim("groups")) != nil) {
		return c, err
	}
	if c.info, err = p.get(ctx, m.userInfoURL, token.AccessToken); err != nil {
		return c, err
	}
	// Section 5.3.2: otherwise it may describe another user.
	if textOf(c.info, "sub") != textOf(c.token, "sub") {
		return c, invalid("the user information is about another subject")
	}
	return c, nil
}

// verifyIDToken checks an ID token as section 3.1.3.7 says.
func (p *Provider) verifyIDToken(m *metadata, f *Flow, text string) (claims, error) {
	token, err := m.idTokens.Verify(text)
	if err != nil {
		return claims{}, tokenError("the ID token", err)
	}
	c := claims{token: token.Payload()}
	if err := p.checkIDToken(&token, []string{p.settings.ClientID}, f.Nonce); err != nil {
		return c, err
	}
	if value, sent := token.Claim("auth_time"); sent && f.Again { // some providers ignore prompt and max_age
		if at, ok := value.Int(); !ok || at < f.Start-int64(leeway/time.Second) {
			return c, invalid("the provider did not authenticate the user again")
		}
	}
	return c, nil
}

// checkIDToken checks the claims of an ID token, whose signature, issuer, audience and
// times are verified, that was issued to one of clients for a nonce.
func (p *Provider) checkIDToken(token *jwt.Token[jwt.Raw], clients []string, nonces ...string) error {
	payload := token.Payload()
	azp, sent := textOf(payload, "azp"), textOf(payload, "nonce")
	right := slices.ContainsFunc(nonces, func(nonce string) bool {
		return nonce != "" && subtle.ConstantTimeCompare([]byte(nonce), []byte(sent)) == 1
	})
	switch {
	case !right:
		return invalid("the ID token has another nonce")
	case len(token.Audience()) > 1 && azp == "", azp != "" && !slices.Contains(clients, azp):
		return invalid("the ID token was issued to another client (azp)")
	case p.settings.Now().Sub(time.Unix(token.IssuedAt, 0)) > FlowTime+leeway:
		return invalid("the ID token is too old")
	}
	return p.checkTenant(token)
}

// checkTenant compares the issuer with the tenant, for Microsoft's common endpoint.
func (p *Provider) checkTenant(token *jwt.Token[jwt.Raw]) error {
	if !p.hasTenants() {
		return nil
	}
	tenant := textOf(token.Payload(), "tid")
	if p.settings.Tenant != "" && tenant != p.settings.Tenant || !validTenant.MatchString(tenant) ||
		token.Issuer != strings.Replace(presets["microsoft"].issuer, "/common/", "/"+tenant+"/", 1) {
		return invalid("the ID token is of another tenant")
	}
	return nil
}

// describe returns what an OAuth 2 provider says about the user.
func (p *Provider) describe(ctx context.Context, m *metadata, token string) (c claims, err error) {
	if c.info, err = p.get(ctx, m.userInfoURL, token); err != nil || p.kind.emailsURL == "" {
		return c, err
	}
	address := m.userInfoURL + "/emails"
	if p.own {
		address = p.kind.emailsURL
	}
	list, err := p.get(ctx, address, token)
	if err != nil {
		return c, err
	}
	elements, _ := list.Elements()
	if i := slices.IndexFunc(elements, func(e jwt.Raw) bool { return textOf(e, "primary") == "true" }); i >= 0 {
		c.emails = elements[i]
	}
	return c, nil
}
