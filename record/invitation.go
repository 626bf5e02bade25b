package record

import (
	"context"
	"time"
)

// Invitation allows the owner of an e-mail address to create an account, even if sign-up
// is closed: a row of jotgate_invitation. An address has at most one.
type Invitation struct {
	ID      int64     `json:"id"`
	Email   string    `json:"email"`
	Groups  []int64   `json:"groups"`     // ids of the groups of the new account
	By      UserID    `json:"invited_by"` // the administrator; empty: an operator by command
	Nonce   string    `json:"-"`          // random; the link is derived from it
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Invitations is an optional interface of Addresses, for a Store that keeps invitations.
type Invitations interface {
	// FindInvitation returns the invitation with this id or, if id is 0, that of the
	// address. The error is jotgate.ErrNotFound if there is none or it has expired.
	FindInvitation(ctx context.Context, id int64, email string, now time.Time) (*Invitation, error)
	// AcceptInvitation deletes the invitation and creates the account, with a verified
	// address and in those of the groups that still exist, in one transaction. Errors:
	// jotgate.ErrNotFound if the invitation has expired, or was accepted, revoked or
	// replaced by a newer one; those of Accounts.Create.
	AcceptInvitation(ctx context.Context, which *Invitation, a *Account, now time.Time) error
}
