package jotgate

import (
	"encoding/json"

	"github.com/jotgate/jotgate/record"
)

// pageCookie is the content of a page cookie: authenticated and encrypted, so
// that neither the user nor a log of the traffic reads it.
type pageCookie struct {
	Session  string        `json:"sid"`
	JTI      string        `json:"jti"`
	User     record.UserID `json:"id"` // the account's key
	Username string        `json:"name"`
	Email    string        `json:"email"`
	Role     Role          `json:"role"`
	AuthTime int64         `json:"auth_time"`
	AMR      string        `json:"amr,omitempty"`
	ACR      string        `json:"acr,omitempty"`
	Issued   int64         `json:"iat"`
	Expires  int64         `json:"exp"`  // of this cookie
	End      int64         `json:"end"`  // of the session
	Seen     int64         `json:"seen"` // when the use of the session was last recorded
	Keep     bool          `json:"keep,omitempty"`
	Actor    record.UserID `json:"act,omitempty"`  // who acts for the user
	Back     string        `json:"back,omitempty"` // with Actor, the path to return to
}

// pagePurpose separates the key of the page cookies from those derived for
// other purposes.
const pagePurpose = "jotgate page session v1"

// actorPurpose is that of cookies with an Actor: a version that does not know of it
// cannot open them.
const actorPurpose = "jotgate impersonation v1"

// sealPage encrypts a cookie.
func sealPage(g *Gate, c *pageCookie) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("jotgate: " + err.Error()) // unreachable: strings and numbers
	}
	purpose := pagePurpose
	if c.Actor != "" {
		purpose = actorPurpose
	}
	sealed, err := g.keys.Seal(text, "page", purpose)
	if err != nil {
		panic("jotgate: " + err.Error()) // unreachable: the lengths are fixed
	}
	return sealed
}

// openPage decrypts a cookie that the secret, or a fallback, sealed.
func openPage(g *Gate, cookie string) (*pageCookie, bool) {
	for _, purpose := range [...]string{pagePurpose, actorPurpose} {
		if text, ok := g.keys.Open(cookie, "page", purpose); ok {
			c := new(pageCookie)
			return c, json.Unmarshal(text, c) == nil && (c.Actor != "") == (purpose == actorPurpose)
		}
	}
	return nil, false
}
