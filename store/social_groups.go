package store

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Groups that a provider decides about.

// ChangeGroups implements record.SocialAccounts.
func (sa SocialAccounts) ChangeGroups(ctx context.Context, user record.UserID, add, remove []string) (missing []string, err error) {
	s := sa.s
	if s.tables.groups.table == "" {
		return add, nil
	}
	err = s.write(ctx, func(ctx context.Context, q Queryer) error {
		missing = nil // the transaction may be repeated
		for _, name := range add {
			id, err := s.groupID(ctx, q, name)
			if errors.Is(err, jotgate.ErrNotFound) {
				missing = append(missing, name)
				continue
			}
			if err == nil {
				err = s.addLink(ctx, q, s.tables.groups, "group_id", user, id)
			}
			if err != nil {
				return err
			}
		}
		for _, name := range remove {
			id, err := s.groupID(ctx, q, name)
			if err == nil {
				err = s.removeLink(ctx, q, s.tables.groups, "group_id", user, id)
			}
			if err != nil && !errors.Is(err, jotgate.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return missing, err
}
