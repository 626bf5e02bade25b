package store

import (
	"context"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Second factors: allauth's table mfa_authenticator, and what is used once.

// factors implements [record.Factors]. It is safe for concurrent use.
type factors struct{ s *Store }

var _ record.Factors = factors{}

// Factors implements record.Store: it returns the second factors of the accounts.
func (s *Store) Factors() record.Factors { return factors{s} }

const factorColumns = "id, type, CAST(data AS text), created_at, last_used_at"

func scanFactor(rows rowScanner) (f record.Factor, err error) {
	err = rows.Scan(&f.ID, &f.Type, &f.Data, moment{&f.Created}, moment{&f.LastUsed})
	return f, err
}

// ListFactors implements record.Factors.
func (f factors) ListFactors(ctx context.Context, user record.UserID) ([]record.Factor, error) {
	key, ok := f.s.tables.key.encode(user)
	if !ok || !f.s.tables.factors {
		return nil, nil
	}
	list, err := ask(ctx, f.s, func(ctx context.Context, q Queryer) ([]record.Factor, error) { return f.s.listFactors(ctx, q, key) })
	for i := range list {
		list[i].User = user
	}
	return list, err
}

func (s *Store) listFactors(ctx context.Context, q Queryer, key any) ([]record.Factor, error) {
	if !s.tables.factors {
		return nil, nil
	}
	return all(ctx, q, scanFactor, "SELECT "+factorColumns+" FROM mfa_authenticator WHERE user_id = $1 ORDER BY id LIMIT 100", key)
}

// enter checks and applies the Entry of a new session. The account's row is
// locked.
func (s *Store) enter(ctx context.Context, q Queryer, session *record.Session) error {
	e := &session.Entry
	key, _ := s.tables.key.encode(session.User)
	factors, err := s.listFactors(ctx, q, key)
	if err != nil {
		return err
	}
	if record.FactorSet(factors) != e.Factors {
		return jotgate.ErrNotFound
	}
	if err := s.spend(ctx, q, key, e.Spend, e.Uses, e.Forgive); err != nil {
		return err
	}
	for _, use := range e.Social {
		if err := s.useSocial(ctx, q, key, use, session.Created); err != nil {
			return err
		}
	}
	for _, add := range e.Add {
		if err := s.addFactor(ctx, q, key, add); err != nil {
			return err
		}
	}
	if len(e.Uses) > 0 {
		if err := endReset(ctx, q, session.User); err != nil {
			return err
		}
	}
	if e.Replaces == "" {
		return nil
	}
	n, err := s.endSessions(ctx, q, record.Ending{ID: e.Replaces, User: session.User, Reason: record.EndedByStepUp, Now: session.Created}, "")
	if err == nil && n == 0 {
		err = jotgate.ErrTokenBlacklisted
	}
	return err
}

// spend inserts what is used once, applies the uses of factors of the user with
// this key, and removes counters.
func (s *Store) spend(ctx context.Context, q Queryer, key any, spent []record.Spent, uses []record.FactorUse, forgive []string) error {
	for _, p := range spent {
		n, err := run(ctx, q, "INSERT INTO jotgate_spent (id, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", note(p.ID, 128), p.Expires.UnixMicro())
		if err != nil {
			return err
		}
		if n == 0 {
			return jotgate.ErrLoginNotValid
		}
	}
	for _, u := range uses {
		args := []any{u.New, u.ID, key, u.Old}
		text := "UPDATE mfa_authenticator SET data = $1"
		if !u.LastUsed.IsZero() {
			text, args = text+", last_used_at = $5", append(args, s.driver.Time(u.LastUsed.UTC().Truncate(time.Microsecond)))
		}
		n, err := run(ctx, q, text+" WHERE id = $2 AND user_id = $3 AND data = $4", args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return jotgate.ErrCodeNotValid
		}
	}
	for _, key := range slices.Sorted(slices.Values(forgive)) {
		if _, err := run(ctx, q, "DELETE FROM jotgate_failure WHERE key = $1", failureKey(key)); err != nil {
			return err
		}
	}
	return nil
}

// hasSecondFactor reports whether the user of a token without a session has a
// second factor.
func (s *Store) hasSecondFactor(ctx context.Context, q Queryer, r record.Rotation) (bool, error) {
	key, ok := s.tables.key.encode(r.User)
	if r.OwnUsers || !ok {
		return false, nil
	}
	factors, err := s.listFactors(ctx, q, key)
	return record.FactorSet(factors) != "", err
}

// ChangeFactors implements record.Factors.
func (f factors) ChangeFactors(ctx context.Context, change record.FactorChange) error {
	key, ok := f.s.tables.key.encode(change.User)
	if !ok || !f.s.tables.factors {
		return jotgate.ErrNotFound
	}
	return f.s.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return f.s.changeFactors(ctx, q, key, &change) })
}

