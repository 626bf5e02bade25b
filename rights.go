package jotgate

// Who may change whose account.

import (
	"context"
	"errors"
	"slices"

	"github.com/jotgate/jotgate/record"
)

// MayManage decides whether the actor may change, deactivate, reset or delete
// the account: their own, and for staff every account that has no right that
// they lack. Superusers may manage every account. Errors: ErrForbidden,
// ErrUnavailable.
func (g *Gate) MayManage(ctx context.Context, actor, account *record.Account) error {
	switch {
	case !actor.IsActive:
		return ErrForbidden
	case actor.ID == account.ID, actor.IsSuperuser:
		return nil
	case !actor.IsStaff || account.IsSuperuser:
		return ErrForbidden
	}
	ownGroups, own, err := g.db.Grants(ctx, actor.ID)
	if err != nil {
		return err
	}
	groups, theirs, err := g.db.Rights(ctx, account.ID)
	if err != nil {
		return err
	}
	for _, permission := range theirs {
		if !slices.Contains(own, permission) {
			return ErrForbidden.Because(errors.New("the account has the permission " + permission))
		}
	}
	for _, group := range groups {
		if account.IsStaff && !slices.Contains(ownGroups, group) {
			return ErrForbidden.Because(errors.New("the account is in the group " + group.Name))
		}
	}
	return nil
}
