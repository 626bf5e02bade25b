package jotgate

// The client of a request.

import (
	"context"
	"strings"

	"github.com/jotgate/jotgate/record"
)

// Client describes the client of a request, for the list of sessions and the audit
// trail. The zero Client is allowed; then these do not show the origin of a login.
type Client struct {
	Address   string // without a port
	UserAgent string
	Endpoint  string // the route of the request, for the audit trail
	// Actor is the result of User.Actor for the request. Events name it.
	Actor record.UserID
	// Browser means that the client keeps a pending login in a cookie, and not in its
	// scripts. A login that began with Browser can only be continued with it, and one
	// that began without it only without it.
	Browser bool
	// Session is the user's session in which the request is made. Providers.Disconnect
	// does not end it.
	Session string
	// TrustedBrowser is the value of LoginState.TrustedBrowser that this browser
	// has kept, if any. See Settings.TrustedBrowser.
	TrustedBrowser string
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

type languageKey struct{}

// WithLanguage returns a context for a request in this language, a tag such as pt-BR.
// E-mails that the request causes are in this language, if there are templates for it.
// Without it, e-mails are in mail.Settings.Language. The language must be one of a
// fixed list, since it is stored: do not pass a header of the client.
func (Accounts) WithLanguage(ctx context.Context, language string) context.Context {
	return context.WithValue(ctx, languageKey{}, cut(language, 64))
}

// languageOf returns the language of a request, or "".
func languageOf(ctx context.Context) string {
	language, _ := ctx.Value(languageKey{}).(string)
	return language
}
