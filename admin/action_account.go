package admin

// Actions on a user that change its state and not its fields.

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// errUnneeded is returned by an action that has nothing to do. A job counts such
// users; for a single one it is an error.
var errUnneeded = &jotgate.Error{Status: 400, Code: "unneeded", Detail: "There is nothing to do: it is so already."}

func userActivate(c *change, u *adminstore.User) error { return c.setActive(u, true) }

func userDeactivate(c *change, u *adminstore.User) error { return c.setActive(u, false) }

func (c *change) setActive(u *adminstore.User, active bool) error {
	if u.IsActive == active {
		return errUnneeded
	}
	if err := c.tx.Users.Change(c.ctx, u.ID, record.Change{IsActive: &active, At: c.now}); err != nil {
		return err
	}
	c.set("is_active", u.IsActive, active)
	c.log(adminstore.LogChange, "user", string(u.ID), u.Username, djangoChanged([]string{"Active"}))
	return nil
}

func userDelete(c *change, u *adminstore.User) error {
	if err := c.tx.Users.Delete(c.ctx, u.ID); err != nil {
		return err
	}
	c.set("username", u.Username, nil)
	c.set("email", u.Email, nil)
	c.log(adminstore.LogDeletion, "user", string(u.ID), u.Username, "")
	if u.ID == c.who.id() {
		c.entry = nil // django_admin_log cannot refer to an account that is gone
	}
	return nil
}

func hashPassword(a *Admin, ctx context.Context, target string, in Fields) (any, error) {
	if !a.options.SetPasswords {
		return nil, errNoPasswords
	}
	u, err := a.store.User(ctx, record.UserID(target))
	if err != nil {
		return nil, err
	}
	if err := a.gate.Accounts().AcceptPassword(ctx, &u.Account, in.text("password")); err != nil {
		return nil, err
	}
	return a.gate.Accounts().MakePassword(ctx, in.text("password"))
}

func userPassword(c *change, u *adminstore.User) error {
	encoded := c.ready.(string)
	if err := c.tx.Users.Change(c.ctx, u.ID, record.Change{Password: &encoded, EndSessions: record.EndedByPassword, At: c.now}); err != nil {
		return err
	}
	c.log(adminstore.LogChange, "user", string(u.ID), u.Username, djangoChanged([]string{"password"}))
	return c.send(&u.Account, record.MessagePasswordChanged)
}

// send queues an e-mail to the account in the transaction. An account without an
// address gets none, which is an error only if the e-mail is the action.
func (c *change) send(a *record.Account, kind record.MessageKind) error {
	return c.sendDetail(a, kind, "")
}

// sendDetail is send with the detail of the message.
func (c *change) sendDetail(a *record.Account, kind record.MessageKind, detail string) error {
	if a.Email == "" || c.gate.Store().Outbox() == nil {
		return nil
	}
	return c.tx.System.AddMessage(c.ctx, record.Message{Kind: kind, User: a.ID, To: a.Email, Detail: detail, Created: c.now})
}

func userResetPassword(c *change, u *adminstore.User) error {
	switch {
	case u.Email == "":
		return errNoMail
	case !u.IsActive, !passwd.IsUsable(u.Password):
		return &jotgate.Error{Status: 400, Detail: "This account is inactive, or has no password that could be reset."}
	}
	c.logUser(u, "Sent a link to choose a new password.")
	return c.send(&u.Account, record.MessagePasswordReset)
}

func userSendActivation(c *change, u *adminstore.User) error {
	awaits, err := c.gate.Store().Addresses().Pending(c.ctx, u.ID, record.PendingActivation)
	if err != nil {
		return err
	}
	if u.IsActive || u.Email == "" || !slices.ContainsFunc(awaits, func(p record.Pending) bool { return p.Email == u.Email }) {
		return &jotgate.Error{Status: 400, Detail: "This account does not await its activation by e-mail. Activate it instead."}
	}
	c.logUser(u, "Sent the activation e-mail again.")
	return c.send(&u.Account, record.MessageActivation)
}

func userVerifyEmail(c *change, u *adminstore.User) error {
	if u.Email == "" {
		return errNoMail
	}
	if err := c.tx.Users.Change(c.ctx, u.ID, record.Change{VerifyEmail: true, At: c.now}); err != nil {
		return err
	}
	c.changes["verified"] = [2]any{nil, u.Email}
	c.logUser(u, "Marked the e-mail address as verified.")
	return nil
}

func userEndSessions(c *change, u *adminstore.User) error {
	n, err := c.tx.Users.EndSessions(c.ctx, record.Ending{User: u.ID, Username: u.Username, Reason: record.EndedByUser, Now: c.now})
	if err != nil {
		return err
	}
	c.result.Count = n
	c.changes["sessions"] = [2]any{n, 0}
	c.logUser(u, "Ended all sessions ("+strconv.Itoa(n)+").")
	return nil
}

// userRemoveFactor removes a second factor, or all. The owner gets an
// e-mail: a lost device is also what a thief would claim.
func userRemoveFactor(c *change, u *adminstore.User) error {
	reason, err := c.in.reason()
	if err != nil {
		return err
	}
	var remove []int64
	var types []string
	for _, f := range u.Factors {
		if id := c.in.text("factor"); id == "" && f.Type != record.FactorRecovery || id == strconv.FormatInt(f.ID, 10) {
			remove, types = append(remove, f.ID), append(types, string(f.Type))
		}
	}
	if len(remove) == 0 {
		return jotgate.ErrNotFound
	}
	if err := c.tx.Users.RemoveFactors(c.ctx, u.ID, remove); err != nil {
		return err
	}
	if _, err := c.tx.Users.EndSessions(c.ctx, record.Ending{User: u.ID, Username: u.Username, Reason: record.EndedByFactors, Now: c.now}); err != nil {
		return err
	}
	c.changes["factors"], c.changes["reason"] = [2]any{types, nil}, [2]any{nil, reason}
	c.logUser(u, "Removed second factors: "+reason)
	return c.send(&u.Account, record.MessageFactorRemoved)
}

func sessionEnd(c *change) error {
	s, err := c.tx.Users.Session(c.ctx, c.target)
	if err != nil {
		return err
	}
	u, err := c.tx.Users.Find(c.ctx, s.User)
	if err == nil {
		err = c.above(u)
	} else if errors.Is(err, jotgate.ErrNotFound) { // of a deleted account
		err = nil
	}
	if err != nil {
		return err
	}
	if !s.Ended.IsZero() {
		return errUnneeded
	}
	c.event.User, c.event.Session, c.event.Target = s.User, s.ID, "session "+s.ID
	c.result.Count, err = c.tx.Users.EndSessions(c.ctx, record.Ending{User: s.User, ID: s.ID, Reason: record.EndedByUser, Now: c.now})
	return err
}
