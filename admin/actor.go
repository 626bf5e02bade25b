package admin

// Who acts, and what they may do.

import (
	"context"
	"errors"
	"slices"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// Actor is the person on whose behalf an action runs: a member of staff, or an
// operator at the command line. Create it with Admin.Staff, Operator or OperatorAs.
// The zero value must not be used.
type Actor struct {
	account     *record.Account // nil: an operator
	permissions []string
	groups      []record.Group
	client      jotgate.Client
	session     string // of the actor; "" at the command line
	// recent returns nil if the actor has authenticated recently enough for a
	// dangerous action.
	recent func(ctx context.Context) error
}

// Operator returns the actor of a command. It has all rights and need not
// authenticate again, because a person who can run commands can also write to the
// database.
func (a *Admin) Operator() Actor {
	return Actor{client: jotgate.Client{Endpoint: "command"}, recent: func(context.Context) error { return nil }}
}

// OperatorAs returns the actor of a command that has only the rights of an account
// and is recorded under its name. The error is jotgate.ErrForbidden if the account
// is inactive or not staff, or that of the store.
func (a *Admin) OperatorAs(ctx context.Context, account *record.Account) (Actor, error) {
	if !account.IsActive || !account.IsStaff {
		return Actor{}, jotgate.ErrForbidden.Because(errors.New("the account is not active staff"))
	}
	who := a.Operator()
	who.account = account
	var err error
	who.groups, who.permissions, err = a.gate.Store().Accounts().Grants(ctx, account.ID)
	return who, err
}

// Staff returns the actor of a request: the user whose token or cookie it has.
// Errors: that of User.CheckSelf; jotgate.ErrForbidden if the user is not staff, or
// if the token is not that of a login (User.Limited); 401 with the code
// insufficient_user_authentication if the user must authenticate with two factors;
// those of Accounts.Of.
func (a *Admin) Staff(ctx context.Context, user *jotgate.User, client jotgate.Client) (Actor, error) {
	if err := user.CheckSelf(); err != nil {
		return Actor{}, err
	}
	if user.Limited() {
		return Actor{}, jotgate.ErrForbidden.Because(errors.New("the token is limited to scopes or to a client"))
	}
	account, err := a.gate.Accounts().Of(ctx, user)
	if err != nil {
		return Actor{}, err
	}
	if err := a.gate.Factors().RequireStaff(ctx, user, account); err != nil {
		return Actor{}, err
	}
	groups, permissions, err := a.gate.Store().Accounts().Grants(ctx, account.ID)
	return Actor{
		account: account, groups: groups, permissions: permissions, client: client, session: user.Session,
		recent: func(ctx context.Context) error { return a.gate.Factors().RequireRecent(ctx, user, account) },
	}, err
}

// super reports whether the actor has all rights.
func (who *Actor) super() bool { return who.account == nil || who.account.IsSuperuser }

// id returns the actor's key; "" for an operator.
func (who *Actor) id() record.UserID {
	if who.account == nil {
		return ""
	}
	return who.account.ID
}

// has reports whether the actor has one of the permissions. A name that is empty
// belongs to superusers alone.
func (who *Actor) has(any ...string) bool {
	return who.super() || slices.ContainsFunc(any, func(p string) bool { return p != "" && slices.Contains(who.permissions, p) })
}

// refreshed returns the actor with the rights it has in the transaction.
func (who Actor) refreshed(ctx context.Context, tx adminstore.Tx) (Actor, error) {
	if who.account == nil {
		return who, nil
	}
	account, groups, permissions, err := tx.Users.Rights(ctx, who.account.ID)
	if errors.Is(err, jotgate.ErrNotFound) || err == nil && (!account.IsActive || !account.IsStaff) {
		return who, jotgate.ErrForbidden.Because(err)
	}
	who.account, who.groups, who.permissions = account, groups, permissions
	return who, err
}

// above returns an error if the user, who has these rights, has one that the actor
// lacks: the actor could get it by taking over the account.
func (who *Actor) above(u *adminstore.User, rights func() ([]record.Group, []string, error)) error {
	if who.super() || u.ID == who.id() {
		return nil
	}
	if u.IsSuperuser {
		return jotgate.ErrForbidden.Because(errors.New("the account is a superuser"))
	}
	groups, permissions, err := rights()
	if err != nil {
		return err
	}
	for _, p := range permissions {
		if !slices.Contains(who.permissions, p) {
			return jotgate.ErrForbidden.Because(errors.New("the account has the permission " + p))
		}
	}
	for _, g := range groups { // it may be a role of the application
		if u.IsStaff && !slices.Contains(who.groups, g) {
			return jotgate.ErrForbidden.Because(errors.New("the account is in the group " + g.Name))
		}
	}
	return nil
}

// grants returns an error of a field if the actor lacks one of the permissions.
func (who *Actor) grants(field string, permissions []adminstore.Permission) error {
	for _, p := range permissions {
		if !who.has(p.Name) {
			return refuse(field, "You cannot give the permission "+p.Name+", which you do not have.")
		}
	}
	return nil
}
