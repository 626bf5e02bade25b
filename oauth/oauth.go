// Package oauth provides service accounts: OAuth clients that get access tokens for
// themselves (RFC 6749 section 4.4). A service account is a row of the user table with
// Django's groups and permissions, but without a usable password, so no person can log in
// with it.
//
// The two calls to make are [New], whose result is passed to package api, and
// Server.Create:
//
//	server := oauth.New(gate, db.Clients())
//	endpoints, err := api.New(gate, api.Settings{OAuth: server}) // serves /o/token/
//
//	created, err := server.Create(ctx, oauth.Request{Name: "billing", Scopes: []string{"orders:read"}}, client)
//	fmt.Println(created.ID, created.Secret) // the secret cannot be shown again
//
// A client authenticates with a secret, of which the store keeps only the SHA-256 digest,
// or with a private key, which is the safe choice: it never leaves the client
// (Request.Keys). Gates and guards accept the tokens like other access tokens with scopes;
// protect handlers with RequireScope.
package oauth

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Client is a program that gets access tokens.
type Client struct {
	ID      string        `json:"client_id"`
	Name    string        `json:"name"` // the username of the service account
	User    record.UserID `json:"user_id"`
	Scopes  []string      `json:"scopes"`
	Created time.Time     `json:"created"`
	// Disabled is when the client was disabled; zero: it is not.
	Disabled time.Time `json:"disabled,omitzero"`
	// FormerUntil is when the secret before the last rotation stops working. Zero: there
	// is none.
	FormerUntil time.Time `json:"former_secret_until,omitzero"`
	// Keys is the JWK Set that verifies the client's assertions. A client has either
	// keys or secrets.
	Keys string `json:"-"`

	Secret       string `json:"-"` // SHA-256, in hexadecimal
	FormerSecret string `json:"-"` // of the secret before the last rotation
	Session      string `json:"-"` // the claim sid of its tokens: 32 hexadecimal digits
}

// Method returns how the client authenticates: with its secret or private_key_jwt.
func (c *Client) Method() string {
	if c.Keys != "" {
		return privateKey
	}
	return secretBasic
}

// Change is a change of a client. Fields that are nil stay as they are. Make it with
// NewChange.
type Change struct {
	Scopes []string
	// Secret is the digest of a new secret. The current one becomes the former secret,
	// which works until FormerUntil.
	Secret      *string
	FormerUntil time.Time
	Keys        *string // a JWK Set, which replaces the secrets
	Disabled    *bool
	// Session is the new Client.Session. The former one is revoked, so that tokens that
	// were issued are refused. Empty: they stay valid.
	Session string
	Now     time.Time
}

// Store keeps clients. Every method may be called concurrently, honors its context's
// deadline and is atomic. jotgate.ErrUnavailable is the error if the database cannot
// respond. Package store implements it; package storetest tests any implementation.
type Store interface {
	// Find returns a client, even a disabled one, or jotgate.ErrNotFound.
	Find(ctx context.Context, id string) (*Client, error)
	// List lists all clients in the order of their names, at most 1000.
	List(ctx context.Context) ([]Client, error)
	// Create inserts the service account and the client, and sets c.User. The error is
	// jotgate.ErrTaken if the account's username is taken.
	Create(ctx context.Context, c *Client, account *record.Account) error
	// Change changes a client. The error is jotgate.ErrNotFound if there is none, and
	// ErrRotating if change has a Secret and the client's former secret still works.
	Change(ctx context.Context, id string, change Change) error
	// Spend records that something was used, such as the jti of an assertion, until it
	// expires. The error is jotgate.ErrTaken if it was used before.
	Spend(ctx context.Context, id string, expires time.Time) error
	// RevokeToken revokes the token with this jti: 32 hexadecimal digits.
	RevokeToken(ctx context.Context, jti string, now time.Time) error
}
