package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// The administration: lists for package admin. admin_users.go has the list of
// users, admin_tx.go the transaction of a change.

// admin implements adminstore.Store.
type admin struct{ db *Store }

// Admin returns the storage of package admin.
func (s *Store) Admin() adminstore.Store { return admin{s} }

// User implements adminstore.Store.
func (ad admin) User(ctx context.Context, id record.UserID) (*adminstore.User, error) {
	key, ok := ad.db.tables.key.encode(id)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) (*adminstore.User, error) {
		return ad.db.adminUser(ctx, q, id, key)
	})
}

func (s *Store) adminUser(ctx context.Context, q Queryer, id record.UserID, key any) (*adminstore.User, error) {
	account, err := s.accountByKey(ctx, q, key)
	if err != nil {
		return nil, err
	}
	u := &adminstore.User{Account: *account}
	if u.Groups, err = s.groupsOf(ctx, q, key); err != nil {
		return nil, err
	}
	if d := s.tables.direct; d.table != "" && s.tables.permission {
		u.Permissions, err = all(ctx, q, scanAdminPermission, adminPermissions+" JOIN "+quote(d.table)+
			" AS l ON l.permission_id = p.id WHERE l."+quote(d.user)+" = $1 ORDER BY 2, 1", key)
		if err != nil {
			return nil, err
		}
	}
	u.Factors, err = s.listFactors(ctx, q, key)
	for i := range u.Factors {
		u.Factors[i].User, u.Factors[i].Data = id, ""
	}
	return u, err
}

const adminPermissions = `SELECT p.id, ct.app_label || '.' || p.codename, p.name FROM auth_permission AS p
JOIN django_content_type AS ct ON ct.id = p.content_type_id`

func scanAdminPermission(rows rowScanner) (p adminstore.Permission, err error) {
	err = rows.Scan(&p.ID, &p.Name, &p.Title)
	return p, err
}

// Model implements adminstore.Store.
func (ad admin) Model(ctx context.Context) (app, model string, err error) {
	app, model = "auth", "user"
	if !ad.db.tables.permission {
		return app, model, nil
	}
	err = ad.db.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&app, &model}, "SELECT app_label, model FROM django_content_type WHERE app_label || '_' || model = $1", ad.db.tables.schema.Users)
		return err
	})
	return app, model, err
}

// Permissions implements adminstore.Store.
func (ad admin) Permissions(ctx context.Context) ([]adminstore.Permission, error) {
	if !ad.db.tables.permission {
		return nil, nil
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Permission, error) {
		return all(ctx, q, scanAdminPermission, adminPermissions+" ORDER BY 2, 1")
	})
}

// Groups implements adminstore.Store.
func (ad admin) Groups(ctx context.Context, after string, limit int) ([]adminstore.Group, error) {
	if ad.db.tables.groups.table == "" || !storable(after) {
		return nil, nil
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]adminstore.Group, error) {
		return ad.db.adminGroups(ctx, q, " WHERE g.name > $1 ORDER BY g.name LIMIT $2", after, limit)
	})
}

// adminGroups selects groups with their numbers of members, counted up to
// adminstore.MaxCount.
func (s *Store) adminGroups(ctx context.Context, q Queryer, where string, args ...any) ([]adminstore.Group, error) {
	members := "(SELECT COUNT(*) FROM (SELECT 1 FROM " + quote(s.tables.groups.table) + " AS m WHERE m.group_id = g.id LIMIT 1001) AS t)"
	return all(ctx, q, func(rows rowScanner) (g adminstore.Group, err error) {
		err = rows.Scan(&g.ID, &g.Name, &g.Members)
		return g, err
	}, "SELECT g.id, g.name, "+members+" FROM auth_group AS g"+where, args...)
}

// Group implements adminstore.Store.
func (ad admin) Group(ctx context.Context, id int64) (*adminstore.Group, error) {
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) (*adminstore.Group, error) {
		return ad.db.adminGroup(ctx, q, id, "")
	})
}

func (s *Store) adminGroup(ctx context.Context, q Queryer, id int64, lock string) (*adminstore.Group, error) {
	if s.tables.groups.table == "" {
		return nil, jotgate.ErrNotFound
	}
	list, err := s.adminGroups(ctx, q, " WHERE g.id = "+anyInteger("$1")+lock, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, jotgate.ErrNotFound
	}
	if !s.tables.permission {
		return &list[0], nil
	}
	list[0].Permissions, err = all(ctx, q, scanAdminPermission, adminPermissions+
		" JOIN auth_group_permissions AS l ON l.permission_id = p.id WHERE l.group_id = $1 ORDER BY 2, 1", id)
	return &list[0], err
}

// Holders implements adminstore.Store.
func (ad admin) Holders(ctx context.Context, permission int64, after record.UserID, limit int) (users []*record.Account, groups []adminstore.Group, err error) {
	d, g, key := ad.db.tables.direct, ad.db.tables.groups, "u."+quote(ad.db.tables.schema.ID)
	if !ad.db.tables.permission || d.table == "" || g.table == "" {
		return nil, nil, jotgate.ErrNotFound
	}
	args, more := []any{permission, limit}, ""
	if after != "" {
		from, ok := ad.db.tables.key.encode(after)
		if !ok {
			return nil, nil, jotgate.ErrNotFound
		}
		args, more = append(args, from), " > $3"
	}
	above := func(column string) string {
		if more == "" {
			return ""
		}
		return " AND " + column + more
	}
	// Each part is in order of key, from an index, and ends after limit rows.
	keys := "SELECT * FROM (SELECT l." + quote(d.user) + " AS id FROM " + quote(d.table) + " AS l WHERE l.permission_id = $1" + above("l."+quote(d.user)) +
		" ORDER BY 1 LIMIT $2) AS a UNION SELECT * FROM (SELECT DISTINCT m." + quote(g.user) + " AS id FROM " + quote(g.table) +
		" AS m WHERE m.group_id IN (SELECT group_id FROM auth_group_permissions WHERE permission_id = $1)" + above("m."+quote(g.user)) + " ORDER BY 1 LIMIT $2) AS b"
	err = ad.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		groups, err = ad.db.adminGroups(ctx, q, " WHERE g.id IN (SELECT group_id FROM auth_group_permissions WHERE permission_id = $1) ORDER BY g.name LIMIT 500", permission)
		if err != nil {
			return err
		}
		users, err = all(ctx, q, ad.db.tables.scanAccount, ad.db.texts.account+" WHERE "+key+" IN ("+keys+") ORDER BY "+key+" LIMIT $2", args...)
		return err
	})
	return users, groups, err
}

// Facts implements adminstore.Store.
func (ad admin) Facts(ctx context.Context) ([]adminstore.Fact, error) {
	found, err := ad.db.Facts(ctx)
	list := make([]adminstore.Fact, len(found))
	for i, f := range found {
		list[i] = adminstore.Fact(f)
	}
	return list, err
}

// Change implements adminstore.Store.
func (ad admin) Change(ctx context.Context, do func(ctx context.Context, tx adminstore.Tx) error) error {
	if _, err := ad.db.beforeName(ctx, "", ""); err != nil {
		return err
	}
	return ad.db.write(ctx, func(ctx context.Context, q Queryer) error {
		now := ad.db.driver.Now().UTC().Truncate(time.Microsecond)
		t := adminTx{ad.db, q, now}
		return do(ctx, adminstore.Tx{Users: t, Groups: groupTx{t}, System: systemTx{t}, Jobs: jobTx{t}, Record: t.record, Try: t.try})
	})
}
