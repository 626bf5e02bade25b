package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Ending sessions, and the feed of what was revoked.

// EndSessions implements record.Sessions.
func (s *Store) EndSessions(ctx context.Context, which record.Ending) (n int, err error) {
	return act(ctx, s, func(ctx context.Context, q Queryer) (int, error) {
		return s.endSessions(ctx, q, which)
	})
}

func (s *Store) endSessions(ctx context.Context, q Queryer, which record.Ending) (int, error) {
	text, args, ok := endingText(which)
	if !ok {
		return 0, nil
	}
	if err := s.adoptEnded(ctx, q, which); err != nil {
		return 0, err
	}
	ended, err := all(ctx, q, scanSession, text+" RETURNING "+sessionColumns, args...)
	if err != nil {
		return 0, err
	}
	for _, e := range ended {
		if err := s.revoke(ctx, q, record.Revocation{Session: e.ID, Made: which.Now}); err != nil {
			return 0, err
		}
		if err := s.blacklist(ctx, q, &e, e.JTI, which.Now); err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}

// endingText is the UPDATE that ends what which names; ok is false when it
// names nothing that can be in the table.
func endingText(which record.Ending) (text string, args []any, ok bool) {
	if which.User == "" && which.ID == "" || !storable(string(which.User)+which.ID+which.Except+which.IfJTI) {
		return "", nil, false
	}
	arg := func(v any) string { args = append(args, v); return "$" + strconv.Itoa(len(args)) }
	text = "UPDATE jotgate_session SET ended = " + arg(which.Now.UnixMicro()) + ", end_reason = " + arg(string(which.Reason)) + " WHERE ended IS NULL"
	if which.ID != "" {
		text += " AND id = " + arg(which.ID)
		if which.IfJTI != "" {
			text += " AND " + arg(which.IfJTI) + " IN (jti, previous_jti)"
		}
	}
	if which.User != "" {
		text += " AND user_id = " + arg(string(which.User))
	}
	if which.Except != "" {
		text += " AND id <> " + arg(which.Except)
	}
	return text, args, true
}

// adoptEnded inserts the session of a token that Django issued, live, so that
// it is ended with the others.
func (s *Store) adoptEnded(ctx context.Context, q Queryer, which record.Ending) error {
	a := which.Adopt
	if a == nil || a.ID != which.ID || which.User != "" && a.User != which.User || which.IfJTI != "" && a.JTI != which.IfJTI {
		return nil // what is inserted must be what is ended
	}
	_, err := insertSession(ctx, q, a, " ON CONFLICT (id) DO NOTHING")
	return err
}

// revoke adds an entry to the feed and, where there are other nodes, has them
// told when the transaction commits.
func (s *Store) revoke(ctx context.Context, q Queryer, r record.Revocation) error {
	_, err := run(ctx, q, "INSERT INTO jotgate_revocation (session, user_id, username, not_before, made) VALUES ($1, $2, $3, $4, $5)",
		r.Session, string(r.User), r.Username, micros(r.NotBefore), r.Made.UnixMicro())
	if err == nil {
		err = s.announce(ctx, q)
	}
	return err
}

// announce tells other nodes, when the transaction commits, that there is
// something to read.
func (s *Store) announce(ctx context.Context, q Queryer) error {
	if s.driver.Notify == "" {
		return nil
	}
	_, err := q.ExecContext(ctx, s.driver.Notify)
	return err
}

// feedLimit is how many revocations one answer holds.
const feedLimit = 10_000

// overlap is how far back rows are listed again, because a transaction that
// took its number earlier may commit later.
const overlap = 10 * time.Second

// Revocations implements record.Sessions. What is new comes first; rows
// listed again fill the room that is left, the youngest of them first, so that
// a burst cannot keep the feed from moving on.
func (s *Store) Revocations(ctx context.Context, after int64, since time.Time) (list []record.Revocation, err error) {
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]record.Revocation, error) {
		return revocations(ctx, q, after, since)
	})
}

const revocationColumns = "SELECT seq, session, user_id, username, not_before, made FROM jotgate_revocation"

func revocations(ctx context.Context, q Queryer, after int64, since time.Time) ([]record.Revocation, error) {
	fresh, err := all(ctx, q, scanRevocation, revocationColumns+" WHERE seq > $1 AND made >= $2 ORDER BY seq LIMIT $3",
		after, since.UnixMicro(), feedLimit)
	if err != nil || len(fresh) == feedLimit {
		return fresh, err
	}
	again, err := all(ctx, q, scanRevocation, revocationColumns+` WHERE seq <= $1 AND made >= $2
AND made >= (SELECT MAX(made) FROM jotgate_revocation) - $3 ORDER BY seq DESC LIMIT $4`,
		after, since.UnixMicro(), overlap.Microseconds(), feedLimit-len(fresh))
	slices.Reverse(again)
	return append(again, fresh...), err
}

func scanRevocation(rows rowScanner) (r record.Revocation, err error) {
	err = rows.Scan(&r.Seq, &r.Session, &r.User, &r.Username, instant{&r.NotBefore}, instant{&r.Made})
	return r, err
}
