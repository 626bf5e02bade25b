package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Sessions: one row per login. rotate.go rotates them, ending.go ends them.

// lifeColumns are the columns that a rotation reads: it knows the others.
const (
	sessionColumns = "id, user_id, last_seen, address, user_agent, jti, previous_jti, rotated, ended, end_reason, password_digest, " + lifeColumns
	lifeColumns    = "created, expires, token_expires, auth_time, amr, acr, actor, provider"
)

// sessionRow is a row of sessionColumns.
type sessionRow struct {
	record.Session
	tokenExpires, authTime int64
	actor                  string
	day                    int64 // expires_day, if it was read
}

// columns returns what sessionColumns are scanned into, except lifeColumns.
func (r *sessionRow) columns() []any {
	return []any{
		&r.ID, &r.User,
		instant{&r.LastSeen},
		&r.Address, &r.UserAgent, &r.JTI,
		&r.PreviousJTI,
		instant{&r.Rotated},
		instant{&r.Ended},
		&r.EndReason, &r.PasswordDigest,
	}
}

// life returns what lifeColumns are scanned into.
func (r *sessionRow) life() []any {
	return append(make([]any, 0, 20), instant{&r.Created}, instant{&r.Expires}, &r.tokenExpires, &r.authTime, &r.AMR, &r.ACR, &r.actor, &r.Provider)
}

// session returns the session of a row that was scanned.
func (r *sessionRow) session() *record.Session {
	r.ActorSession, r.Actor = splitActor(r.actor)
	if r.tokenExpires != 0 {
		r.Adopted.Expires = time.UnixMicro(r.tokenExpires).UTC()
	}
	if r.authTime != 0 {
		r.AuthTime = time.UnixMicro(r.authTime).UTC()
	}
	return &r.Session
}

// scanSession reads sessionColumns.
func scanSession(rows rowScanner) (record.Session, error) {
	var r sessionRow
	err := rows.Scan(append(r.columns(), r.life()...)...)
	return *r.session(), err
}

// Create implements record.Sessions.
func (ss sessions) Create(ctx context.Context, session *record.Session, ifPassword string) error {
	return ss.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		return ss.db.createSession(ctx, q, session, ifPassword)
	})
}

func (s *Store) createSession(ctx context.Context, q Queryer, session *record.Session, ifPassword string) error {
	if err := lockOrigins(ctx, q, session.Created, session.Entry.Social...); err != nil {
		return err
	}
	if !session.OwnUsers {
		a, ok, err := s.active(ctx, q, session.User)
		if err != nil {
			return err
		}
		if !ok || a.password != ifPassword || session.Username != "" && session.Username != a.username {
			return jotgate.ErrNotFound
		}
		session.PasswordDigest = record.DigestPassword(a.password)
		if a.remembered != session.PasswordDigest {
			e := record.Event{Time: session.Created, User: session.User, Session: session.ID, Address: session.Address, UserAgent: session.UserAgent}
			if _, err := s.endOfPassword(ctx, q, e, a); err != nil {
				return err
			}
		}
		if err := s.enter(ctx, q, session); err != nil {
			return err
		}
	}
	if _, err := insertSession(ctx, q, session, ""); err != nil {
		return err
	}
	if err := setOrigin(ctx, q, session); err != nil {
		return err
	}
	if err := s.addOutstanding(ctx, q, session.User, session.JTI, session.Created, session.Expires); err != nil {
		return err
	}
	return addEvent(ctx, q, record.Event{
		Time: session.Created, Name: "login", User: session.User, Session: session.ID,
		Address: session.Address, UserAgent: session.UserAgent, Endpoint: session.Entry.Endpoint,
	})
}

// activeAccount is what decides about the sessions of an active account.
type activeAccount struct {
	password, username string
	remembered         string // the digest in jotgate_password, or ""
}

// active reads an account if it exists and is active, and locks these facts
// until the transaction ends.
func (s *Store) active(ctx context.Context, q Queryer, id record.UserID) (a activeAccount, ok bool, err error) {
	key, ok := s.tables.key.encode(id)
	if !ok {
		return a, false, nil
	}
	ok, err = one(ctx, q, []any{&a.password, &a.username, &a.remembered}, s.texts.active, key, string(id))
	return a, ok, err
}

const insertSessionText = `INSERT INTO jotgate_session
(id, user_id, created, last_seen, address, user_agent, jti, previous_jti, rotated, expires, expires_day, ended, end_reason, password_digest, token_expires, username, auth_time, amr, acr, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`

