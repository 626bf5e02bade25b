package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// A transaction of package admin: groups, keys, e-mails, counters and jobs.

// groupTx implements adminstore.GroupTx.
type groupTx struct{ adminTx }

// Find implements adminstore.GroupTx.
func (t groupTx) Find(ctx context.Context, id int64) (*adminstore.Group, error) {
	return t.db.adminGroup(ctx, t.q, id, t.db.driver.lock("UPDATE"))
}

// Permissions implements adminstore.GroupTx.
func (t groupTx) Permissions(ctx context.Context, ids []int64) ([]adminstore.Permission, error) {
	l := &listing{s: t.db}
	marks := "NULL"
	for _, id := range ids {
		marks += ", " + anyInteger(l.arg(id))
	}
	return all(ctx, t.q, scanAdminPermission, adminPermissions+" WHERE p.id IN ("+marks+") ORDER BY 2, 1", l.args...)
}

// Create implements adminstore.GroupTx.
func (t groupTx) Create(ctx context.Context, name string) (id int64, err error) {
	if t.db.tables.groups.table == "" {
		return 0, errNoGroups
	}
	if err := t.db.groupName(name); err != nil {
		return 0, err
	}
	_, err = one(ctx, t.q, []any{&id}, "INSERT INTO auth_group (name) VALUES ($1) RETURNING id", name)
	return id, t.db.taken(err, errGroupTaken)
}

// Rename implements adminstore.GroupTx.
func (t groupTx) Rename(ctx context.Context, id int64, name string) error {
	if err := t.db.groupName(name); err != nil {
		return err
	}
	if _, err := run(ctx, t.q, "UPDATE auth_group SET name = $1 WHERE id = $2", name, id); err != nil {
		return t.db.taken(err, errGroupTaken)
	}
	return t.db.staleMembers(ctx, t.q, id)
}

// SetPermissions implements adminstore.GroupTx.
func (t groupTx) SetPermissions(ctx context.Context, id int64, permissions []int64) error {
	if !t.db.tables.permission {
		return errNoPermissions
	}
	removed, err := t.setLinks(ctx, "auth_group_permissions", "group_id", "permission_id", "auth_permission", id, permissions)
	if err != nil || !removed {
		return inField(err, "permissions")
	}
	return t.db.staleMembers(ctx, t.q, id)
}

// Delete implements adminstore.GroupTx.
func (t groupTx) Delete(ctx context.Context, id int64) error {
	if err := t.db.staleMembers(ctx, t.q, id); err != nil {
		return err
	}
	texts := []string{"DELETE FROM " + quote(t.db.tables.groups.table) + " WHERE group_id = $1"}
	if t.db.tables.permission {
		texts = append(texts, "DELETE FROM auth_group_permissions WHERE group_id = $1")
	}
	for _, text := range append(texts, "DELETE FROM auth_group WHERE id = $1") {
		if _, err := run(ctx, t.q, text, id); err != nil {
			if t.db.driver.Referred(err) {
				err = ErrReferred.Because(err)
			}
			return err
		}
	}
	return nil
}

// systemTx implements adminstore.SystemTx.
type systemTx struct{ adminTx }

// Key implements adminstore.SystemTx.
func (t systemTx) Key(ctx context.Context, id string) (*record.Key, error) {
	if !storable(id) {
		return nil, jotgate.ErrNotFound
	}
	key, err := single(ctx, t.q, scanKey, "SELECT id, algorithm, state, created, switched, retired, sealed FROM jotgate_key WHERE id = $1"+t.db.driver.lock("UPDATE"), id)
	if err != nil {
		return nil, err
	}
	key.Sealed = nil
	return key, nil
}

// AddKey implements adminstore.SystemTx.
func (t systemTx) AddKey(ctx context.Context, key record.Key) error {
	return t.db.addKey(ctx, t.q, key)
}

// SwitchKey implements adminstore.SystemTx.
func (t systemTx) SwitchKey(ctx context.Context, id string, now time.Time) error {
	return t.db.changeKey(ctx, t.q, func(ctx context.Context, q Queryer) (int, error) { return t.db.switchKey(ctx, q, id, now) })
}

