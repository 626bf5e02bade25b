package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Rotation: one use of a refresh token. The rules are record.Rotation's.

// RotateSession implements record.Sessions. The winner is found by one
// conditional UPDATE; whoever it passes over is told why by a look at the row.
func (s *Store) RotateSession(ctx context.Context, r record.Rotation) (record.Rotated, error) {
	if !storable(r.Session + r.Presented + r.Next + string(r.User)) {
		return record.Rotated{}, jotgate.ErrTokenBlacklisted
	}
	ctx, cancel := deadline(ctx)
	defer cancel()
	if r.Keep {
		if out, err := s.kept(ctx, r); err != nil || out.Session.ID != "" {
			return out, err
		}
	}
	for try := 0; ; try++ {
		var out rotation
		err := s.write(ctx, func(ctx context.Context, q Queryer) (err error) {
			out, err = s.rotateSession(ctx, q, r)
			return err
		})
		switch {
		case errors.Is(err, errAgain) && try < 3:
		case err != nil:
			return record.Rotated{}, err
		case out.refusal != nil:
			return record.Rotated{}, out.refusal
		default:
			return out.Rotated, nil
		}
	}
}

// kept answers a refresh that neither rotates nor has to write anything; the
// zero Rotated says that the long way must decide.
func (s *Store) kept(ctx context.Context, r record.Rotation) (out record.Rotated, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		row, err := findSession(ctx, q, r.Session, "")
		if err != nil || row == nil || row.User != r.User || row.JTI != r.Presented || !row.Ended.IsZero() ||
			over(row, r) || !row.LastSeen.After(r.Now.Add(-time.Minute)) {
			return err
		}
		if black, err := s.blacklisted(ctx, q, r.Presented); err != nil || black {
			return err
		}
		key, _ := s.tables.key.encode(r.User)
		account, err := s.accountOf(ctx, q, r, key)
		if err == nil {
			out = record.Rotated{Session: *row, Account: account}
		}
		return err
	})
	return out, err
}

// rotation is the outcome of a rotation that is committed: also a refusal may
// have ended the session.
type rotation struct {
	record.Rotated
	refusal error
}

func (s *Store) rotateSession(ctx context.Context, q Queryer, r record.Rotation) (out rotation, err error) {
	key, ok := any(nil), r.OwnUsers
	if !ok {
		if key, ok = s.tables.key.encode(r.User); !ok {
			return out, jotgate.ErrNoAccountForToken
		}
	}
	if r.Adopt != nil {
		if err := s.adopt(ctx, q, r); err != nil {
			return out, err
		}
	}
	won, err := s.take(ctx, q, r, key)
	if err != nil {
		return out, err
	}
	if won == nil {
		return s.passedOver(ctx, q, r, key)
	}
	out.Session = *won
	if !r.Keep {
		if err := s.succeed(ctx, q, r, won); err != nil {
			return out, err
		}
	}
	out.Account, err = s.accountOf(ctx, q, r, key)
	return out, err
}

// adopt inserts the session of a token that Django issued, unless it is there
// or must not be.
func (s *Store) adopt(ctx context.Context, q Queryer, r record.Rotation) error {
	if black, err := s.blacklisted(ctx, q, r.Presented); err != nil || black {
		return err
	}
	if !r.OwnUsers {
		if ok, err := s.active(ctx, q, r.User, new(string)); err != nil || !ok {
			return orNoAccount(err)
		}
	}
	_, err := insertSession(ctx, q, r.Adopt, " ON CONFLICT (id) DO NOTHING")
	return err
}

const takeText = `UPDATE jotgate_session SET previous_jti = jti, jti = $1, rotated = $2, last_seen = $2,
expires = CASE WHEN created + $4 < $3 THEN created + $4 ELSE $3 END,
expires_day = CASE WHEN created + $4 < $3 THEN created + $4 ELSE $3 END / 86400000000, address = $5, user_agent = $6
WHERE id = $7 AND user_id = $8 AND jti = $9 AND ended IS NULL AND expires > $2 AND created + $4 > $2`

const keepText = `UPDATE jotgate_session SET last_seen = CASE WHEN last_seen > CAST($1 AS bigint) - 60000000 THEN last_seen ELSE CAST($1 AS bigint) END
WHERE id = $2 AND user_id = $3 AND created + $4 > $1 AND jti = $5 AND ended IS NULL AND expires > $1`

// lifetime is how long the session may live from its creation on, in
// microseconds: for ever is more than any time that a row can hold.
func lifetime(r record.Rotation) int64 {
	if r.Lifetime <= 0 {
		return 1 << 61
	}
	return r.Lifetime.Microseconds()
}

