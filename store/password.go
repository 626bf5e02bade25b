package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Passwords that something other than jotgate changed. Sessions are recorded with
// a digest of the stored password; jotgate_password has one for each user, for
// tokens without a session and for users without a live session.

// otherPassword selects a live session that was created with another
// password.
const otherPassword = "SELECT 1 FROM jotgate_session WHERE user_id = $1 AND ended IS NULL AND password_digest NOT IN ('', $2)"

// remembered returns the digest recorded for the user, or "".
func remembered(ctx context.Context, q Queryer, user record.UserID) (digest string, err error) {
	_, err = one(ctx, q, []any{&digest}, "SELECT digest FROM jotgate_password WHERE user_id = $1", string(user))
	return digest, err
}

// remember records the digest of the user's stored password in place of known. It
// reports whether another password was recorded: then something other than
// jotgate changed it, and of concurrent callers only one gets true.
func remember(ctx context.Context, q Queryer, user record.UserID, known, digest string) (changed bool, err error) {
	switch known {
	case digest:
		return false, nil
	case "":
		_, err := run(ctx, q, "INSERT INTO jotgate_password (user_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING", string(user), digest)
		return false, err
	}
	n, err := run(ctx, q, "UPDATE jotgate_password SET digest = $1 WHERE user_id = $2 AND digest = $3", digest, string(user), known)
	return n > 0, err
}

// passwordChanged reports whether a session of the user, or the digest recorded
// for it, is of another password than digest, which is that of the stored one now.
func passwordChanged(ctx context.Context, q Queryer, user record.UserID, known, digest string) (bool, error) {
	if known != "" && known != digest {
		return true, nil
	}
	return one(ctx, q, []any{new(int)}, otherPassword+" LIMIT 1", string(user), digest)
}

// ConfirmPassword implements record.Sessions.
func (ss sessions) ConfirmPassword(ctx context.Context, session string, user record.UserID, password string, now time.Time) error {
	if !storable(session + string(user)) {
		return nil
	}
	digest := record.DigestPassword(password)
	var differs, unknown bool
	err := ss.db.read(ctx, func(ctx context.Context, q Queryer) (err error) {
		if session != "" {
			differs, err = one(ctx, q, []any{new(int)}, otherPassword+" AND id = $3", string(user), digest, session)
			return err
		}
		known, err := remembered(ctx, q, user)
		differs, unknown = known != "" && known != digest, known == ""
		return err
	})
	if err == nil && unknown { // if the database cannot be written now, the next call records it
		_ = ss.db.write(ctx, func(ctx context.Context, q Queryer) error {
			_, err := remember(ctx, q, user, "", digest)
			return err
		})
	}
	if err != nil || !differs {
		return err
	}
	ended, err := ss.db.endChanged(ctx, record.Event{Time: now, User: user, Session: session})
	if err == nil && ended {
		err = jotgate.ErrPasswordChanged
	}
	return err
}

// ConfirmActive implements record.Sessions.
func (ss sessions) ConfirmActive(ctx context.Context, user record.UserID, now time.Time) (bool, error) {
	if !storable(string(user)) {
		return false, nil
	}
	known, err := ask(ctx, ss.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{new(int)}, `SELECT 1 FROM jotgate_password WHERE user_id = $1
UNION ALL SELECT 1 FROM jotgate_session WHERE user_id = $1 AND ended IS NULL LIMIT 1`, string(user))
	})
	if err != nil || !known {
		return false, err
	}
	return ss.db.endChanged(ctx, record.Event{Time: now, User: user})
}

// endChanged ends the sessions of the event's user if the account is not
// active, or has another password than the one that was recorded, and reports
// whether it did. It reads the account again in one transaction, because the
// change may have been jotgate's own.
func (s *Store) endChanged(ctx context.Context, e record.Event) (bool, error) {
	return act(ctx, s, func(ctx context.Context, q Queryer) (bool, error) {
		a, active, err := s.active(ctx, q, e.User)
		if err != nil {
			return false, err
		}
		if active {
			return s.endOfPassword(ctx, q, e, a)
		}
		e.Detail = "the account was deactivated or deleted outside jotgate; its sessions were ended"
		if _, err := run(ctx, q, "DELETE FROM jotgate_password WHERE user_id = $1", string(e.User)); err != nil {
			return false, err
		}
		return true, s.endAndRecord(ctx, q, record.Ending{User: e.User, Reason: record.EndedByAccount, Now: e.Time}, "", e)
	})
}

// endOfPassword ends the sessions of passwords other than the stored one, voids
// tokens without a session and records the stored password, if another one was
// recorded. It reports whether it did.
func (s *Store) endOfPassword(ctx context.Context, q Queryer, e record.Event, a activeAccount) (bool, error) {
	digest := record.DigestPassword(a.password)
	changed, err := passwordChanged(ctx, q, e.User, a.remembered, digest)
	if err != nil {
		return false, err
	}
	moved, err := remember(ctx, q, e.User, a.remembered, digest)
	if err != nil || !changed && !moved {
		return false, err
	}
	e.Detail = "the password was changed outside jotgate; sessions were ended"
	return true, s.endAndRecord(ctx, q, record.Ending{User: e.User, Reason: record.EndedByPassword, Now: e.Time}, digest, e)
}

func (s *Store) endAndRecord(ctx context.Context, q Queryer, which record.Ending, keep string, e record.Event) error {
	if _, err := s.endSessions(ctx, q, which, keep); err != nil {
		return err
	}
	e.Name = string(which.Reason)
	return addEvent(ctx, q, e)
}

// newPassword records the new password in the sessions that a change keeps: in
// all live sessions if the change ended the others, otherwise in those with the
// digest of the previous password. A password that something other than jotgate
// has changed before remains to be noticed.
func newPassword(ctx context.Context, q Queryer, id record.UserID, before, after string, all bool) error {
	texts := []string{
		"UPDATE jotgate_session SET password_digest = $1 WHERE user_id = $2 AND ended IS NULL",
		"UPDATE jotgate_password SET digest = $1 WHERE user_id = $2",
	}
	args := []any{record.DigestPassword(after), string(id)}
	for i, text := range texts {
		args := args
		if !all {
			text, args = text+[]string{" AND password_digest = $3", " AND digest = $3"}[i], append(args, record.DigestPassword(before))
		}
		if _, err := run(ctx, q, text, args...); err != nil {
			return err
		}
	}
	return nil
}
