package jotgate

// Logins of single-page and mobile applications with a provider: the browser signs in
// on the pages and returns to the application with a code, which that exchanges.

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

const (
	appCodePurpose = "jotgate provider code"
	// appCodeTime is how long an application has to exchange a code.
	appCodeTime = time.Minute
)

// An appCode is the content of a code for an application. It is sealed.
type appCode struct {
	ID          string            `json:"id"`
	Identity    provider.Identity `json:"i"`
	At          int64             `json:"a"` // when the provider was asked, in Unix microseconds
	RedirectURI string            `json:"r"`
	Challenge   string            `json:"c"`
	Expires     int64             `json:"e"` // Unix seconds
	Ended       *int64            `json:"n"` // of Gate.lastEnding
}

// checkAppRedirects reports an entry of Settings.AppRedirects that is neither an origin
// nor a scheme. A scheme of an application contains a dot, so that it is not one of a
// browser's (RFC 8252 section 7.1).
func (g *Gate) checkAppRedirects() error {
	for _, entry := range g.settings.AppRedirects {
		scheme, isScheme := strings.CutSuffix(entry, ":")
		u, err := url.Parse(entry)
		switch {
		case isScheme && strings.Contains(scheme, ".") && err == nil && u.Scheme == scheme:
		case err == nil && u.Host != "" && entry == u.Scheme+"://"+u.Host && (u.Scheme == "https" || u.Scheme == "http" && isLoopbackHost(u.Hostname())):
		default:
			return fmt.Errorf("jotgate: AppRedirects: %q is neither an origin such as https://app.example.com, nor a scheme with a dot and a colon such as \"com.example.app:\"", entry)
		}
	}
	return nil
}

func isLoopbackHost(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// CheckApp returns nil if an application may log users in with these values. Errors:
// 400 (field redirect_uri, code_challenge or state); ErrNotFound if
// Settings.AppRedirects is empty.
func (ps Providers) CheckApp(app ProviderApp) error {
	digest, err := base64.RawURLEncoding.Strict().DecodeString(app.Challenge)
	switch {
	case len(ps.gate.settings.AppRedirects) == 0:
		return ErrNotFound
	case !ps.isApp(app.RedirectURI):
		return fieldError("redirect_uri", "This address is not one of an application of this site.")
	case err != nil || len(digest) != sha256.Size:
		return fieldError("code_challenge", "Not a valid string.")
	case len(app.State) > 256 || strings.ContainsFunc(app.State, isOutsideURL):
		return fieldError("state", "Not a valid string.")
	}
	return nil
}

// isOutsideURL reports a character that a URL cannot contain, or that browsers and
// parsers read differently.
func isOutsideURL(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// isApp reports whether an address may receive codes. It is the only place that decides
// this.
func (ps Providers) isApp(address string) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 512 || strings.ContainsFunc(address, isOutsideURL) || strings.Contains(address, "#") || u.User != nil || u.Opaque != "" {
		return false
	}
	query := u.Query()
	if query.Has("code") || query.Has("state") || query.Has("error") {
		return false
	}
	return slices.ContainsFunc(ps.gate.settings.AppRedirects, func(entry string) bool {
		if strings.HasSuffix(entry, ":") {
			return u.Scheme+":" == entry
		}
		// Programs on a desktop listen at any port of a loopback address (RFC 8252
		// section 7.3).
		anyPort := u.Scheme == "http" && (entry == "http://127.0.0.1" && u.Hostname() == "127.0.0.1" || entry == "http://[::1]" && u.Hostname() == "::1")
		return u.Scheme+"://"+u.Host == entry || anyPort
	})
}

// AppCode returns the address that sends the browser back to the application for which
// the login l began. The address has a code, which Exchange accepts once within a
// minute. Errors: ErrNotConnected if no account here is connected; those of CheckApp,
// because the settings may have changed; ErrUnavailable.
func (ps Providers) AppCode(ctx context.Context, l *ProviderLogin) (address string, err error) {
	app := l.Use.App
	if app == nil {
		return "", ErrNotFound
	}
	if err := ps.CheckApp(*app); err != nil {
		return "", err
	}
	row, err := ps.gate.db.SocialAccounts().FindSocial(ctx, l.identity.Provider, l.identity.UID)
	if errors.Is(err, ErrNotFound) {
		return "", ErrNotConnected
	} else if err != nil {
		return "", err
	}
	ended, err := ps.gate.lastEnding(ctx, &record.Account{ID: row.User})
	if err != nil {
		return "", err
	}
	c := appCode{
		ID: randomHex(), Identity: l.identity, At: l.at.UnixMicro(), RedirectURI: app.RedirectURI, Challenge: app.Challenge,
		Expires: ps.gate.now().Add(appCodeTime).Unix(), Ended: ended,
	}
	c.Identity.Claims = "" // extra_data stays as it is: the code is part of an address
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	code, err := ps.gate.keys.Seal(plain, "code", appCodePurpose)
	return app.address("code", code), err
}

// Exchange verifies the code of AppCode that an application presents. verifier is the
// code_verifier for the challenge, and redirectURI that of the request. Pass the Proof
// of the result to Logins.Begin: a second factor may still be needed. A code is
// accepted once, also if several requests present it concurrently. Errors: 403 with the
// code provider_expired or provider_invalid, which are recorded as the event
// provider_refused; ErrNotFound if Settings.AppRedirects is empty; ErrUnavailable.
func (ps Providers) Exchange(ctx context.Context, code, verifier, redirectURI string, client Client) (*ProviderLogin, error) {
	if len(ps.gate.settings.AppRedirects) == 0 {
		return nil, ErrNotFound
	}
	c := new(appCode)
	l, err := ps.exchange(ctx, c, code, verifier, redirectURI)
	if err != nil {
		ps.refused(ctx, c.Identity.Provider, "", err, client)
		return nil, refusedFlow(err)
	}
	return l, nil
}

func (ps Providers) exchange(ctx context.Context, c *appCode, code, verifier, redirectURI string) (*ProviderLogin, error) {
	plain, ok := ps.gate.keys.Open(code, "code", appCodePurpose)
	if !ok {
		return nil, ErrLoginNotValid.Because(errors.New("the code is not valid"))
	}
	if err := json.Unmarshal(plain, c); err != nil {
		return nil, ErrLoginNotValid.Because(err)
	}
	digest := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(digest[:])
	expires := time.Unix(c.Expires, 0)
	switch {
	case !ps.gate.now().Before(expires):
		return nil, ErrLoginNotValid.Because(errors.New("the code has expired"))
	case c.RedirectURI != redirectURI:
		return nil, errors.New("the code was sent to another redirect_uri")
	case !hmac.Equal([]byte(challenge), []byte(c.Challenge)):
		return nil, errors.New("the code_verifier is not that of the code_challenge")
	}
	p, err := ps.find(c.Identity.Provider)
	if err != nil {
		return nil, errors.New("the provider is not in the settings any more")
	}
	// A wrong verifier does not use up the code: without the right one it is of no use.
	if err := ps.gate.db.SocialAccounts().SpendOnce(ctx, record.Spent{ID: "code " + c.ID, Expires: expires.Add(time.Hour)}); err != nil {
		return nil, err
	}
	return &ProviderLogin{identity: c.Identity, name: p.Name(), at: time.UnixMicro(c.At), ended: c.Ended}, nil
}
