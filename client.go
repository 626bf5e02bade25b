package jotgate

// The client of a request.

import (
	"strings"

	"github.com/jotgate/jotgate/record"
)

// Client describes the client of a request, as the session list and the audit
// trail show it.
type Client struct {
	Address   string // without a port
	UserAgent string
	Endpoint  string // the route of the request, for the audit trail
	// Actor is User.Actor of the request, which events then name.
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
