package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// A transaction of package admin: users, and the event of a change.

// adminTx implements adminstore.UserTx in an open transaction.
type adminTx struct {
	db  *Store
	q   Queryer
	now time.Time
}

// locked returns the key of a user after locking its row.
func (t adminTx) locked(ctx context.Context, id record.UserID) (any, error) {
	key, ok := t.db.tables.key.encode(id)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	sch := t.db.tables.schema
	found, err := one(ctx, t.q, []any{new(int)}, "SELECT 1 FROM "+quote(sch.Users)+" WHERE "+quote(sch.ID)+" = $1"+t.db.driver.lock("UPDATE"), key)
	return key, orNotFound(found, err)
}

// Find implements adminstore.UserTx.
func (t adminTx) Find(ctx context.Context, id record.UserID) (*adminstore.User, error) {
	key, err := t.locked(ctx, id)
	if err != nil {
		return nil, err
	}
	return t.db.adminUser(ctx, t.q, id, key)
}

// Rights implements adminstore.UserTx.
func (t adminTx) Rights(ctx context.Context, id record.UserID) (*record.Account, []record.Group, []string, error) {
	key, ok := t.db.tables.key.encode(id)
	if !ok {
		return nil, nil, nil, jotgate.ErrNotFound
	}
	account, err := t.db.accountByKey(ctx, t.q, key)
	if err != nil {
		return nil, nil, nil, err
	}
	groups, permissions, err := t.db.grants(ctx, t.q, key, true)
	return account, groups, permissions, err
}

// Next implements adminstore.UserTx.
func (t adminTx) Next(ctx context.Context, q adminstore.Query, after record.UserID, limit int) ([]record.UserID, error) {
	l, err := t.db.listing(q)
	if err != nil {
		return nil, err
	}
	if after != "" {
		key, ok := t.db.tables.key.encode(after)
		if !ok {
			return nil, jotgate.ErrNotFound
		}
		l.and(l.key + " > " + l.arg(key))
	}
	return all(ctx, t.q, func(rows rowScanner) (id record.UserID, err error) {
		err = rows.Scan(keyScan{&id})
		return id, err
	}, "SELECT "+l.keys()+" FROM "+l.from+l.conditions()+" ORDER BY "+l.key+" LIMIT "+l.arg(limit), l.args...)
}

// Create implements adminstore.UserTx.
func (t adminTx) Create(ctx context.Context, a *record.Account) (err error) {
	a.DateJoined = t.db.joined(a)
	if a.ID, err = t.db.createAccount(ctx, t.q, a, a.DateJoined); err != nil || !t.db.tables.hasEmail() {
		return err
	}
	key, _ := t.db.tables.key.encode(a.ID)
	return t.db.setAddress(ctx, t.q, a.ID, key, a.Email, false)
}

// Change implements adminstore.UserTx.
func (t adminTx) Change(ctx context.Context, id record.UserID, change record.Change) error {
	key, ok := t.db.tables.key.encode(id)
	if !ok {
		return jotgate.ErrNotFound
	}
	if change.At.IsZero() {
		change.At = t.now
	}
	set, err := t.db.changedRow(change)
	if err != nil {
		return err
	}
	return t.db.changeAccount(ctx, t.q, id, key, set, change)
}

// Delete implements adminstore.UserTx.
func (t adminTx) Delete(ctx context.Context, id record.UserID) error {
	key, ok := t.db.tables.key.encode(id)
	if !ok {
		return jotgate.ErrNotFound
	}
	return t.db.deleteAccount(ctx, t.q, id, key, t.now)
}

// SetGroups implements adminstore.UserTx.
func (t adminTx) SetGroups(ctx context.Context, id record.UserID, groups []int64) error {
	if t.db.tables.groups.table == "" {
		return errNoGroups
	}
	return t.setRights(ctx, id, t.db.tables.groups, "groups", "group_id", "auth_group", groups)
}

// SetPermissions implements adminstore.UserTx.
func (t adminTx) SetPermissions(ctx context.Context, id record.UserID, permissions []int64) error {
	if t.db.tables.direct.table == "" || !t.db.tables.permission {
		return errNoPermissions
	}
	return t.setRights(ctx, id, t.db.tables.direct, "user_permissions", "permission_id", "auth_permission", permissions)
}

// setRights replaces the groups or permissions of a user. field is the name of the
// action's field. If one was removed, the user's tokens are stale.
func (t adminTx) setRights(ctx context.Context, id record.UserID, l link, field, column, other string, others []int64) error {
	key, err := t.locked(ctx, id)
	if err != nil {
		return err
	}
	removed, err := t.setLinks(ctx, l.table, l.user, column, other, key, others)
	if err != nil || !removed {
		return inField(err, field)
	}
	return t.db.staleAccount(ctx, t.q, key)
}

// errNoSuchObject is returned for a link to a row that does not exist.
var errNoSuchObject = errors.New("no such object")

// inField returns the error for a field of links, with the text of Django.
func inField(err error, field string) error {
	if errors.Is(err, errNoSuchObject) {
		return refuse(field, "Select a valid choice. That choice is not one of the available choices.").Because(err)
	}
	return err
}

