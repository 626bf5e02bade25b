package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
)

// API keys: the table jotgate_api_key.

type apiKeys struct{ db *Store }

var _ apikey.Store = apiKeys{}

// APIKeys returns the storage of package apikey: the API keys of programs.
func (s *Store) APIKeys() apikey.Store { return apiKeys{s} }

const apiKeyColumns = "id, digest, user_id, name, scopes, networks, created, expires, used, used_address, replacement, revoked"

func scanAPIKey(rows rowScanner) (apikey.Key, error) { return scanAPIKeyAnd(rows) }

// scanAPIKeyAnd reads the columns of apiKeyColumns, and more after them.
func scanAPIKeyAnd(rows rowScanner, more ...any) (k apikey.Key, err error) {
	var scopes, networks string
	err = rows.Scan(append([]any{
		&k.ID, &k.Digest, &k.User, &k.Name, &scopes, &networks,
		instant{&k.Created},
		instant{&k.Expires},
		instant{&k.Used},
		&k.UsedAddress, &k.Replacement,
		instant{&k.Revoked},
	}, more...)...)
	k.Scopes = strings.Fields(scopes)
	k.Networks = []netip.Prefix{}
	for _, text := range strings.Fields(networks) {
		network, wrong := netip.ParsePrefix(text)
		if wrong != nil && err == nil {
			// Without its networks the key could be used anywhere.
			err = fmt.Errorf("the networks of the API key %s: %w", k.ID, wrong)
		}
		k.Networks = append(k.Networks, network)
	}
	return k, err
}

// Find implements apikey.Store.
func (ks apiKeys) Find(ctx context.Context, id string) (*apikey.Key, error) {
	if !storable(id) {
		return nil, jotgate.ErrNotFound
	}
	return ask(ctx, ks.db, func(ctx context.Context, q Queryer) (*apikey.Key, error) {
		return single(ctx, q, ks.db.tables.scanOwnedKey, ks.db.texts.ownedKey, id)
	})
}

// ownedKey returns the statement that reads an API key and its owner, if there is one,
// by the primary keys of both.
func (t *tables) ownedKey() string {
	return "SELECT k." + strings.ReplaceAll(apiKeyColumns, ", ", ", k.") + ", " + strings.Join(t.accountColumns(), ", ") +
		" FROM jotgate_api_key AS k LEFT JOIN " + quote(t.schema.Users) + " AS u ON u." + quote(t.schema.ID) + " = " + t.keyOfText("k.user_id") +
		t.groupJoin() + " WHERE k.id = $1"
}

func (t *tables) scanOwnedKey(rows rowScanner) (apikey.Key, error) {
	a := t.accountRow()
	columns := a.columns()
	for i, to := range columns {
		columns[i] = orNull{to}
	}
	k, err := scanAPIKeyAnd(rows, columns...)
	if a.ID != "" {
		k.Owner = a.account()
	}
	return k, err
}

// orNull scans a column, and leaves the variable as it is if the column is NULL.
type orNull struct{ to any }

// Scan implements sql.Scanner.
func (n orNull) Scan(v any) error {
	if v == nil {
		return nil
	}
	switch to := n.to.(type) {
	case sql.Scanner:
		return to.Scan(v)
	case *string:
		return scanInto(to, v)
	case *int64:
		return scanInto(to, v)
	case **string:
		*to = new(string)
		return scanInto(*to, v)
	case **int64:
		*to = new(int64)
		return scanInto(*to, v)
	}
	return fmt.Errorf("a column of the type %T", n.to) // unreachable: accountRow has no other
}

func scanInto[T any](to *T, v any) error {
	var value sql.Null[T]
	err := value.Scan(v)
	*to = value.V
	return err
}

// List implements apikey.Store.
func (ks apiKeys) List(ctx context.Context, user record.UserID) ([]apikey.Key, error) {
	if !storable(string(user)) {
		return nil, nil
	}
	return ask(ctx, ks.db, func(ctx context.Context, q Queryer) ([]apikey.Key, error) {
		return all(ctx, q, scanAPIKey, "SELECT "+apiKeyColumns+` FROM jotgate_api_key WHERE user_id = $1 AND revoked IS NULL
ORDER BY created DESC, id LIMIT 1000`, string(user))
	})
}

// liveAPIKey is the condition that a key is live at the time $1.
const liveAPIKey = "revoked IS NULL AND (expires IS NULL OR expires > $1)"

// Add implements apikey.Store.
func (ks apiKeys) Add(ctx context.Context, key apikey.Key) error {
	return ks.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		if err := ks.db.lockOwner(ctx, q, key.User); err != nil {
			return err
		}
		var live int
		if _, err := one(ctx, q, []any{&live}, "SELECT COUNT(*) FROM jotgate_api_key WHERE user_id = $2 AND "+liveAPIKey,
			key.Created.UnixMicro(), string(key.User)); err != nil {
			return err
		}
		if live >= apikey.MaxKeys {
			return apikey.ErrLimit
		}
		return ks.db.insertAPIKey(ctx, q, key)
	})
}

// lockOwner makes concurrent changes of the keys of one user wait for each other. An
// account that is not in the table of users has no row to lock.
func (s *Store) lockOwner(ctx context.Context, q Queryer, user record.UserID) error {
	key, ok := s.tables.key.encode(user)
	if !ok || !s.driver.Locks {
		return nil
	}
	sch := s.tables.schema
	_, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM "+quote(sch.Users)+" WHERE "+quote(sch.ID)+" = $1"+s.driver.lock("NO KEY UPDATE"), key)
	return err
}

