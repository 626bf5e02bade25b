package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Rotation: one use of a refresh token. The rules are documented at
// record.Rotation.

// Rotate implements record.Sessions. One conditional UPDATE decides
// which request wins; if it updates no row, the row is read to find out why.
func (ss sessions) Rotate(ctx context.Context, r record.Rotation) (record.Rotated, error) {
	if !storable(r.Session + r.Presented + r.Next + string(r.User)) {
		return record.Rotated{}, jotgate.ErrTokenBlacklisted
	}
	ctx, cancel := ss.db.driver.deadline(ctx)
	defer cancel()
	if r.Keep {
		if out, err := ss.db.kept(ctx, r); err != nil || out.Session.ID != "" {
			return out, err
		}
	}
	for try := 0; ; try++ {
		var out rotation
		err := ss.db.write(ctx, func(ctx context.Context, q Queryer) (err error) {
			out, err = ss.db.rotateSession(ctx, q, r)
			return err
		})
		if errors.Is(err, errChanged) { // if the account did not change after all, try again
			if done, failed := ss.db.endChanged(ctx, rotationEvent(r)); failed != nil {
				return record.Rotated{}, failed
			} else if done {
				return record.Rotated{}, out.refusal
			}
			err = errAgain
		}
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

// kept handles a refresh that neither rotates nor writes anything. If the
// full rotation has to decide, it returns the zero Rotated.
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
		account, err := s.accountOf(ctx, q, r, key, "")
		if err == nil && (r.OwnUsers || account != nil && row.PasswordDigest == record.DigestPassword(account.Password)) {
			out = record.Rotated{Session: *row, Account: account}
		}
		return err
	})
	return out, err
}

// rotation is the outcome of a committed rotation. A refusal is also
// committed, because it may have ended the session.
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
	lock := ""
	if r.Adopt != nil {
		lock = s.driver.lock("SHARE OF u")
	}
	if out.Account, err = s.accountOf(ctx, q, r, key, lock); err != nil {
		return out, err
	}
	reason := jotgate.ErrTokenBlacklisted // if there is no session
	if r.Adopt != nil {
		if reason, err = s.adopt(ctx, q, r, &out); err != nil {
			return out, err
		}
	}
	won, err := s.take(ctx, q, r, key, out.Account)
	if err != nil {
		return out, err
	}
	if won == nil {
		return s.passedOver(ctx, q, r, key, reason)
	}
	out.Session = *won
	if !r.Keep {
		err = s.succeed(ctx, q, r, won)
	}
	return out, err
}

// The reasons why a token without a session is not adopted. A client sees
// ErrTokenBlacklisted in each case.
var (
	errBlacklisted = jotgate.ErrTokenBlacklisted.Because(errors.New("the token is blacklisted at Django"))
	errVoid        = jotgate.ErrTokenBlacklisted.Because(errors.New("the token was issued before all tokens of its user were revoked"))
	errVoidUndated = jotgate.ErrTokenBlacklisted.Because(errors.New("iat is missing, so the token may be older than a revocation of its user's tokens"))
	errFormerOwner = jotgate.ErrTokenBlacklisted.Because(errors.New("the token names an earlier owner of the username"))
	errOneFactor   = jotgate.ErrTokenBlacklisted.Because(errors.New("the user has a second factor, which a token of Django does not prove"))
)

// adopt inserts the session of a token that Django issued, unless it already
// exists or must not be adopted: then it returns the reason, which counts if
// there is no session. out.Account is locked.
func (s *Store) adopt(ctx context.Context, q Queryer, r record.Rotation, out *rotation) (reason *jotgate.Error, err error) {
	if black, err := s.blacklisted(ctx, q, r.Presented); err != nil || black {
		return errBlacklisted, err
	}
	a, active := *r.Adopt, r.OwnUsers || out.Account != nil
	if out.Account != nil {
		if a.Username != "" && a.Username != out.Account.Username {
			return errFormerOwner, nil
		}
		a.PasswordDigest = record.DigestPassword(out.Account.Password)
	}
	void, err := s.voided(ctx, q, &a)
	switch {
	case err != nil:
		return nil, err
	case void && active && a.Adopted.Issued.IsZero():
		return errVoidUndated, nil
	case void && active:
		return errVoid, nil
	case void:
		return nil, jotgate.ErrNoAccountForToken
	case !active:
		out.refusal = jotgate.ErrNoAccountForToken
		return nil, errChanged
	}
	if second, err := s.hasSecondFactor(ctx, q, r); err != nil || second {
		return nil, cmp.Or(err, error(errOneFactor))
	}
	if !r.OwnUsers {
		known, err := remembered(ctx, q, r.User)
		if err != nil {
			return nil, err
		}
		if changed, err := passwordChanged(ctx, q, r.User, known, a.PasswordDigest); err != nil || changed {
			out.refusal = jotgate.ErrTokenBlacklisted
			return nil, orChanged(err)
		}
		if _, err := remember(ctx, q, r.User, known, a.PasswordDigest); err != nil {
			return nil, err
		}
	}
	_, err = insertSession(ctx, q, &a, " ON CONFLICT (id) DO NOTHING")
	return jotgate.ErrTokenBlacklisted, err
}

