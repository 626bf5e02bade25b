package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// E-mail addresses: allauth's table account_emailaddress, which stores
// addresses in lower case.

// hasEmail reports whether the user model has a column for the address.
func (t *tables) hasEmail() bool { _, ok := t.user[t.schema.Email]; return ok }

// SignUp implements record.Addresses.
func (ads addresses) SignUp(ctx context.Context, a *record.Account, await *record.Pending) error {
	var id record.UserID
	joined := ads.db.joined(a)
	event := record.AttachedTo(ctx)
	ctx, err := ads.db.beforeName(ctx, a.Username, "")
	if err != nil {
		return err
	}
	err = ads.db.write(ctx, func(ctx context.Context, q Queryer) (err error) {
		if id, err = ads.db.createAccount(ctx, q, a, joined); err != nil {
			return err
		}
		if key, ok := ads.db.tables.key.encode(id); ok {
			err = ads.db.setAddress(ctx, q, id, key, a.Email, false)
		}
		if err == nil && await != nil {
			err = addPending(ctx, q, id, *await)
		}
		if err != nil {
			return err
		}
		return addAttached(ctx, q, event, id)
	})
	if err == nil {
		a.ID, a.DateJoined = id, joined
	}
	return ads.db.rejected(err)
}

// Verified implements record.Addresses.
func (ads addresses) Verified(ctx context.Context, id record.UserID, email string) (verified, listed bool, err error) {
	key, ok := ads.db.tables.key.encode(id)
	if !ok || !storable(email) {
		return false, false, nil
	}
	err = ads.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		if ads.db.tables.addresses {
			listed, err = one(ctx, q, []any{&verified}, `SELECT EXISTS (SELECT 1 FROM account_emailaddress WHERE user_id = $1 AND email = $2 AND verified)
FROM account_emailaddress WHERE user_id = $1 LIMIT 1`, key, strings.ToLower(email))
		}
		if err != nil || listed {
			return err
		}
		listed, err = one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_pending WHERE user_id = $1 AND purpose = 'unverified' LIMIT 1", string(id))
		return err
	})
	return verified, listed, err
}

// setAddress makes email the account's primary address and replaces the
// previous one. A verified address stays verified.
func (s *Store) setAddress(ctx context.Context, q Queryer, id record.UserID, key any, email string, verified bool) error {
	email = strings.ToLower(email)
	if _, err := run(ctx, q, "DELETE FROM jotgate_pending WHERE user_id = $1 AND purpose = 'unverified'", string(id)); err != nil {
		return err
	}
	listed := 0
	if s.tables.addresses {
		if err := dropPrimary(ctx, q, key, email); err != nil || email == "" {
			return err
		}
		var err error
		if listed, err = listAddress(ctx, q, key, email, verified); err != nil {
			return err
		}
	}
	if listed > 0 || verified || email == "" {
		return nil
	}
	return addPending(ctx, q, id, record.Pending{Purpose: record.PendingUnverified, Email: email, Created: s.driver.Now()})
}

// dropPrimary removes the primary address unless it is email.
func dropPrimary(ctx context.Context, q Queryer, key any, email string) error {
	if err := dropConfirmations(ctx, q, ` AND "primary" AND email <> $2`, key, email); err != nil {
		return err
	}
	_, err := run(ctx, q, `DELETE FROM account_emailaddress WHERE user_id = $1 AND "primary" AND email <> $2`, key, email)
	return err
}

// listAddress lists email as the primary address, and as verified unless it
// is verified for another account. It returns 0 if the table lists the
// address for another account only.
func listAddress(ctx context.Context, q Queryer, key any, email string, verified bool) (int, error) {
	if _, err := run(ctx, q, `INSERT INTO account_emailaddress (email, verified, "primary", user_id)
VALUES ($1, FALSE, TRUE, $2) ON CONFLICT DO NOTHING`, email, key); err != nil {
		return 0, err
	}
	n, err := run(ctx, q, `UPDATE account_emailaddress SET "primary" = TRUE WHERE user_id = $1 AND email = $2`, key, email)
	if err == nil && verified {
		_, err = run(ctx, q, `UPDATE account_emailaddress SET verified = TRUE WHERE user_id = $1 AND email = $2
AND NOT EXISTS (SELECT 1 FROM account_emailaddress AS o WHERE o.email = $2 AND o.verified AND o.user_id <> $1)`, key, email)
	}
	return n, err
}

// dropConfirmations deletes the confirmations of the user's addresses.
func dropConfirmations(ctx context.Context, q Queryer, which string, args ...any) error {
	_, err := run(ctx, q, `DELETE FROM account_emailconfirmation WHERE email_address_id IN
(SELECT id FROM account_emailaddress WHERE user_id = $1`+which+")", args...)
	return err
}

// addressOrder returns the sort key of accounts by the state of their
// address: verified, unknown, unverified.
func (t *tables) addressOrder() string {
	if !t.addresses {
		return ""
	}
	return "COALESCE((SELECT MIN(CASE WHEN e.verified THEN 0 ELSE 2 END) FROM account_emailaddress AS e WHERE e.user_id = u." +
		quote(t.schema.ID) + " AND e.email = LOWER(u." + quote(t.schema.Email) + ")), 1), "
}

// Spend implements record.Addresses. The counters are rows of jotgate_failure.
func (ads addresses) Spend(ctx context.Context, keys []string, limit int, now time.Time, window time.Duration) (bool, error) {
	err := ads.db.write(ctx, func(ctx context.Context, q Queryer) error {
		for _, key := range slices.Sorted(slices.Values(keys)) {
			n, err := run(ctx, q, spendText, failureKey(key), now.UnixMicro(), now.Add(-window).UnixMicro(), limit)
			if err != nil {
				return err
			}
			if n == 0 {
				return errSpent
			}
		}
		return nil
	})
	if errors.Is(err, errSpent) {
		return false, nil
	}
	return err == nil, err
}

var errSpent = &jotgate.Error{Status: 429, Detail: "A counter has reached its limit."}

const spendText = `INSERT INTO jotgate_failure (key, count, latest) VALUES ($1, 1, $2)
ON CONFLICT (key) DO UPDATE SET count = CASE WHEN jotgate_failure.latest <= $3 THEN 1 ELSE jotgate_failure.count + 1 END,
latest = excluded.latest WHERE jotgate_failure.latest <= $3 OR jotgate_failure.count < $4`
