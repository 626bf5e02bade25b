package jotgate

// The permission to change accounts.

import (
	"context"
	"errors"
	"slices"

	"github.com/jotgate/jotgate/record"
)

// MayManage returns nil if the actor may change, deactivate, reset or delete the
// account. Users may manage their own account. Staff may manage accounts whose
// permissions and groups they all have themselves. Superusers may manage every account.
// Errors: ErrForbidden, ErrUnavailable.
func (as Accounts) MayManage(ctx context.Context, actor, account *record.Account) error {
	switch {
	case !actor.IsActive:
		return ErrForbidden
	case actor.ID == account.ID, actor.IsSuperuser:
		return nil
	case !actor.IsStaff || account.IsSuperuser:
		return ErrForbidden
	}
	ownGroups, own, err := as.gate.db.Accounts().Grants(ctx, actor.ID)
	if err != nil {
		return err
	}
	groups, theirs, err := as.gate.db.Accounts().Rights(ctx, account.ID)
	if err != nil {
		return err
	}
	for _, permission := range theirs {
		if !slices.Contains(own, permission) {
			return ErrForbidden.Because(errors.New("the account has the permission " + permission))
		}
	}
	for _, group := range groups {
		if !slices.Contains(ownGroups, group) { // RequireRole opens endpoints by its name
			return ErrForbidden.Because(errors.New("the account is in the group " + group.Name))
		}
	}
	return nil
}