// takeText leaves expires_day alone: SQLite writes a page of its index even if the value
// stays, and it changes once a day.
const takeText = `UPDATE jotgate_session SET previous_jti = jti, jti = $1, rotated = $2, last_seen = $2,
expires = CASE WHEN actor <> '' THEN expires WHEN created + $4 < $3 THEN created + $4 ELSE $3 END,
address = $5, user_agent = $6, password_digest = $7
WHERE id = $8 AND user_id = $9 AND ended IS NULL AND expires > $2 AND created + $4 > $2 AND password_digest IN ('', $7) AND jti = $10`

const keepText = `UPDATE jotgate_session SET last_seen = CASE WHEN last_seen > CAST($1 AS bigint) - 60000000 THEN last_seen ELSE CAST($1 AS bigint) END,
password_digest = $2
WHERE id = $3 AND user_id = $4 AND created + $5 > $1 AND ended IS NULL AND expires > $1 AND password_digest IN ('', $2) AND jti = $6`

// lifetime returns how long the session may live after its creation, in
// microseconds. A session without a limit gets more than any time that a row
// can hold.
func lifetime(r record.Rotation) int64 {
	if r.Lifetime <= 0 {
		return 1 << 61
	}
	return r.Lifetime.Microseconds()
}

// over reports whether the session has expired.
func over(row *record.Session, r record.Rotation) bool {
	return !row.Expires.After(r.Now) || row.Created.UnixMicro()+lifetime(r) <= r.Now.UnixMicro()
}

// take runs the conditional UPDATE and returns nil if it updates no row.
// account is the account that was read before: it must still be active and
// have the same password, which a database without locks need not check.
func (s *Store) take(ctx context.Context, q Queryer, r record.Rotation, key any, account *record.Account) (*record.Session, error) {
	row := sessionRow{Session: rotatedTo(r)}
	switch {
	case account != nil:
		row.PasswordDigest = record.DigestPassword(account.Password)
	case !r.OwnUsers:
		return nil, nil
	}
	text, own, args, dest := s.texts.take, s.texts.takeOwn, make([]any, 0, 12), append(row.life(), &row.day)
	now := r.Now.UnixMicro()
	if r.Keep {
		text, own, dest = s.texts.keep, s.texts.keepOwn, append(row.columns(), row.life()...)
		args = append(args, now, row.PasswordDigest, row.ID, string(row.User), lifetime(r), r.Presented)
	} else {
		args = append(args, row.JTI, now, r.Expires.UnixMicro(), lifetime(r), row.Address, row.UserAgent, row.PasswordDigest,
			row.ID, string(row.User), r.Presented)
	}
	switch {
	case r.OwnUsers:
		text = own
	case s.driver.Locks:
		args = append(args, key, account.Password)
	}
	found, err := one(ctx, q, dest, text, args...)
	if err != nil || !found {
		return nil, err
	}
	session := row.session()
	if last := lastDay(session); !r.Keep && last != row.day {
		_, err = run(ctx, q, "UPDATE jotgate_session SET expires_day = $1 WHERE id = $2", last, session.ID)
	}
	return session, err
}

// rotatedTo returns what the row of a session has after a rotation, as far as that
// decides it.
func rotatedTo(r record.Rotation) record.Session {
	now := time.UnixMicro(r.Now.UnixMicro()).UTC()
	return record.Session{
		ID: r.Session, User: r.User, JTI: r.Next, PreviousJTI: r.Presented, Rotated: now, LastSeen: now,
		Address: note(r.Address, 64), UserAgent: note(r.UserAgent, 512),
	}
}

