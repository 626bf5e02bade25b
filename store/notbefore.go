package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Tokens without a session: the time up to which they are invalid, and
// changes of accounts that were not made by jotgate.

// The values of the column claim in jotgate_not_before.
const (
	byID       = "id"
	byUsername = "username"
)

// voidText keeps the later time and locks the row until the transaction ends,
// so that no session is created concurrently for a token that the time
// invalidates. Each call with a time moves it, if only by a microsecond, so that
// what was sealed for the time before is void whatever the clocks of the nodes
// say; 0 only locks.
const voidText = `INSERT INTO jotgate_not_before (claim, value, not_before) VALUES ($1, $2, $3)
ON CONFLICT (claim, value) DO UPDATE SET not_before =
CASE WHEN excluded.not_before > jotgate_not_before.not_before THEN excluded.not_before
WHEN excluded.not_before = 0 THEN jotgate_not_before.not_before ELSE jotgate_not_before.not_before + 1 END
RETURNING not_before`

// void invalidates tokens without a session that were issued at or before at.
func void(ctx context.Context, q Queryer, claim, value string, at time.Time) error {
	_, err := one(ctx, q, []any{new(int64)}, voidText, claim, value, at.UnixMicro())
	return err
}

const notBeforeText = `SELECT COALESCE(MAX(not_before), 0) FROM jotgate_not_before
WHERE claim = 'id' AND value = $1 OR claim = 'username' AND value = $2`

// NotBefore implements record.Sessions.
func (ss sessions) NotBefore(ctx context.Context, user record.UserID, username string) (time.Time, error) {
	if !storable(string(user) + username) {
		return time.Time{}, nil
	}
	return ask(ctx, ss.db, func(ctx context.Context, q Queryer) (time.Time, error) {
		return notBefore(ctx, q, user, username)
	})
}

func notBefore(ctx context.Context, q Queryer, user record.UserID, username string) (time.Time, error) {
	var at int64
	if _, err := one(ctx, q, []any{&at}, notBeforeText, string(user), username); err != nil || at == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(at).UTC(), nil
}

// voided reports whether the token for which a is to be adopted is invalid,
// and locks that state until the transaction ends.
func (s *Store) voided(ctx context.Context, q Queryer, a *record.Session) (bool, error) {
	if err := void(ctx, q, byID, string(a.User), time.UnixMicro(0)); err != nil {
		return false, err
	}
	at, err := notBefore(ctx, q, a.User, a.Adopted.Username)
	return !at.IsZero() && a.Adopted.Issued.Unix() <= at.Unix(), err // the zero time if the token has no iat
}

// correctable is the largest difference between the clocks of a node and of the
// database that is corrected. A larger one is an error; doctor warns of any.
const correctable = time.Minute

// shared returns the time of the database in place of now, that of this node, which
// may be behind or ahead of the nodes, and the Django, whose tokens are revoked.
func (s *Store) shared(ctx context.Context, q Queryer, now time.Time) (time.Time, error) {
	if !s.driver.Locks { // all nodes are processes of one machine
		return now, nil
	}
	var there time.Time
	_, err := one(ctx, q, []any{instant{&there}}, "SELECT "+s.driver.Clock)
	if err == nil && there.Sub(now).Abs() <= correctable {
		return there, nil
	}
	return now, err
}

// voidUser invalidates the user's tokens without a session on all nodes, and the
// codes that were sent to it. If the account is no longer active, it invalidates
// all access tokens; their sessions end too, so this is a precaution.
func (s *Store) voidUser(ctx context.Context, q Queryer, which record.Ending) (err error) {
	if which.Now, err = s.shared(ctx, q, which.Now); err != nil {
		return err
	}
	// The rows remain, so that the next request for a code does not disclose it.
	if _, err := run(ctx, q, "UPDATE jotgate_login_code SET user_id = '' WHERE user_id = $1", string(which.User)); err != nil {
		return err
	}
	if err := void(ctx, q, byID, string(which.User), which.Now); err != nil {
		return err
	}
	if key, ok := s.tables.key.encode(which.User); ok {
		_, err := one(ctx, q, []any{&which.Username}, "SELECT "+s.tables.username(quote(s.tables.schema.Users))+" FROM "+quote(s.tables.schema.Users)+
			" WHERE "+quote(s.tables.schema.ID)+" = $1", key)
		if err != nil {
			return err
		}
	}
	return s.revoke(ctx, q, record.Revocation{
		User: which.User, Username: which.Username, NotBefore: which.Now, Made: which.Now,
		Sessionless: which.Reason != record.EndedByAccount && which.Reason != record.EndedByRestore,
	})
}
