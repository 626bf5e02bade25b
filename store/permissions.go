package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Permissions, and the accounts and groups that have them. If the database has no
// permission tables, every method in this file returns errNoPermissions.

// errNoPermissions is returned if the database has no permission tables.
var errNoPermissions = errors.New("this database has no permissions of Django's")

// Permission is a row of Django's auth_permission.
type Permission struct {
	Name  string `json:"permission"` // "app_label.codename"
	Title string `json:"title"`      // "Can add user"
}

const permissionColumns = `SELECT ct.app_label || '.' || p.codename, p.name FROM auth_permission AS p
JOIN django_content_type AS ct ON ct.id = p.content_type_id`

// List lists all permissions by name.
func (ps Permissions) List(ctx context.Context) ([]Permission, error) {
	return ps.db.permissions(ctx, permissionColumns+" ORDER BY 1")
}

// OfAccount lists the permissions that were granted to the account itself, not to its
// groups, by name. The error is jotgate.ErrNotFound if there is no such account.
func (ps Permissions) OfAccount(ctx context.Context, id record.UserID) (list []Permission, err error) {
	d := ps.db.tables.direct
	if d.table == "" {
		return nil, errNoPermissions
	}
	err = ps.db.read(ctx, func(ctx context.Context, q Queryer) error {
		key, err := ps.db.present(ctx, q, id)
		if err != nil {
			return err
		}
		list, err = all(ctx, q, scanPermission, permissionColumns+" JOIN "+quote(d.table)+
			" AS l ON l.permission_id = p.id WHERE l."+quote(d.user)+" = $1 ORDER BY 1", key)
		return err
	})
	return list, err
}

// OfGroup lists the group's permissions by name. The error is jotgate.ErrNotFound if
// there is no such group.
func (ps Permissions) OfGroup(ctx context.Context, group string) (list []Permission, err error) {
	if !ps.db.tables.permission {
		return nil, errNoPermissions
	}
	err = ps.db.read(ctx, func(ctx context.Context, q Queryer) error {
		id, err := ps.db.groupID(ctx, q, group)
		if err != nil {
			return err
		}
		list, err = all(ctx, q, scanPermission, permissionColumns+
			" JOIN auth_group_permissions AS l ON l.permission_id = p.id WHERE l.group_id = $1 ORDER BY 1", id)
		return err
	})
	return list, err
}

func (s *Store) permissions(ctx context.Context, text string, args ...any) (list []Permission, err error) {
	if !s.tables.permission {
		return nil, errNoPermissions
	}
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]Permission, error) {
		return all(ctx, q, scanPermission, text, args...)
	})
}

func scanPermission(rows rowScanner) (p Permission, err error) {
	err = rows.Scan(&p.Name, &p.Title)
	return p, err
}

// GrantToAccount grants a permission to the account. If the account already has it,
// nothing changes. The error is jotgate.ErrNotFound if there is no such account or
// permission.
func (ps Permissions) GrantToAccount(ctx context.Context, id record.UserID, permission string) error {
	return ps.db.inPermission(ctx, permission, func(ctx context.Context, q Queryer, p int64) error {
		return ps.db.addLink(ctx, q, ps.db.tables.direct, "permission_id", id, p)
	})
}

// RevokeFromAccount removes a permission that was granted to the account, and revokes
// its access tokens; its sessions continue. If the account does not have the
// permission, nothing changes. The error is jotgate.ErrNotFound if there is no such
// account or permission.
func (ps Permissions) RevokeFromAccount(ctx context.Context, id record.UserID, permission string) error {
	return ps.db.inPermission(ctx, permission, func(ctx context.Context, q Queryer, p int64) error {
		return ps.db.removeLink(ctx, q, ps.db.tables.direct, "permission_id", id, p)
	})
}

// GrantToGroup grants a permission to the group. If the group already has it, nothing
// changes. The error is jotgate.ErrNotFound if there is no such group or permission.
func (ps Permissions) GrantToGroup(ctx context.Context, group, permission string) error {
	return ps.db.groupPermission(ctx, group, permission, false,
		"INSERT INTO auth_group_permissions (group_id, permission_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
}

// RevokeFromGroup removes a permission that was granted to the group, and revokes the
// access tokens of its members; their sessions continue. If the group does not have the
// permission, nothing changes. The error is jotgate.ErrNotFound if there is no such
// group or permission.
func (ps Permissions) RevokeFromGroup(ctx context.Context, group, permission string) error {
	return ps.db.groupPermission(ctx, group, permission, true,
		"DELETE FROM auth_group_permissions WHERE group_id = $1 AND permission_id = $2")
}

func (s *Store) groupPermission(ctx context.Context, group, permission string, stale bool, text string) error {
	return s.inPermission(ctx, permission, func(ctx context.Context, q Queryer, p int64) error {
		g, err := s.groupID(ctx, q, group)
		if err != nil {
			return err
		}
		n, err := run(ctx, q, text, g, p)
		if err != nil || n == 0 || !stale || s.tables.groups.table == "" {
			return err
		}
		return s.staleMembers(ctx, q, g)
	})
}

// inPermission runs do in a write transaction with the id of a permission.
func (s *Store) inPermission(ctx context.Context, name string, do func(ctx context.Context, q Queryer, id int64) error) error {
	return s.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		id, err := s.permissionID(ctx, q, name)
		if err != nil {
			return err
		}
		return do(ctx, q, id)
	})
}

// permissionID finds a permission by name. Several models of one app may have
// the same codename. Django's has_perm does not distinguish them either, so
// the first one is used.
func (s *Store) permissionID(ctx context.Context, q Queryer, name string) (id int64, err error) {
	if !s.tables.permission || s.tables.direct.table == "" {
		return 0, errNoPermissions
	}
	app, code, ok := strings.Cut(name, ".")
	if !ok || !storable(name) {
		return 0, jotgate.ErrNotFound
	}
	found, err := one(ctx, q, []any{&id}, `SELECT p.id FROM auth_permission AS p JOIN django_content_type AS ct
ON ct.id = p.content_type_id WHERE ct.app_label = $1 AND p.codename = $2 ORDER BY p.id LIMIT 1`, app, code)
	return id, orNotFound(found, err)
}
