package record

import (
	"context"
	"time"
)

// Invitation lets the owner of an e-mail address create an account, although sign-up
// may be closed: a row of jotgate_invitation, one for an address.
type Invitation struct {
	ID      int64     `json:"id"`
	Email   string    `json:"email"`
	Groups  []int64   `json:"groups"`     // of the new account
	By      UserID    `json:"invited_by"` // empty: an operator
	Nonce   string    `json:"-"`          // random; the link is made from it
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Invitations is implemented by the Addresses of a Store that keeps invitations.
type Invitations interface {
	// FindInvitation returns the invitation with this id, or that of the address if id
	// is 0, unless it has expired. The error is jotgate.ErrNotFound.
	FindInvitation(ctx context.Context, id int64, email string, now time.Time) (*Invitation, error)
	// AcceptInvitation deletes the invitation and creates the account, with the verified
	// address and in those of the groups that still exist, in one transaction. Errors:
	// jotgate.ErrNotFound if the invitation was accepted, revoked or replaced by
	// another link, or has expired; those of Accounts.Create.
	AcceptInvitation(ctx context.Context, which *Invitation, a *Account, now time.Time) error
}
