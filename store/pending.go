package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Changes that wait until the user follows a link: the table jotgate_pending.

// Pending implements record.Addresses.
func (ads addresses) Pending(ctx context.Context, user record.UserID, purpose record.Purpose) ([]record.Pending, error) {
	return ask(ctx, ads.db, func(ctx context.Context, q Queryer) ([]record.Pending, error) {
		return all(ctx, q, scanPending, `SELECT user_id, purpose, email, nonce, created, expires FROM `+pendingTable(purpose)+` AS p
WHERE user_id = $1 AND purpose = $2`+notLoggedIn+`
ORDER BY created DESC, email LIMIT 100`, note(string(user), 64), string(purpose))
	})
}

// notLoggedIn is the condition that no login has shown since that the account was
// activated elsewhere.
const notLoggedIn = ` AND (purpose <> 'activation' OR NOT EXISTS
(SELECT 1 FROM jotgate_event AS e WHERE e.user_id = p.user_id AND e.event = 'login' AND e.made >= p.created))`

func scanPending(rows rowScanner) (p record.Pending, err error) {
	err = rows.Scan(&p.User, &p.Purpose, &p.Email, &p.Nonce, instant{&p.Created}, instant{&p.Expires})
	return p, err
}

// AddPending implements record.Addresses.
func (ads addresses) AddPending(ctx context.Context, p record.Pending) error {
	return ads.db.write(ctx, func(ctx context.Context, q Queryer) error { return addPending(ctx, q, p.User, p) })
}

func addPending(ctx context.Context, q Queryer, user record.UserID, p record.Pending) error {
	if !storable(p.Email + p.Nonce) {
		return refuse("email", "Not a valid string.")
	}
	if p.Purpose == record.PendingEmailChange || p.Purpose == record.PendingDeletion {
		if err := forget(ctx, q, user, p.Purpose); err != nil {
			return err
		}
	}
	_, err := run(ctx, q, `INSERT INTO `+pendingTable(p.Purpose)+` (user_id, purpose, email, nonce, created, expires) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, purpose, email) DO UPDATE SET nonce = excluded.nonce, created = excluded.created, expires = excluded.expires`,
		string(user), string(p.Purpose), p.Email, p.Nonce, p.Created.UnixMicro(), micros(p.Expires))
	return err
}

func forget(ctx context.Context, q Queryer, user record.UserID, purpose record.Purpose) error {
	_, err := run(ctx, q, "DELETE FROM "+pendingTable(purpose)+" WHERE user_id = $1 AND purpose = $2", string(user), string(purpose))
	return err
}

// purgePending deletes at most limit rows that expired before now.
func purgePending(ctx context.Context, q Queryer, now time.Time, limit int) (int, error) {
	return run(ctx, q, `DELETE FROM jotgate_pending WHERE (user_id, purpose, email) IN
(SELECT user_id, purpose, email FROM jotgate_pending WHERE expires < $1 LIMIT $2)`, now.UnixMicro(), limit)
}

// settle deletes the rows that a change settles. It returns ErrNotFound if
// one of them is missing or has another nonce.
func settle(ctx context.Context, q Queryer, user record.UserID, settled []record.Pending) error {
	for _, p := range settled {
		n, err := run(ctx, q, "DELETE FROM "+pendingTable(p.Purpose)+" WHERE user_id = $1 AND purpose = $2 AND email = $3 AND nonce = $4",
			string(user), string(p.Purpose), p.Email, p.Nonce)
		if err != nil {
			return err
		}
		if n == 0 {
			return jotgate.ErrNotFound
		}
		if p.Purpose != record.PendingEmailUndo {
			continue
		}
		// A later undo would restore an address that this one removes.
		if _, err := run(ctx, q, "DELETE FROM jotgate_pending WHERE user_id = $1 AND purpose = $2 AND created >= $3",
			string(user), string(p.Purpose), p.Created.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// changePending applies what a change says about pending rows and the
// address. It runs after the account's row was changed, and therefore locked.
func (s *Store) changePending(ctx context.Context, q Queryer, id record.UserID, key any, email string, change *record.Change) error {
	if err := settle(ctx, q, id, change.Settle); err != nil {
		return err
	}
	drop := change.Forget
	if change.IsActive != nil && !*change.IsActive {
		drop = append(slices.Clone(drop), record.PendingActivation, record.PendingDeletion)
	} else if change.IsActive != nil {
		drop = append(slices.Clone(drop), record.PendingDeletion)
	}
	for _, purpose := range drop {
		if err := forget(ctx, q, id, purpose); err != nil {
			return err
		}
	}
	for _, p := range change.Await {
		if err := addPending(ctx, q, id, p); err != nil {
			return err
		}
	}
	changed := change.Email != nil || change.Username != nil && s.tables.loginIsEmail()
	if !changed && !change.VerifyEmail || !s.tables.hasEmail() {
		return nil
	}
	doubtful, err := s.doubtful(ctx, q, id, key, email, change)
	if err != nil {
		return err
	}
	if doubtful {
		if err := s.reclaim(ctx, q, id, key, change.At); err != nil {
			return err
		}
	}
	return s.setAddress(ctx, q, id, key, email, change.VerifyEmail)
}

// doubtful reports whether a change shows that another person may have set up the
// account: its address was not verified until now, or its owner undoes a change of the
// address.
func (s *Store) doubtful(ctx context.Context, q Queryer, id record.UserID, key any, email string, change *record.Change) (found bool, err error) {
	switch {
	case slices.ContainsFunc(change.Settle, func(p record.Pending) bool { return p.Purpose == record.PendingEmailUndo }):
		return true, nil
	case !change.Reclaim || !change.VerifyEmail:
		return false, nil
	}
	found, err = one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_pending WHERE user_id = $1 AND purpose = 'unverified' LIMIT 1", string(id))
	if err == nil && !found && s.tables.addresses {
		found, err = one(ctx, q, []any{new(int)}, "SELECT 1 FROM account_emailaddress WHERE user_id = $1 AND email = $2 AND NOT verified", key, strings.ToLower(email))
	}
	return found, err
}

// reclaim removes what allows a login without the password: accounts at providers and
// API keys. Second factors stay: a link in an e-mail must not remove them.
func (s *Store) reclaim(ctx context.Context, q Queryer, id record.UserID, key any, at time.Time) error {
	if s.tables.social {
		if err := s.dropTokens(ctx, q, "user_id = $1", key); err != nil {
			return err
		}
		if _, err := run(ctx, q, "DELETE FROM socialaccount_socialaccount WHERE user_id = $1", key); err != nil {
			return err
		}
	}
	keys, err := all(ctx, q, scanAPIKey, "SELECT "+apiKeyColumns+" FROM jotgate_api_key WHERE user_id = $1 AND revoked IS NULL", string(id))
	for _, k := range keys {
		if err := s.revokeAPIKey(ctx, q, id, k.ID, at); err != nil {
			return err
		}
	}
	return err
}