// RetireKey implements adminstore.SystemTx.
func (t systemTx) RetireKey(ctx context.Context, id string, now time.Time) error {
	return t.db.changeKey(ctx, t.q, func(ctx context.Context, q Queryer) (int, error) { return retireKey(ctx, q, id, now) })
}

// DeleteKey implements adminstore.SystemTx.
func (t systemTx) DeleteKey(ctx context.Context, id string) error {
	return t.db.changeKey(ctx, t.q, func(ctx context.Context, q Queryer) (int, error) { return deleteKey(ctx, q, id) })
}

// AddMessage implements adminstore.SystemTx.
func (t systemTx) AddMessage(ctx context.Context, m record.Message) error {
	return addMessage(ctx, t.q, m)
}

// Message implements adminstore.SystemTx.
func (t systemTx) Message(ctx context.Context, id int64) (*adminstore.Message, error) {
	return single(ctx, t.q, scanQueued, "SELECT "+queuedColumns+" FROM jotgate_outbox WHERE id = $1"+t.db.driver.lock("UPDATE"), id)
}

// RetryMessage implements adminstore.SystemTx.
func (t systemTx) RetryMessage(ctx context.Context, id int64, now time.Time) error {
	_, err := run(ctx, t.q, "UPDATE jotgate_outbox SET due = $1 WHERE id = $2", now.UnixMicro(), id)
	return err
}

// DropMessage implements adminstore.SystemTx.
func (t systemTx) DropMessage(ctx context.Context, id int64) error {
	_, err := run(ctx, t.q, "DELETE FROM jotgate_outbox WHERE id = $1", id)
	return err
}

// Failure implements adminstore.SystemTx.
func (t systemTx) Failure(ctx context.Context, key string) (*adminstore.Failure, error) {
	if !storable(key) {
		return nil, jotgate.ErrNotFound
	}
	return single(ctx, t.q, scanFailure, "SELECT key, count, latest FROM jotgate_failure WHERE key = $1"+t.db.driver.lock("UPDATE"), key)
}

// Forgive implements adminstore.SystemTx.
func (t systemTx) Forgive(ctx context.Context, key string) error {
	_, err := run(ctx, t.q, "DELETE FROM jotgate_failure WHERE key = $1", key)
	return err
}

// jobTx implements adminstore.JobTx.
type jobTx struct{ adminTx }

// Create implements adminstore.JobTx.
func (t jobTx) Create(ctx context.Context, j *adminstore.Job) error {
	selection, err := json.Marshal(j.Selection)
	if err != nil {
		return err
	}
	_, err = one(ctx, t.q, []any{&j.ID}, `INSERT INTO jotgate_job (actor, action, selection, state, position, total, done, skipped, undone, parent, created, updated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`, string(j.Actor), j.Action, string(selection), string(j.State), j.Position,
		j.Total, j.Done, j.Skipped, j.Undone, j.Parent, j.Created.UnixMicro(), j.Updated.UnixMicro())
	return err
}

// Find implements adminstore.JobTx.
func (t jobTx) Find(ctx context.Context, id int64) (*adminstore.Job, error) {
	return single(ctx, t.q, scanJob, "SELECT "+jobColumns+" FROM jotgate_job WHERE id = $1"+t.db.driver.lock("UPDATE"), id)
}

// Save implements adminstore.JobTx.
func (t jobTx) Save(ctx context.Context, j *adminstore.Job) error {
	_, err := run(ctx, t.q, "UPDATE jotgate_job SET state = $1, position = $2, done = $3, skipped = $4, undone = $5, parent = $6, updated = $7 WHERE id = $8",
		string(j.State), j.Position, j.Done, j.Skipped, j.Undone, j.Parent, j.Updated.UnixMicro(), j.ID)
	return err
}

// Events implements adminstore.JobTx.
func (t jobTx) Events(ctx context.Context, j *adminstore.Job, after int64, limit int) ([]record.Event, error) {
	return all(ctx, t.q, scanEvent, "SELECT "+eventColumns+" FROM jotgate_event WHERE parent <> 0 AND parent = $1 AND id > $2 ORDER BY id LIMIT $3", j.Parent, after, limit)
}