func (s *Store) changeFactors(ctx context.Context, q Queryer, key any, change *record.FactorChange) error {
	sch := s.tables.schema
	var password string // an UPDATE locks the row against sessions that start concurrently
	found, err := one(ctx, q, []any{&password}, "UPDATE "+quote(sch.Users)+" SET password = password WHERE "+quote(sch.ID)+" = $1 RETURNING "+s.tables.password(quote(sch.Users)), key)
	if err != nil {
		return err
	}
	if !found || change.IfPassword != nil && *change.IfPassword != password {
		return jotgate.ErrNotFound
	}
	if change.IfFactors != nil {
		factors, err := s.listFactors(ctx, q, key)
		if err != nil {
			return err
		}
		if record.FactorSet(factors) != *change.IfFactors {
			return jotgate.ErrNotFound
		}
	}
	if change.IfSocial != nil && s.tables.social {
		rows, err := listSocial(ctx, q, key)
		if err != nil {
			return err
		}
		if !slices.Equal(idsExcept(rows, 0), *change.IfSocial) {
			return jotgate.ErrNotFound
		}
	}
	if err := s.spend(ctx, q, key, change.Spend, change.Uses, change.Forgive); err != nil {
		return err
	}
	if err := s.removeFactors(ctx, q, key, change.Remove); err != nil {
		return err
	}
	for _, add := range change.Add {
		if err := s.addFactor(ctx, q, key, add); err != nil {
			return err
		}
	}
	if change.EndReset {
		if err := endReset(ctx, q, change.User); err != nil {
			return err
		}
	}
	if change.EndSessions == "" {
		return nil
	}
	_, err = s.endSessions(ctx, q, record.Ending{User: change.User, Except: change.KeepSession, Reason: change.EndSessions, Now: change.At}, "")
	return err
}

func (s *Store) addFactor(ctx context.Context, q Queryer, key any, add *record.Factor) error {
	var lastUsed any
	if !add.LastUsed.IsZero() {
		lastUsed = s.driver.Time(add.LastUsed.UTC().Truncate(time.Microsecond))
	}
	_, err := one(ctx, q, []any{&add.ID}, "INSERT INTO mfa_authenticator (type, data, user_id, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
		string(add.Type), add.Data, key, s.driver.Time(add.Created.UTC().Truncate(time.Microsecond)), lastUsed)
	return s.taken(err, jotgate.ErrTaken)
}

// removeFactors deletes rows of the user and, with the last second factor, the
// recovery codes.
func (s *Store) removeFactors(ctx context.Context, q Queryer, key any, ids []int64) error {
	for _, id := range ids {
		n, err := run(ctx, q, "DELETE FROM mfa_authenticator WHERE id = "+anyInteger("$1")+" AND user_id = $2", id, key)
		if err != nil {
			return err
		}
		if n == 0 {
			return jotgate.ErrNotFound
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := run(ctx, q, `DELETE FROM mfa_authenticator WHERE user_id = $1 AND type = 'recovery_codes' AND NOT EXISTS
(SELECT 1 FROM mfa_authenticator AS o WHERE o.user_id = $1 AND o.type <> 'recovery_codes')`, key)
	return err
}

// CountAttempt implements record.Factors.
func (f factors) CountAttempt(ctx context.Context, key string, before record.Failure, now time.Time) (bool, error) {
	n, err := act(ctx, f.s, func(ctx context.Context, q Queryer) (int, error) {
		if before.Count == 0 {
			return run(ctx, q, "INSERT INTO jotgate_failure (key, count, latest) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING", failureKey(key), now.UnixMicro())
		}
		return run(ctx, q, "UPDATE jotgate_failure SET count = count + 1, latest = $2 WHERE key = $1 AND count = $3 AND latest = $4",
			failureKey(key), now.UnixMicro(), before.Count, before.Last.UnixMicro())
	})
	return n > 0, err
}

// RequestReset implements record.Factors.
func (f factors) RequestReset(ctx context.Context, r record.FactorReset) error {
	return f.s.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		_, err := run(ctx, q, `INSERT INTO jotgate_factor_reset (user_id, requester, reason, due) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET requester = excluded.requester, reason = excluded.reason, due = excluded.due`,
			note(string(r.User), 64), note(string(r.By), 64), note(r.Reason, 1024), r.Due.UnixMicro())
		return err
	})
}

// PendingReset implements record.Factors.
func (f factors) PendingReset(ctx context.Context, user record.UserID) (*record.FactorReset, error) {
	r := record.FactorReset{User: user}
	found, err := ask(ctx, f.s, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{&r.By, &r.Reason, instant{&r.Due}}, "SELECT requester, reason, due FROM jotgate_factor_reset WHERE user_id = $1", note(string(user), 64))
	})
	if err != nil || !found {
		return nil, err
	}
	return &r, nil
}

func endReset(ctx context.Context, q Queryer, user record.UserID) error {
	_, err := run(ctx, q, "DELETE FROM jotgate_factor_reset WHERE user_id = $1", string(user))
	return err
}

// GraceStart implements record.Factors.
func (f factors) GraceStart(ctx context.Context, user record.UserID, now time.Time) (since time.Time, err error) {
	id := note(string(user), 64)
	err = f.s.write(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{instant{&since}}, `INSERT INTO jotgate_grace (user_id, since) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET since = jotgate_grace.since RETURNING since`, id, now.UnixMicro())
		return err
	})
	return since, err
}

// Setting implements record.Factors.
func (f factors) Setting(ctx context.Context, name string) (value string, err error) {
	err = f.s.read(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&value}, "SELECT value FROM jotgate_setting WHERE name = $1", note(name, 64))
		return err
	})
	return value, err
}

// PinSetting implements record.Factors.
func (f factors) PinSetting(ctx context.Context, name, value string) (stored string, err error) {
	err = f.s.write(ctx, func(ctx context.Context, q Queryer) error {
		_, err := one(ctx, q, []any{&stored}, `INSERT INTO jotgate_setting (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = jotgate_setting.value RETURNING value`, note(name, 64), note(value, 1024))
		return err
	})
	return stored, err
}

// purgeSpent deletes at most limit rows that expired before now.
func purgeSpent(ctx context.Context, q Queryer, now time.Time, limit int) (int, error) {
	return run(ctx, q, "DELETE FROM jotgate_spent WHERE id IN (SELECT id FROM jotgate_spent WHERE expires < $1 LIMIT $2)", now.UnixMicro(), limit)
}

// authTime returns t as jotgate_session stores it; the zero time is 0.
func authTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
