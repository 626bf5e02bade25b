package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// SimpleJWT's token_blacklist tables. If they exist, jotgate both reads and
// writes them. It never writes the text of a token: the column holds "".

// blacklistedCondition is true if the jti in the placeholder %d is
// blacklisted.
const blacklistedCondition = `EXISTS (SELECT 1 FROM token_blacklist_outstandingtoken AS o
JOIN token_blacklist_blacklistedtoken AS b ON b.token_id = o.id WHERE o.jti = $%d)`

const blacklistedText = `SELECT 1 FROM token_blacklist_outstandingtoken AS o
JOIN token_blacklist_blacklistedtoken AS b ON b.token_id = o.id WHERE o.jti = $1`

// Blacklisted implements record.Sessions.
func (ss sessions) Blacklisted(ctx context.Context, jti string) (black bool, err error) {
	return ask(ctx, ss.db, func(ctx context.Context, q Queryer) (bool, error) {
		return ss.db.blacklisted(ctx, q, jti)
	})
}

func (s *Store) blacklisted(ctx context.Context, q Queryer, jti string) (bool, error) {
	if !s.tables.blacklist || !storable(jti) {
		return false, nil
	}
	var n int
	return one(ctx, q, []any{&n}, blacklistedText, jti)
}

// addOutstanding records a token as SimpleJWT's for_user does. If the user
// table has no such row, as with the program's own users, user_id is NULL.
func (s *Store) addOutstanding(ctx context.Context, q Queryer, user record.UserID, jti string, created, expires time.Time) error {
	if !s.tables.blacklist {
		return nil
	}
	key, known := any(nil), false
	if k, ok := s.tables.key.encode(user); ok {
		var n int
		found, err := one(ctx, q, []any{&n}, "SELECT 1 FROM "+quote(s.tables.schema.Users)+" WHERE "+quote(s.tables.schema.ID)+" = $1", k)
		if err != nil {
			return err
		}
		key, known = k, found
	}
	if !known {
		key = nil
	}
	_, err := run(ctx, q, `INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (jti) DO NOTHING`, "", s.driver.Time(created), s.driver.Time(expires), key, jti)
	return err
}

// blacklist records that the jti of a session is spent.
func (s *Store) blacklist(ctx context.Context, q Queryer, session *record.Session, jti string, now time.Time) error {
	if !s.tables.blacklist || jti == "" {
		return nil
	}
	if err := s.addOutstanding(ctx, q, session.User, jti, session.Created, session.Expires); err != nil {
		return err
	}
	_, err := run(ctx, q, `INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id)
SELECT $1, id FROM token_blacklist_outstandingtoken WHERE jti = $2 ON CONFLICT (token_id) DO NOTHING`, s.driver.Time(now), jti)
	return err
}

// blacklistUser records that all outstanding tokens of the user are spent,
// including those that Django issued, but not those of live sessions.
func (s *Store) blacklistUser(ctx context.Context, q Queryer, which record.Ending) error {
	key, known := s.tables.key.encode(which.User)
	if !s.tables.blacklist || !known {
		return nil
	}
	_, err := run(ctx, q, `INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id)
SELECT $1, o.id FROM token_blacklist_outstandingtoken AS o WHERE o.user_id = $2
AND o.jti NOT IN (SELECT jti FROM jotgate_session WHERE user_id = $3 AND ended IS NULL) ON CONFLICT (token_id) DO NOTHING`,
		s.driver.Time(which.Now), key, string(which.User))
	return err
}

// purgeOutstanding deletes one batch of the rows that manage.py
// flushexpiredtokens deletes.
func (s *Store) purgeOutstanding(ctx context.Context, q Queryer, now time.Time, limit int) (int, error) {
	if !s.tables.blacklist {
		return 0, nil
	}
	ids, err := all(ctx, q, value[int64], "SELECT id FROM token_blacklist_outstandingtoken WHERE expires_at <= $1 ORDER BY id LIMIT $2",
		s.driver.Time(now), limit)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		for _, text := range []string{
			"DELETE FROM token_blacklist_blacklistedtoken WHERE token_id = $1",
			"DELETE FROM token_blacklist_outstandingtoken WHERE id = $1",
		} {
			if _, err := run(ctx, q, text, id); err != nil {
				return 0, err
			}
		}
	}
	return len(ids), nil
}