func (s *Store) insertAPIKey(ctx context.Context, q Queryer, key apikey.Key) error {
	networks := make([]string, len(key.Networks))
	for i, network := range key.Networks {
		networks[i] = network.String()
	}
	_, err := run(ctx, q, `INSERT INTO jotgate_api_key (id, digest, user_id, name, scopes, networks, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, key.ID, key.Digest, string(key.User), note(key.Name, 400), strings.Join(key.Scopes, " "),
		strings.Join(networks, " "), key.Created.UnixMicro(), micros(key.Expires))
	return s.taken(err, jotgate.ErrTaken)
}

// Rotate implements apikey.Store.
func (ks apiKeys) Rotate(ctx context.Context, old string, next apikey.Key, until time.Time) error {
	if !storable(old) {
		return jotgate.ErrNotFound
	}
	now := next.Created.UnixMicro()
	return ks.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		// min and LEAST have different names in the two databases.
		n, err := run(ctx, q, `UPDATE jotgate_api_key SET replacement = $2, expires = CASE WHEN expires < $3 THEN expires ELSE $3 END
WHERE id = $4 AND user_id = $5 AND replacement = '' AND `+liveAPIKey, now, next.ID, until.UnixMicro(), old, string(next.User))
		if err := orNotFound(n > 0, err); err != nil {
			return err
		}
		if !until.After(next.Created) {
			if err := ks.db.revokeAPIKey(ctx, q, next.User, old, next.Created); err != nil {
				return err
			}
		}
		return ks.db.insertAPIKey(ctx, q, next)
	})
}

// Revoke implements apikey.Store.
func (ks apiKeys) Revoke(ctx context.Context, user record.UserID, id string, now time.Time) error {
	if !storable(id + string(user)) {
		return jotgate.ErrNotFound
	}
	return ks.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return ks.db.revokeAPIKey(ctx, q, user, id, now) })
}

func (s *Store) revokeAPIKey(ctx context.Context, q Queryer, user record.UserID, id string, now time.Time) error {
	n, err := run(ctx, q, "UPDATE jotgate_api_key SET revoked = $1 WHERE id = $2 AND ($3 = '' OR user_id = $3) AND revoked IS NULL",
		now.UnixMicro(), id, string(user))
	if err := orNotFound(n > 0, err); err != nil {
		return err
	}
	return s.revoke(ctx, q, record.Revocation{Session: (&apikey.Key{ID: id}).Session(), Made: now})
}

// Touch implements apikey.Store.
func (ks apiKeys) Touch(ctx context.Context, uses []apikey.Use) error {
	return ks.db.write(ctx, func(ctx context.Context, q Queryer) error {
		for _, use := range uses {
			if !storable(use.ID) {
				continue
			}
			if _, err := run(ctx, q, "UPDATE jotgate_api_key SET used = $1, used_address = $2 WHERE id = $3 AND (used IS NULL OR used < $1)",
				use.Time.UnixMicro(), note(use.Address, 64), use.ID); err != nil {
				return err
			}
			if use.Digest == "" {
				continue
			}
			if _, err := run(ctx, q, "UPDATE jotgate_api_key SET digest = $1 WHERE id = $2 AND digest LIKE '%$%'", use.Digest, use.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanDjangoAPIKey(rows rowScanner) (k apikey.Key, err error) {
	var revoked bool
	err = rows.Scan(&k.ID, &k.Digest, &k.Name, moment{&k.Created}, moment{&k.Expires}, &revoked)
	if revoked {
		k.Revoked = k.Created
	}
	return k, err
}

// DjangoAPIKeys lists the keys in a table of djangorestframework-api-key, oldest first,
// for an import. They have no owner and no scopes. The Revoked of a revoked key is not
// zero.
func DjangoAPIKeys(ctx context.Context, s *Store, table string) ([]apikey.Key, error) {
	columns, err := s.driver.columns(ctx, table)
	if err != nil {
		return nil, s.driver.unavailable(err)
	}
	names := []string{"prefix", "hashed_key", "name", "created", "expiry_date", "revoked"}
	for _, name := range names {
		if !slices.ContainsFunc(columns[table], func(c column) bool { return c.name == name }) {
			return nil, fmt.Errorf("the database has no table %s of djangorestframework-api-key with a column %s", table, name)
		}
	}
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]apikey.Key, error) {
		return all(ctx, q, scanDjangoAPIKey, "SELECT "+strings.Join(names, ", ")+" FROM "+quote(table)+" ORDER BY created, prefix")
	})
}

// Expiring implements apikey.Store.
func (ks apiKeys) Expiring(ctx context.Context, now, before time.Time, limit int) ([]apikey.Key, error) {
	return ask(ctx, ks.db, func(ctx context.Context, q Queryer) ([]apikey.Key, error) {
		return all(ctx, q, scanAPIKey, "SELECT "+apiKeyColumns+` FROM jotgate_api_key
WHERE expires > $1 AND expires < $2 AND revoked IS NULL AND replacement = '' AND NOT reminded ORDER BY expires, id LIMIT $3`,
			now.UnixMicro(), before.UnixMicro(), limit)
	})
}

// Remind implements apikey.Store.
func (ks apiKeys) Remind(ctx context.Context, id string, message *record.Message) error {
	return ks.db.write(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, "UPDATE jotgate_api_key SET reminded = TRUE WHERE id = $1 AND NOT reminded AND revoked IS NULL", id)
		if err != nil || n == 0 || message == nil {
			return err
		}
		return addMessage(ctx, q, *message)
	})
}

// Purge implements apikey.Store.
func (ks apiKeys) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return act(ctx, ks.db, func(ctx context.Context, q Queryer) (int, error) {
		return run(ctx, q, `DELETE FROM jotgate_api_key WHERE id IN
(SELECT id FROM jotgate_api_key WHERE expires < $1 OR revoked < $1 LIMIT $2)`, before.UnixMicro(), limit)
	})
}
