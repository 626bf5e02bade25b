package admin

// Acting for a user.

import (
	"errors"
	"net/url"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// acting is the session of an actor who acts for a user.
type acting struct {
	account *record.Account
	session *record.Session
}

var (
	errNoActor   = &jotgate.Error{Status: 403, Detail: "An operator acts for a user with the rights of a member of staff: name one with --as."}
	errThemself  = &jotgate.Error{Status: 400, Detail: "This is your own account."}
	errInactive  = &jotgate.Error{Status: 400, Detail: "This account is inactive."}
	errService   = &jotgate.Error{Status: 400, Detail: "This is the account of a program, as which no one signs in."}
	errStaffUser = jotgate.ErrForbidden.Because(errors.New("only superusers act for staff, and nobody for superusers"))
)

// userImpersonate begins a session in which the actor acts for the user. It ends with
// the session of the actor.
func userImpersonate(c *change, u *adminstore.User) error {
	switch {
	case c.who.account == nil:
		return errNoActor
	case u.ID == c.who.id():
		return errThemself
	case u.IsSuperuser, u.IsStaff && !c.who.super():
		return errStaffUser
	case !u.IsActive:
		return errInactive
	case u.Service:
		return errService
	}
	reason, err := c.in.reason()
	if err != nil {
		return err
	}
	var by *record.Session
	if c.who.session != "" {
		by, err = c.tx.Users.Session(c.ctx, c.who.session)
		if err == nil && (!by.Ended.IsZero() || by.User != c.who.id() || by.Actor != "") {
			err = jotgate.ErrForbidden.Because(errors.New("the session of the actor has ended"))
		}
		if err != nil {
			return err
		}
	}
	s := c.gate.Sessions().NewImpersonation(&u.Account, c.who.id(), by, c.who.client)
	if err := c.tx.Users.Impersonate(c.ctx, s); err != nil {
		return err
	}
	c.result.acting = &acting{&u.Account, s}
	c.event.Session = s.ID
	c.changes["reason"] = [2]any{nil, reason}
	c.logUser(u, "Acts for this user: "+reason)
	return c.sendDetail(&u.Account, record.MessageImpersonated, reason)
}

// issue makes the tokens of a session that an action has begun.
func (c *change) issue() error {
	if c.result.acting == nil {
		return nil
	}
	tokens, err := c.gate.Sessions().Issue(c.ctx, c.result.acting.account, c.result.acting.session)
	c.result.Access, c.result.Refresh = tokens.Access, tokens.Refresh
	return err
}

// actFor signs the browser in for a user, and shows the profile page.
func (v *visit) actFor(a *acting) error {
	back := v.Path + "users/" + url.PathEscape(string(a.account.ID)) + "/"
	if err := v.a.options.Pages.Impersonate(v.w, v.r, a.account, a.session, back); err != nil {
		return err
	}
	return v.redirect(v.AccountPath)
}
