package store

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Rights that a provider decides about.

// ChangeRights implements record.SocialAccounts.
func (sa socialAccounts) ChangeRights(ctx context.Context, user record.UserID, add, remove []string, roles record.Change) (missing []string, err error) {
	s, event := sa.s, record.AttachedTo(ctx)
	key, ok := s.tables.key.encode(user)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	set, err := s.changedRow(roles)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(ctx context.Context, q Queryer) error {
		if missing, err = s.changeGroups(ctx, q, user, add, remove); err != nil || len(missing) > 0 {
			return err
		}
		if len(set) > 0 {
			if err := s.changeAccount(ctx, q, user, key, set, roles); err != nil {
				return err
			}
		}
		return addAttached(ctx, q, event, "")
	})
	return missing, err
}

// changeGroups changes the memberships of a user, or returns the names in add that are of
// no group.
func (s *Store) changeGroups(ctx context.Context, q Queryer, user record.UserID, add, remove []string) (missing []string, err error) {
	if s.tables.groups.table == "" {
		return add, nil
	}
	begins, missing, err := s.groupIDs(ctx, q, add)
	if err != nil || len(missing) > 0 {
		return missing, err
	}
	finished, _, err := s.groupIDs(ctx, q, remove)
	if err != nil {
		return nil, err
	}
	for _, id := range begins {
		if err := s.addLink(ctx, q, s.tables.groups, "group_id", user, id); err != nil {
			return nil, err
		}
	}
	for _, id := range finished {
		if err := s.removeLink(ctx, q, s.tables.groups, "group_id", user, id); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// groupIDs returns the ids of groups, and the names that are of none.
func (s *Store) groupIDs(ctx context.Context, q Queryer, names []string) (ids []int64, missing []string, err error) {
	for _, name := range names {
		id, err := s.groupID(ctx, q, name)
		switch {
		case errors.Is(err, jotgate.ErrNotFound):
			missing = append(missing, name)
		case err != nil:
			return nil, nil, err
		default:
			ids = append(ids, id)
		}
	}
	return ids, missing, nil
}