// succeed records a rotation in SimpleJWT's blacklist tables.
func (s *Store) succeed(ctx context.Context, q Queryer, r record.Rotation, won *record.Session) error {
	if err := s.blacklist(ctx, q, won, r.Presented, r.Now); err != nil {
		return err
	}
	return s.addOutstanding(ctx, q, won.User, won.JTI, r.Now, won.Expires)
}

// accountOf returns the account of a rotation. It returns nil if there is no
// active account, or with Rotation.OwnUsers. lock is "" or the clause that locks
// the row until the transaction ends.
func (s *Store) accountOf(ctx context.Context, q Queryer, r record.Rotation, key any, lock string) (*record.Account, error) {
	if r.OwnUsers {
		return nil, nil
	}
	list, err := all(ctx, q, s.tables.scanAccount, s.texts.byID+lock, key)
	if err != nil || len(list) == 0 || !list[0].IsActive || list[0].Service {
		return nil, err
	}
	return list[0], nil
}

var (
	// errAgain means that the row changed between the UPDATE and the SELECT.
	errAgain = errors.New("a session changed while it was read")
	// errChanged means that the account of a live session seems to have been
	// changed by something other than jotgate.
	errChanged = errors.New("the account was changed")
)

func orChanged(err error) error {
	if err == nil {
		return errChanged
	}
	return err
}

// passedOver finds out why take updated no row. unknown is the error if there is
// no session.
func (s *Store) passedOver(ctx context.Context, q Queryer, r record.Rotation, key any, unknown error) (out rotation, err error) {
	row, err := findSession(ctx, q, r.Session, s.driver.lock("UPDATE"))
	if err != nil {
		return out, err
	}
	if row == nil {
		return out, unknown
	}
	if row.User != r.User || !row.Ended.IsZero() && row.EndReason != record.EndedByAccount {
		return out, jotgate.ErrTokenBlacklisted
	}
	if out.Account, err = s.accountOf(ctx, q, r, key, ""); err != nil {
		return out, err
	}
	gone := out.Account == nil && !r.OwnUsers
	switch {
	case gone && !row.Ended.IsZero():
		return out, jotgate.ErrNoAccountForToken
	case gone:
		out.refusal = jotgate.ErrNoAccountForToken
		return out, errChanged
	case !row.Ended.IsZero() || over(row, r):
		return out, jotgate.ErrTokenBlacklisted
	case out.Account != nil && row.PasswordDigest != "" && row.PasswordDigest != record.DigestPassword(out.Account.Password):
		out.refusal = jotgate.ErrTokenBlacklisted
		return out, errChanged
	}
	out.Session = *row
	return s.decideRotation(ctx, q, r, out)
}

// decideRotation decides about a live session of an active account: it was logged out
// in Django, the request is a retry, or the token was reused.
func (s *Store) decideRotation(ctx context.Context, q Queryer, r record.Rotation, out rotation) (rotation, error) {
	row := out.Session
	black, err := s.blacklisted(ctx, q, row.JTI)
	switch {
	case err != nil:
		return out, err
	case black: // jotgate blacklists only tokens that have been replaced
		return s.endBecause(ctx, q, r, record.EndedByDjango, jotgate.ErrTokenBlacklisted)
	case r.Presented == row.JTI:
		return out, errAgain
	case r.Presented == row.PreviousJTI && r.Now.Before(row.Rotated.Add(r.Grace)):
		out.Retry = true
		return out, nil
	}
	return s.endBecause(ctx, q, r, record.EndedByReuse, jotgate.ErrTokenReused)
}

// endBecause ends the session for a reason found during the rotation. The
// refusal is returned after the commit.
func (s *Store) endBecause(ctx context.Context, q Queryer, r record.Rotation, reason record.EndReason, refusal error) (rotation, error) {
	_, err := s.endSessions(ctx, q, record.Ending{User: r.User, ID: r.Session, Reason: reason, Now: r.Now}, "")
	if err == nil {
		e := rotationEvent(r)
		e.Name, e.Detail = string(reason), "the session was ended"
		err = addEvent(ctx, q, e)
	}
	return rotation{refusal: refusal}, err
}

// rotationEvent returns an event of this rotation, without its name.
func rotationEvent(r record.Rotation) record.Event {
	return record.Event{Time: r.Now, User: r.User, Session: r.Session, Address: r.Address, UserAgent: r.UserAgent}
}