// over reports whether the session has reached its end without being ended.
func over(row *record.Session, r record.Rotation) bool {
	return !row.Expires.After(r.Now) || row.Created.UnixMicro()+lifetime(r) <= r.Now.UnixMicro()
}

// take is the one conditional UPDATE; nil when it passes over r.
func (s *Store) take(ctx context.Context, q Queryer, r record.Rotation, key any) (*record.Session, error) {
	now := r.Now.UnixMicro()
	text, args := takeText, []any{
		r.Next, now, r.Expires.UnixMicro(), lifetime(r), note(r.Address, 64), note(r.UserAgent, 512),
		r.Session, string(r.User), r.Presented,
	}
	if r.Keep {
		text, args = keepText, []any{now, r.Session, string(r.User), lifetime(r), r.Presented}
	}
	if s.tables.blacklist { // of the jti, the last argument in both
		text += fmt.Sprintf(" AND NOT "+blacklistedCondition, len(args))
	}
	if !r.OwnUsers {
		args = append(args, key)
		text += fmt.Sprintf(" AND "+s.texts.guard, len(args))
	}
	list, err := all(ctx, q, scanSession, text+" RETURNING "+sessionColumns, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// succeed tells Django's tables of a rotation.
func (s *Store) succeed(ctx context.Context, q Queryer, r record.Rotation, won *record.Session) error {
	if err := s.blacklist(ctx, q, won, r.Presented, r.Now); err != nil {
		return err
	}
	return s.addOutstanding(ctx, q, won.User, won.JTI, r.Now, won.Expires)
}

// accountOf reads the account that a rotation answers with.
func (s *Store) accountOf(ctx context.Context, q Queryer, r record.Rotation, key any) (*record.Account, error) {
	if r.OwnUsers {
		return nil, nil
	}
	list, err := all(ctx, q, scanAccount, s.texts.byID, key)
	if err != nil || len(list) == 0 || !list[0].IsActive {
		return nil, orNoAccount(err)
	}
	return list[0], nil
}

// errAgain says that the row changed between the UPDATE and the look at it.
var errAgain = errors.New("a session changed while it was read")

// passedOver tells why take did not take.
func (s *Store) passedOver(ctx context.Context, q Queryer, r record.Rotation, key any) (out rotation, err error) {
	row, err := findSession(ctx, q, r.Session, s.driver.lock("UPDATE"))
	if err != nil {
		return out, err
	}
	if row == nil || row.User != r.User || !row.Ended.IsZero() && row.EndReason != record.EndedByAccount {
		return out, jotgate.ErrTokenBlacklisted
	}
	if out.Account, err = s.accountOf(ctx, q, r, key); err != nil {
		return out, err
	}
	if !row.Ended.IsZero() || over(row, r) {
		return out, jotgate.ErrTokenBlacklisted
	}
	out.Session = *row
	return s.judge(ctx, q, r, out)
}

// judge looks at a live session of an active account: a logout at Django, a
// retry, or reuse.
func (s *Store) judge(ctx context.Context, q Queryer, r record.Rotation, out rotation) (rotation, error) {
	row := out.Session
	black, err := s.blacklisted(ctx, q, row.JTI)
	switch {
	case err != nil:
		return out, err
	case black: // jotgate blacklists only what a newer token replaced
		return s.endBecause(ctx, q, r, record.EndedByDjango, jotgate.ErrTokenBlacklisted)
	case r.Presented == row.JTI:
		return out, errAgain
	case r.Presented == row.PreviousJTI && r.Now.Before(row.Rotated.Add(r.Grace)):
		out.Retry = true
		return out, nil
	}
	return s.endBecause(ctx, q, r, record.EndedByReuse, jotgate.ErrTokenReused)
}

// endBecause ends the session for a reason found while rotating; the refusal
// is answered after the commit.
func (s *Store) endBecause(ctx context.Context, q Queryer, r record.Rotation, reason record.EndReason, refusal error) (rotation, error) {
	_, err := s.endSessions(ctx, q, record.Ending{User: r.User, ID: r.Session, Reason: reason, Now: r.Now})
	if err == nil {
		err = addEvent(ctx, q, record.Event{
			Time: r.Now, Name: string(reason), User: r.User, Session: r.Session,
			Address: r.Address, UserAgent: r.UserAgent, Detail: "the session was ended",
		})
	}
	return rotation{refusal: refusal}, err
}