// setLinks makes the rows of a many-to-many table that belong to owner those to
// others, and reports whether one was removed.
func (t adminTx) setLinks(ctx context.Context, table, ownerColumn, column, other string, owner any, others []int64) (removed bool, err error) {
	others = slices.Clone(others)
	slices.Sort(others)
	others = slices.Compact(others)
	have, err := all(ctx, t.q, value[int64], "SELECT "+column+" FROM "+quote(table)+" WHERE "+quote(ownerColumn)+" = $1", owner)
	if err != nil {
		return false, err
	}
	for _, id := range have {
		if slices.Contains(others, id) {
			continue
		}
		removed = true
		if _, err := run(ctx, t.q, "DELETE FROM "+quote(table)+" WHERE "+quote(ownerColumn)+" = $1 AND "+column+" = $2", owner, id); err != nil {
			return false, err
		}
	}
	for _, id := range others {
		if slices.Contains(have, id) {
			continue
		}
		n, err := run(ctx, t.q, "INSERT INTO "+quote(table)+" ("+quote(ownerColumn)+", "+column+") SELECT $1, o.id FROM "+other+
			" AS o WHERE o.id = "+anyInteger("$2")+" ON CONFLICT DO NOTHING", owner, id)
		if err != nil {
			return false, err
		}
		if n == 0 {
			return false, fmt.Errorf("%w: %s %d", errNoSuchObject, other, id)
		}
	}
	return removed, nil
}

// EndSessions implements adminstore.UserTx.
func (t adminTx) EndSessions(ctx context.Context, which record.Ending) (int, error) {
	return t.db.endSessions(ctx, t.q, which, "")
}

// Session implements adminstore.UserTx.
func (t adminTx) Session(ctx context.Context, id string) (*record.Session, error) {
	session, err := findSession(ctx, t.q, id, t.db.driver.lock("UPDATE"))
	return session, orNotFound(session != nil, err)
}

// RemoveFactors implements adminstore.UserTx.
func (t adminTx) RemoveFactors(ctx context.Context, id record.UserID, factors []int64) error {
	key, ok := t.db.tables.key.encode(id)
	if !ok || !t.db.tables.factors {
		return jotgate.ErrNotFound
	}
	return t.db.changeFactors(ctx, t.q, key, &record.FactorChange{User: id, Remove: factors})
}

// Related implements adminstore.UserTx.
func (t adminTx) Related(ctx context.Context, id record.UserID) (*record.Related, error) {
	key, ok := t.db.tables.key.encode(id)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	related := new(record.Related)
	var err error
	if t.db.tables.social {
		if related.Social, err = listSocial(ctx, t.q, key); err != nil {
			return nil, err
		}
	}
	related.Factors, err = t.db.listFactors(ctx, t.q, key)
	return related, err
}

// Disconnect implements adminstore.UserTx.
func (t adminTx) Disconnect(ctx context.Context, change record.SocialChange) error {
	key, ok := t.db.tables.key.encode(change.User)
	if !ok || !t.db.tables.social {
		return jotgate.ErrNotFound
	}
	sch, password := t.db.tables.schema, ""
	found, err := one(ctx, t.q, []any{&password}, "SELECT COALESCE(password, '') FROM "+quote(sch.Users)+" WHERE "+quote(sch.ID)+" = $1"+t.db.driver.lock("UPDATE"), key)
	if err := orNotFound(found, err); err != nil {
		return err
	}
	return t.db.disconnect(ctx, t.q, key, password, &change)
}

// RevokeAPIKey implements adminstore.UserTx.
func (t adminTx) RevokeAPIKey(ctx context.Context, id record.UserID, key string, now time.Time) error {
	if !storable(string(id) + key) {
		return jotgate.ErrNotFound
	}
	return t.db.revokeAPIKey(ctx, t.q, id, key, now)
}

// record implements adminstore.Tx.Record.
func (t adminTx) record(ctx context.Context, e *record.Event, entry *adminstore.LogEntry) (err error) {
	if e.ID, err = insertEvent(ctx, t.q, *e); err != nil || entry == nil || !t.db.tables.log {
		return err
	}
	actor, ok := t.db.tables.key.encode(e.Actor)
	if !ok { // by command: django_admin_log requires a user
		return nil
	}
	_, err = run(ctx, t.q, `INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, content_type_id, user_id)
VALUES ($1, $2, $3, $4, $5, (SELECT id FROM django_content_type WHERE app_label || '_' || model = $6), $7)`,
		t.db.driver.Time(e.Time), note(entry.Object, 512), cut(entry.Name, 200), int(entry.Flag), note(entry.Message, maxChanges),
		t.db.modelTable(entry.Model), actor)
	return err
}

// try implements adminstore.Tx.Try.
func (t adminTx) try(ctx context.Context, do func() error) error {
	if _, err := run(ctx, t.q, "SAVEPOINT jotgate_try"); err != nil {
		return err
	}
	failed := do()
	if failed != nil {
		if _, err := run(ctx, t.q, "ROLLBACK TO SAVEPOINT jotgate_try"); err != nil {
			return err
		}
	}
	if _, err := run(ctx, t.q, "RELEASE SAVEPOINT jotgate_try"); err != nil {
		return err
	}
	return failed
}

// cut returns at most n characters of a text.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}

// modelTable returns the table of a model, which Django calls app_model unless the
// model has a db_table.
func (s *Store) modelTable(model string) string {
	if model == "user" {
		return s.tables.schema.Users
	}
	return "auth_" + model
}
