package store

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Groups and their members: Django's auth_group. A group is identified by its
// name, which is unique. If the user model has no groups, every method in
// this file returns errNoGroups.

// errNoGroups is returned if the user model has no groups.
var errNoGroups = errors.New("the user model of this database has no groups")

// List lists all groups by name.
func (gs Groups) List(ctx context.Context) (list []record.Group, err error) {
	err = gs.db.withGroups(func() error {
		return gs.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
			list, err = all(ctx, q, scanGroup, "SELECT id, name FROM auth_group ORDER BY name")
			return err
		})
	})
	return list, err
}

func (s *Store) withGroups(do func() error) error {
	if s.tables.groups.table == "" {
		return errNoGroups
	}
	return do()
}

// groupID finds a group by name. It returns ErrNotFound if there is none.
func (s *Store) groupID(ctx context.Context, q Queryer, name string) (id int64, err error) {
	if !storable(name) {
		return 0, jotgate.ErrNotFound
	}
	found, err := one(ctx, q, []any{&id}, "SELECT id FROM auth_group WHERE name = $1", name)
	return id, orNotFound(found, err)
}

// errGroupTaken has Django's text for a name that exists.
var errGroupTaken = refuse("name", "group with this name already exists.")

// groupName rejects a name that the column cannot hold.
func (s *Store) groupName(name string) error {
	for _, c := range s.tables.columns["auth_group"] {
		if c.name == "name" {
			return c.fits("name", name)
		}
	}
	return nil
}

// Create creates a group. The error is a jotgate.Error with status 400 if the name
// exists, has more than 150 characters or contains NUL.
func (gs Groups) Create(ctx context.Context, name string) (group record.Group, err error) {
	if err := gs.db.groupName(name); err != nil {
		return group, err
	}
	err = gs.db.inGroups(ctx, func(ctx context.Context, q Queryer) error {
		group.Name = name
		_, err := one(ctx, q, []any{&group.ID}, "INSERT INTO auth_group (name) VALUES ($1) RETURNING id", name)
		return gs.db.taken(err, errGroupTaken)
	})
	return group, err
}

// Rename renames a group. The access tokens of its members, which may contain the old
// name, are revoked. The error is jotgate.ErrNotFound if there is no such group, or that
// of Create.
func (gs Groups) Rename(ctx context.Context, name, to string) error {
	if err := gs.db.groupName(to); err != nil {
		return err
	}
	return gs.db.inGroup(ctx, name, func(ctx context.Context, q Queryer, id int64) error {
		_, err := run(ctx, q, "UPDATE auth_group SET name = $1 WHERE id = $2", to, id)
		if err != nil || to == name {
			return gs.db.taken(err, errGroupTaken)
		}
		return gs.db.staleMembers(ctx, q, id)
	})
}

