package record

import (
	"context"
	"time"
)

// LoginCode is a code to log in with, which was requested for an e-mail address: a row
// of jotgate_login_code. An address has at most one. The code is not stored: it is
// derived from ID with the secret key.
type LoginCode struct {
	Address string // digest of the address, at most 64 characters
	ID      string // random; part of the pending login of the client that requested the code
	User    UserID // empty if no account can log in with the address
	Expires time.Time
	// Interval is the minimum time between the Expires of the earlier code of the
	// address and that of a new one. It is not stored.
	Interval time.Duration
}

// LoginCodes is an optional interface of Addresses, for a Store that keeps login codes.
type LoginCodes interface {
	// AddLoginCode inserts the code, which replaces the earlier one of the address, and
	// the message in the outbox, in one transaction. The error is jotgate.ErrNotFound
	// if the earlier code expires less than Interval before the new one.
	AddLoginCode(ctx context.Context, code LoginCode, message Message) error
	// FindLoginCode returns the code of the address if it has not expired, or
	// jotgate.ErrNotFound.
	FindLoginCode(ctx context.Context, address string, now time.Time) (*LoginCode, error)
	// TryLoginCode counts an attempt to use a code before it is compared, in one
	// conditional statement, and returns the code's user. The error is
	// jotgate.ErrNotFound if the code with this id has expired, was replaced by a
	// newer one, or has had limit attempts.
	TryLoginCode(ctx context.Context, address, id string, limit int, now time.Time) (UserID, error)
}
