package jotgate

// The client of a request.

import (
	"context"
	"strings"

	"github.com/jotgate/jotgate/record"
)

// Client describes the client of a request, as the session list and the audit
// trail show it.
type Client struct {
	Address   string // without a port
	UserAgent string
	Endpoint  string // the route of the request, for the audit trail
	// Actor is the result of User.Actor for the request, which events then name.
	Actor record.UserID
	// Browser says that the client keeps a pending login in a cookie. Such a login
	// cannot be continued by a client that sends it in the body of a request, nor
	// the other way round.
	Browser bool
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

// WithLanguage returns a context whose requests are made in a language, a tag such
// as pt-BR: the e-mails that they cause are written in it, if there are texts.
// Without it the language of e-mails is mail.Settings.Language. The language must be
// one of a list: a request must not choose what is stored.
func (Accounts) WithLanguage(ctx context.Context, language string) context.Context {
	return context.WithValue(ctx, languageKey{}, cut(language, 64))
}

// languageOf returns the language of a request, or "".
func languageOf(ctx context.Context) string {
	language, _ := ctx.Value(languageKey{}).(string)
	return language
}
