package admin

// Actions on invitations.

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// invitationTime is how long an invitation can be accepted.
const invitationTime = 7 * 24 * time.Hour

var errNoOutbox = &jotgate.Error{Status: 400, Detail: "This site sends no e-mails, or does not keep its own accounts."}

// checkInvited returns the address to invite. It must not be that of a user.
func checkInvited(a *Admin, ctx context.Context, _ string, in Fields) (any, error) {
	email, err := readEmail(in.text("email"))
	switch {
	case err != nil:
		return nil, err
	case email == "":
		return nil, refuse("email", "This field is required.")
	}
	accounts, err := a.gate.Store().Accounts().ByEmail(ctx, email)
	if err == nil && slices.ContainsFunc(accounts, func(u *record.Account) bool { return strings.EqualFold(u.Email, email) }) {
		err = refuse("email", "A user with this address exists already.")
	}
	return email, err
}

func invitationAdd(c *change) error {
	ids, names, err := c.invitedGroups()
	if err != nil {
		return err
	}
	i := &record.Invitation{Email: c.ready.(string), Groups: ids, By: c.who.id(), Created: c.now}
	renew(i, c.now)
	if err := c.tx.System.AddInvitation(c.ctx, i); err != nil {
		return err
	}
	c.target = strconv.FormatInt(i.ID, 10)
	c.result.Target, c.event.Target = c.target, "invitation "+c.target
	c.set("email", nil, i.Email)
	c.set("groups", []string{}, names)
	return c.sendInvitation(i)
}

// renew makes another link, which replaces an earlier one.
func renew(i *record.Invitation, now time.Time) {
	i.Nonce, i.Expires = rand.Text(), now.Add(invitationTime)
}

// invitedGroups reads the groups. Their permissions must be rights of the actor's.
func (c *change) invitedGroups() (ids []int64, names []string, err error) {
	if ids, err = c.in.ids("groups"); err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		g, err := c.tx.Groups.Find(c.ctx, id)
		if err != nil {
			return nil, nil, refuse("groups", "Select a valid choice. "+strconv.FormatInt(id, 10)+" is not one of the available choices.")
		}
		if err := c.who.grants("groups", g.Permissions); err != nil {
			return nil, nil, err
		}
		names = append(names, g.Name)
	}
	return append([]int64{}, ids...), append([]string{}, names...), nil
}

// sendInvitation queues the e-mail with the link, in the transaction.
func (c *change) sendInvitation(i *record.Invitation) error {
	_, keeps := c.gate.Store().Addresses().(record.Invitations)
	if c.gate.Store().Outbox() == nil || c.gate.Settings().Users != nil || !keeps {
		return errNoOutbox
	}
	return c.tx.System.AddMessage(c.ctx, record.Message{
		Kind: record.MessageInvitation, To: i.Email, Detail: i.Expires.UTC().Format("2006-01-02 15:04 MST"), Created: c.now,
	})
}

// invitation finds the invitation that is the target. What it gives must be a right of
// the actor's.
func (c *change) invitation() (*record.Invitation, error) {
	id, err := c.number()
	if err != nil {
		return nil, err
	}
	i, err := c.tx.System.Invitation(c.ctx, id)
	if err != nil {
		return nil, err
	}
	c.event.Target = "invitation " + c.target
	for _, id := range i.Groups {
		if g, err := c.tx.Groups.Find(c.ctx, id); err == nil && c.who.grants("groups", g.Permissions) != nil {
			return nil, jotgate.ErrForbidden
		}
	}
	return i, nil
}

func invitationResend(c *change) error {
	i, err := c.invitation()
	if err != nil {
		return err
	}
	before := i.Expires
	renew(i, c.now)
	c.set("expires", before, i.Expires)
	if err := c.tx.System.RenewInvitation(c.ctx, i); err != nil {
		return err
	}
	return c.sendInvitation(i)
}

func invitationRevoke(c *change) error {
	i, err := c.invitation()
	if err != nil {
		return err
	}
	c.set("email", i.Email, nil)
	return c.tx.System.DropInvitation(c.ctx, i.ID)
}
