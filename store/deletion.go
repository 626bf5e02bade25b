package store

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Accounts that are deleted after some time: the table jotgate_deletion.

// pendingTable returns the table of the pending rows with a purpose.
func pendingTable(purpose record.Purpose) string {
	if purpose == record.PendingDeletion {
		return "jotgate_deletion"
	}
	return "jotgate_pending"
}

// DueDeletions implements record.Deletions.
func (s *Store) DueDeletions(ctx context.Context, now time.Time, after record.UserID, limit int) ([]record.Pending, error) {
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]record.Pending, error) {
		return all(ctx, q, scanPending, `SELECT user_id, purpose, email, nonce, created, expires FROM jotgate_deletion
WHERE expires <= $1 AND user_id > $2 ORDER BY user_id LIMIT $3`, now.UnixMicro(), string(after), limit)
	})
}

// errKept rolls nothing back: the row of the deletion is deleted, the account is not.
var errKept = errors.New("the account is in use again")

// DeleteDue implements record.Deletions.
func (s *Store) DeleteDue(ctx context.Context, p record.Pending) (deleted bool, err error) {
	key, ok := s.tables.key.encode(p.User)
	if !ok {
		return false, jotgate.ErrNotFound
	}
	now := s.driver.Now().UTC().Truncate(time.Microsecond)
	event := record.AttachedTo(ctx)
	err = s.write(ctx, func(ctx context.Context, q Queryer) error {
		deleted = false
		switch err := s.lockUnused(ctx, q, key, p); {
		case errors.Is(err, errKept):
			return settleIfThere(ctx, q, p)
		case err != nil:
			return err
		}
		if err := settle(ctx, q, p.User, []record.Pending{p}); err != nil {
			return err
		}
		deleted = true
		if err := s.deleteAccount(ctx, q, p.User, key, now); err != nil {
			return err
		}
		return addAttached(ctx, q, event, "")
	})
	switch {
	case errors.Is(err, jotgate.ErrNotFound): // restored, or deleted by another process
		return false, nil
	case err != nil && s.driver.Referred(err):
		return false, ErrReferred.Because(err)
	}
	return deleted && err == nil, err
}

// lockUnused locks the account's row. It returns errKept if the account is gone,
// active, or has started a session since p was created.
func (s *Store) lockUnused(ctx context.Context, q Queryer, key any, p record.Pending) error {
	sch := s.tables.schema
	where := ""
	if _, ok := s.tables.user["is_active"]; ok {
		where = " AND COALESCE(is_active, FALSE) = FALSE"
	}
	found, err := one(ctx, q, []any{new(int)}, "UPDATE "+quote(sch.Users)+" SET password = password WHERE "+quote(sch.ID)+" = $1"+where+" RETURNING 1", key)
	if err != nil {
		return err
	}
	used, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_event WHERE user_id = $1 AND event = 'login' AND made > $2 LIMIT 1", string(p.User), p.Created.UnixMicro())
	if err == nil && (!found || used) {
		err = errKept
	}
	return err
}

// settleIfThere deletes the row, if it is still there.
func settleIfThere(ctx context.Context, q Queryer, p record.Pending) error {
	if err := settle(ctx, q, p.User, []record.Pending{p}); !errors.Is(err, jotgate.ErrNotFound) {
		return err
	}
	return nil
}