// insertSession inserts a row; conflict is "" or an ON CONFLICT clause.
func insertSession(ctx context.Context, q Queryer, s *record.Session, conflict string) (int, error) {
	if !storable(s.ID+s.JTI+s.PreviousJTI+string(s.User)+string(s.Actor)+s.ActorSession+identifying(s)) || s.ID == "" {
		return 0, jotgate.ErrTokenInvalid
	}
	tokenExpires := int64(0)
	if a := s.Adopted.Expires; !a.IsZero() {
		tokenExpires = a.UnixMicro()
	}
	return run(ctx, q, insertSessionText+conflict, s.ID, string(s.User), s.Created.UnixMicro(), s.LastSeen.UnixMicro(),
		note(s.Address, 64), note(s.UserAgent, 512), s.JTI, s.PreviousJTI, micros(s.Rotated),
		s.Expires.UnixMicro(), lastDay(s), micros(s.Ended), string(s.EndReason), s.PasswordDigest, tokenExpires, identifying(s),
		authTime(s.AuthTime), note(s.AMR, 128), note(s.ACR, 64), joinActor(s))
}

// lastDay returns the day on which the last of the session's tokens expires.
func lastDay(s *record.Session) int64 {
	return max(day(s.Expires), day(s.Adopted.Expires))
}

// identifying returns the username by which the session's tokens identify the
// user, or "".
func identifying(s *record.Session) string {
	if !s.ByUsername {
		return ""
	}
	return s.Username
}

// endNamed ends the sessions whose tokens identify the account by the
// username that it gives up. The account's row is locked, so no such session
// is created concurrently.
func (s *Store) endNamed(ctx context.Context, q Queryer, id record.UserID, at time.Time) error {
	ids, err := all(ctx, q, value[string], "SELECT id FROM jotgate_session WHERE user_id = $1 AND ended IS NULL AND username <> ''", string(id))
	if err != nil {
		return err
	}
	for _, session := range ids {
		which := record.Ending{ID: session, User: id, Reason: record.EndedByUsername, Now: at}
		if _, err := s.endSessions(ctx, q, which, ""); err != nil {
			return err
		}
	}
	return nil
}

// Find implements record.Sessions.
func (ss sessions) Find(ctx context.Context, id string) (session *record.Session, err error) {
	err = ss.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		session, err = findSession(ctx, q, id, "")
		return err
	})
	return session, orNotFound(session != nil, err)
}

// findSession returns nil if there is no such session. lock is "" or the
// clause that locks the row until the transaction ends.
func findSession(ctx context.Context, q Queryer, id, lock string) (*record.Session, error) {
	if !storable(id) {
		return nil, nil
	}
	list, err := all(ctx, q, scanSession, "SELECT "+sessionColumns+" FROM jotgate_session WHERE id = $1"+lock, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// List implements record.Sessions.
func (ss sessions) List(ctx context.Context, user record.UserID, now time.Time) (list []record.Session, err error) {
	if !storable(string(user)) {
		return nil, nil
	}
	return ask(ctx, ss.db, func(ctx context.Context, q Queryer) ([]record.Session, error) {
		return all(ctx, q, scanSession, "SELECT "+sessionColumns+` FROM jotgate_session
WHERE user_id = $1 AND ended IS NULL AND expires > $2 ORDER BY created DESC, id LIMIT 1000`, string(user), now.UnixMicro())
	})
}

// Purge implements record.Sessions.
func (ss sessions) Purge(ctx context.Context, now, keep time.Time, limit int) (n int, err error) {
	return act(ctx, ss.db, func(ctx context.Context, q Queryer) (int, error) {
		return ss.db.purge(ctx, q, now, keep, limit)
	})
}

// purgeTexts are the statements of Purge: each deletes at most $2 rows from
// before $1.
var purgeTexts = []string{
	"DELETE FROM jotgate_session WHERE id IN (SELECT id FROM jotgate_session WHERE expires_day <= $1 / 86400000000 AND expires < $1 AND token_expires < $1 LIMIT $2)",
	"DELETE FROM jotgate_revocation WHERE seq IN (SELECT seq FROM jotgate_revocation WHERE made < $1 LIMIT $2)",
	// 30 days after their expiry: until then an administrator can send them again.
	"DELETE FROM jotgate_invitation WHERE id IN (SELECT id FROM jotgate_invitation WHERE expires < $1 - 2592000000000 LIMIT $2)",
}

func (s *Store) purge(ctx context.Context, q Queryer, now, keep time.Time, limit int) (total int, err error) {
	for _, text := range purgeTexts {
		n, err := run(ctx, q, text, keep.UnixMicro(), limit)
		if err != nil {
			return 0, err
		}
		total += n
	}
	n, err := s.purgeOutstanding(ctx, q, now, limit)
	if err != nil {
		return 0, err
	}
	m, err := purgePending(ctx, q, now, limit)
	if err != nil {
		return 0, err
	}
	spent, err := purgeSpent(ctx, q, now, limit)
	if err != nil {
		return 0, err
	}
	codes, err := purgeLoginCodes(ctx, q, now, limit)
	return total + n + m + spent + codes, err
}