// Delete deletes a group, its memberships and its permissions. The access tokens of its
// members are revoked; their sessions continue. The error is jotgate.ErrNotFound if
// there is no such group, or ErrReferred if a table that jotgate does not know refers to
// it.
func (gs Groups) Delete(ctx context.Context, name string) error {
	err := gs.db.inGroup(ctx, name, func(ctx context.Context, q Queryer, id int64) error {
		if err := gs.db.staleMembers(ctx, q, id); err != nil {
			return err
		}
		texts := []string{"DELETE FROM " + quote(gs.db.tables.groups.table) + " WHERE group_id = $1"}
		if gs.db.tables.permission {
			texts = append(texts, "DELETE FROM auth_group_permissions WHERE group_id = $1")
		}
		for _, text := range append(texts, "DELETE FROM auth_group WHERE id = $1") {
			if _, err := run(ctx, q, text, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && gs.db.driver.Referred(err) {
		return ErrReferred.Because(err)
	}
	return err
}

// inGroups runs do in a write transaction if there are groups.
func (s *Store) inGroups(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	return s.withGroups(func() error { return s.writeRecorded(ctx, do) })
}

// inGroup runs do in a write transaction with the id of a group. It returns
// ErrNotFound if there is no such group.
func (s *Store) inGroup(ctx context.Context, name string, do func(ctx context.Context, q Queryer, id int64) error) error {
	return s.inGroups(ctx, func(ctx context.Context, q Queryer) error {
		id, err := s.groupID(ctx, q, name)
		if err != nil {
			return err
		}
		return do(ctx, q, id)
	})
}

// Members lists at most limit members with a key greater than after, in order of key. If
// after is "", it starts at the first. The error is jotgate.ErrNotFound if there is no
// such group.
func (gs Groups) Members(ctx context.Context, name string, after record.UserID, limit int) (list []*record.Account, err error) {
	g, key := gs.db.tables.groups, "u."+quote(gs.db.tables.schema.ID)
	text := gs.db.texts.account + " JOIN " + quote(g.table) + " AS m ON m." + quote(g.user) + " = " + key + " WHERE m.group_id = $1"
	args := []any{nil, limit}
	if after != "" {
		from, ok := gs.db.tables.key.encode(after)
		if !ok {
			return nil, jotgate.ErrNotFound
		}
		text, args = text+" AND "+key+" > $3", append(args, from)
	}
	err = gs.db.withGroups(func() error {
		return gs.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
			if args[0], err = gs.db.groupID(ctx, q, name); err != nil {
				return err
			}
			list, err = all(ctx, q, gs.db.tables.scanAccount, text+" ORDER BY "+key+" LIMIT $2", args...)
			return err
		})
	})
	return list, err
}

// AddMember makes the account a member of the group. If it already is one, nothing
// changes. The error is jotgate.ErrNotFound if there is no such account or group.
func (gs Groups) AddMember(ctx context.Context, id record.UserID, group string) error {
	return gs.db.inGroup(ctx, group, func(ctx context.Context, q Queryer, groupID int64) error {
		return gs.db.addLink(ctx, q, gs.db.tables.groups, "group_id", id, groupID)
	})
}

// RemoveMember ends the account's membership of the group and revokes its access tokens;
// its sessions continue. If the account is not a member, nothing changes. The error is
// jotgate.ErrNotFound if there is no such account or group.
func (gs Groups) RemoveMember(ctx context.Context, id record.UserID, group string) error {
	return gs.db.inGroup(ctx, group, func(ctx context.Context, q Queryer, groupID int64) error {
		return gs.db.removeLink(ctx, q, gs.db.tables.groups, "group_id", id, groupID)
	})
}

// addLink inserts a row into a many-to-many table of users.
func (s *Store) addLink(ctx context.Context, q Queryer, l link, column string, id record.UserID, other int64) error {
	key, err := s.present(ctx, q, id)
	if err != nil {
		return err
	}
	_, err = run(ctx, q, "INSERT INTO "+quote(l.table)+" ("+quote(l.user)+", "+column+") VALUES ($1, $2) ON CONFLICT DO NOTHING", key, other)
	return err
}

// removeLink deletes a row from a many-to-many table of users and, if there was
// one, revokes the user's access tokens.
func (s *Store) removeLink(ctx context.Context, q Queryer, l link, column string, id record.UserID, other int64) error {
	key, err := s.present(ctx, q, id)
	if err != nil {
		return err
	}
	n, err := run(ctx, q, "DELETE FROM "+quote(l.table)+" WHERE "+quote(l.user)+" = $1 AND "+column+" = $2", key, other)
	if err != nil || n == 0 {
		return err
	}
	return s.staleAccount(ctx, q, key)
}

// present returns the key of an account, or ErrNotFound. Foreign keys are
// checked only at the commit, which several writes may share, so that a
// missing account has to be found before.
func (s *Store) present(ctx context.Context, q Queryer, id record.UserID) (any, error) {
	key, ok := s.tables.key.encode(id)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	found, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM "+quote(s.tables.schema.Users)+" WHERE "+quote(s.tables.schema.ID)+" = $1", key)
	return key, orNotFound(found, err)
}
