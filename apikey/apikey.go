// Package apikey lets programs authenticate with API keys. A key acts for an account,
// within the scopes that it was created with.
//
// The two calls to make are [New], which makes the gate accept keys, and Keys.Create:
//
//	keys, err := apikey.New(gate, db.APIKeys(), apikey.Settings{})
//	go keys.Run(ctx)
//	mux.Handle("GET /orders/", gate.RequireScope("orders:read")(orders))
//
//	created, err := keys.Create(ctx, account, apikey.Request{Name: "ci", Scopes: []string{"orders:read"}}, client)
//	fmt.Println(created.Secret) // jgk_…, which cannot be shown again
//
// The zero Settings is the safe choice: a key expires after 90 days, and after a year
// at the latest. Protect handlers with RequireScope: gate.Require alone accepts a key
// with any scope. api.Settings.APIKeys adds endpoints with which users manage their
// keys.
//
// A client sends a key as Authorization: Bearer jgk_…, as Authorization: Api-Key
// jgk_…, or as X-Api-Key: jgk_…. After New, the gate accepts keys in all its
// handlers, and so do packages api and proxy.
//
// A key has 64 characters: "jgk_", ten characters of its id, "_", 43 random ones
// (256 bits), and six of a checksum, all alphanumeric. The store keeps only its
// SHA-256 digest. A key with a wrong checksum is refused without a query to the
// database, and a valid key is cached for 5 minutes. Its revocation still takes effect
// within a second on every node, as that of a session does.
//
// A key is refused if it has expired or was revoked, if its owner is inactive or
// deleted, or if the request is not from one of its networks. It never has all rights
// of a login: jotgate's own endpoints accept a key only if it has the scope "account"
// (jotgate.ScopeAccount), and those that change the account accept no key.
package apikey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Key is an API key without its secret.
type Key struct {
	ID     string        `json:"id"` // ten alphanumeric characters, a part of the secret
	Digest string        `json:"-"`  // SHA-256 of the secret, in hexadecimal; of an imported key, Django's hash with a $
	User   record.UserID `json:"-"`  // the owner
	// Owner is the account of User if Store.Find has read it together with the key.
	// nil: the gate reads it.
	Owner    *record.Account `json:"-"`
	Name     string          `json:"name"`
	Scopes   []string        `json:"scopes"`
	Networks []netip.Prefix  `json:"networks"` // the networks from which it may be used; empty: any
	Created  time.Time       `json:"created"`
	Expires  time.Time       `json:"expires,omitzero"` // zero: never
	// Used is the time of the last use, and UsedAddress the address of its client. They
	// are exact to about a minute and a half.
	Used        time.Time `json:"last_used,omitzero"`
	UsedAddress string    `json:"last_address,omitempty"`
	// Replacement is the id of the key that Keys.Rotate has made in place of this one;
	// empty: this key was not rotated.
	Replacement string    `json:"replacement,omitempty"`
	Revoked     time.Time `json:"revoked,omitzero"` // zero: not revoked
}

// Session returns the name of the key in the revocation feed: 32 hexadecimal digits,
// from which the id cannot be computed.
func (k *Key) Session() string {
	sum := sha256.Sum256([]byte("jotgate api key " + k.ID))
	return hex.EncodeToString(sum[:16])
}

// Live reports whether the key has neither expired nor been revoked.
func (k *Key) Live(now time.Time) bool {
	return k.Revoked.IsZero() && (k.Expires.IsZero() || now.Before(k.Expires))
}

// Use is the last use of a key.
type Use struct {
	ID      string
	Time    time.Time
	Address string // of the client; empty if it has none
	// Digest, if not empty, replaces that of an imported key.
	Digest string
}

// MaxKeys is the largest number of live keys of an account.
const MaxKeys = 100

// Store keeps API keys. Every method may be called concurrently, honors its
// context's deadline and is atomic. jotgate.ErrUnavailable is the error if the
// database cannot respond. Package store implements it; package storetest tests any
// implementation.
type Store interface {
	// Find returns a key, even one that is not live, or jotgate.ErrNotFound.
	Find(ctx context.Context, id string) (*Key, error)
	// List lists the user's keys that are not revoked, newest first, at most 1000.
	List(ctx context.Context, user record.UserID) ([]Key, error)
	// Add inserts a key. The error is ErrLimit if the user has MaxKeys live ones at
	// key.Created, and jotgate.ErrTaken if there is a key with its ID.
	Add(ctx context.Context, key Key) error
	// Rotate inserts next and makes the user's key old expire at until, if that is
	// sooner. Of concurrent calls exactly one succeeds. If old is not a live key of
	// next.User at next.Created, or has a Replacement, the error is
	// jotgate.ErrNotFound. If until is not after next.Created, old is revoked.
	Rotate(ctx context.Context, old string, next Key, until time.Time) error
	// Revoke revokes a key of the user, or of any user if user is empty, and adds its
	// Session to the revocation feed. The error is jotgate.ErrNotFound if there is no
	// such key or it is revoked already.
	Revoke(ctx context.Context, user record.UserID, id string, now time.Time) error
	// Touch stores the uses, except one that is older than the stored one. If Use.Digest
	// is not empty, it replaces a stored digest that contains a $.
	Touch(ctx context.Context, uses []Use) error
	// Expiring lists at most limit live keys without a Replacement that expire
	// before a time and about which Remind has not been called.
	Expiring(ctx context.Context, now, before time.Time, limit int) ([]Key, error)
	// Remind records that the owner was reminded, and queues the message in the same
	// transaction unless it is nil. Of concurrent calls exactly one queues it.
	Remind(ctx context.Context, id string, message *record.Message) error
	// Purge deletes at most limit keys that expired or were revoked before a time.
	Purge(ctx context.Context, before time.Time, limit int) (int, error)
}
