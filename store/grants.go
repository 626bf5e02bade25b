package store

import (
	"context"
	"slices"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// The groups and permissions of one account.

// Grants implements record.Accounts as Django's ModelBackend does
// (django/contrib/auth/backends.py, get_all_permissions).
func (as accounts) Grants(ctx context.Context, id record.UserID) (groups []record.Group, permissions []string, err error) {
	key, ok := as.db.tables.key.encode(id)
	if !ok {
		return nil, nil, jotgate.ErrNotFound
	}
	err = as.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		groups, permissions, err = as.db.grants(ctx, q, key, false)
		return err
	})
	return groups, permissions, err
}

// Rights implements record.Accounts.
func (as accounts) Rights(ctx context.Context, id record.UserID) (groups []record.Group, permissions []string, err error) {
	key, ok := as.db.tables.key.encode(id)
	if !ok {
		return nil, nil, jotgate.ErrNotFound
	}
	err = as.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		groups, permissions, err = as.db.grants(ctx, q, key, true)
		return err
	})
	return groups, permissions, err
}

// accountByKey returns the account with this key in the database, or
// jotgate.ErrNotFound.
func (s *Store) accountByKey(ctx context.Context, q Queryer, key any) (*record.Account, error) {
	account, err := single(ctx, q, s.tables.scanAccount, s.texts.byID, key)
	if err != nil {
		return nil, err
	}
	return *account, nil
}

// groupsOf returns the groups of the user with this key in the database.
func (s *Store) groupsOf(ctx context.Context, q Queryer, key any) ([]record.Group, error) {
	g := s.tables.groups
	if g.table == "" {
		return nil, nil
	}
	return all(ctx, q, scanGroup, "SELECT g.id, g.name FROM auth_group AS g JOIN "+quote(g.table)+
		" AS ug ON ug.group_id = g.id WHERE ug."+quote(g.user)+" = $1 ORDER BY g.id", key)
}

// grants is Grants; with inactive set, it also reads an account that is not
// active.
func (s *Store) grants(ctx context.Context, q Queryer, key any, inactive bool) (groups []record.Group, permissions []string, err error) {
	account, err := s.accountByKey(ctx, q, key)
	if err != nil {
		return nil, nil, err
	}
	if groups, err = s.groupsOf(ctx, q, key); err != nil {
		return nil, nil, err
	}
	if !s.tables.permission || !account.IsActive && !inactive {
		return groups, nil, nil
	}
	text, args := s.permissionText(key, account.IsSuperuser)
	permissions, err = all(ctx, q, value[string], text, args...)
	slices.Sort(permissions) // byte order, independent of the database's collation
	return groups, slices.Compact(permissions), err
}

// permissionText selects the account's permissions as "app_label.codename".
func (s *Store) permissionText(key any, super bool) (string, []any) {
	text := "SELECT ct.app_label || '.' || p.codename FROM auth_permission AS p JOIN django_content_type AS ct ON ct.id = p.content_type_id"
	if super {
		return text, nil
	}
	where, args := " WHERE FALSE", []any(nil)
	if g := s.tables.groups; g.table != "" {
		where += " OR p.id IN (SELECT gp.permission_id FROM auth_group_permissions AS gp JOIN " + quote(g.table) +
			" AS ug ON ug.group_id = gp.group_id WHERE ug." + quote(g.user) + " = $1)"
		args = []any{key}
	}
	if d := s.tables.direct; d.table != "" {
		where += " OR p.id IN (SELECT up.permission_id FROM " + quote(d.table) + " AS up WHERE up." + quote(d.user) + " = $1)"
		args = []any{key}
	}
	return text + where, args
}

// scanGroup reads id and name.
func scanGroup(rows rowScanner) (g record.Group, err error) {
	err = rows.Scan(&g.ID, &g.Name)
	return g, err
}
