package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Permissions and whom they are granted to. A permission goes by its name
// "app_label.codename", as in Django's has_perm. Where the database has no
// permission tables every method here is errNoPermissions.

// errNoPermissions answers for a database without Django's permissions.
var errNoPermissions = errors.New("this database has no permissions of Django's")

// Permission is a row of Django's auth_permission.
type Permission struct {
	Name  string `json:"permission"` // "app_label.codename"
	Title string `json:"title"`      // "Can add user"
}

const permissionColumns = `SELECT ct.app_label || '.' || p.codename, p.name FROM auth_permission AS p
JOIN django_content_type AS ct ON ct.id = p.content_type_id`

// Permissions lists all permissions by name.
func (s *Store) Permissions(ctx context.Context) ([]Permission, error) {
	return s.permissions(ctx, permissionColumns+" ORDER BY 1")
}

// AccountPermissions lists the account's own permissions by name, without its
// groups'. ErrNotFound without the account.
func (s *Store) AccountPermissions(ctx context.Context, id record.UserID) (list []Permission, err error) {
	d := s.tables.direct
	if d.table == "" {
		return nil, errNoPermissions
	}
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		key, err := s.present(ctx, q, id)
		if err != nil {
			return err
		}
		list, err = all(ctx, q, scanPermission, permissionColumns+" JOIN "+quote(d.table)+
			" AS l ON l.permission_id = p.id WHERE l."+quote(d.user)+" = $1 ORDER BY 1", key)
		return err
	})
	return list, err
}

// GroupPermissions lists the group's permissions by name. ErrNotFound without
// the group.
func (s *Store) GroupPermissions(ctx context.Context, group string) (list []Permission, err error) {
	if !s.tables.permission {
		return nil, errNoPermissions
	}
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		id, err := s.groupID(ctx, q, group)
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

// GrantToAccount gives the account a permission of its own; having it is no
// error. ErrNotFound without the account or the permission.
func (s *Store) GrantToAccount(ctx context.Context, id record.UserID, permission string) error {
	return s.inPermission(ctx, permission, func(ctx context.Context, q Queryer, p int64) error {
		return s.addLink(ctx, q, s.tables.direct, "permission_id", id, p)
	})
}

// RevokeFromAccount takes back what GrantToAccount gave and revokes the
// account's access tokens; its sessions go on. Not having it is no error. ErrNotFound without the account or the permission.
func (s *Store) RevokeFromAccount(ctx context.Context, id record.UserID, permission string) error {
	return s.inPermission(ctx, permission, func(ctx context.Context, q Queryer, p int64) error {
		return s.removeLink(ctx, q, s.tables.direct, "permission_id", id, p)
	})
}

// GrantToGroup gives the group a permission; having it is no error.
// ErrNotFound without the group or the permission.
func (s *Store) GrantToGroup(ctx context.Context, group, permission string) error {
	return s.groupPermission(ctx, group, permission, false,
		"INSERT INTO auth_group_permissions (group_id, permission_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
}

// RevokeFromGroup takes back what GrantToGroup gave and revokes the access
// tokens of the group's members; their sessions go on. Not having it is no
// error. ErrNotFound without the group or the permission.
func (s *Store) RevokeFromGroup(ctx context.Context, group, permission string) error {
	return s.groupPermission(ctx, group, permission, true,
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

// inPermission runs a write with the permission of this name.
func (s *Store) inPermission(ctx context.Context, name string, do func(ctx context.Context, q Queryer, id int64) error) error {
	return s.write(ctx, func(ctx context.Context, q Queryer) error {
		id, err := s.permissionID(ctx, q, name)
		if err != nil {
			return err
		}
		return do(ctx, q, id)
	})
}

// permissionID finds a permission. A codename may stand for several models of
// one app; Django's has_perm cannot tell them apart either: the first serves.
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
	if err == nil && !found {
		err = jotgate.ErrNotFound
	}
	return id, err
}
