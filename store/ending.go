package store

import (
	"context"
	"strconv"

	"github.com/jotgate/jotgate/record"
)

// Ending sessions.

// End implements record.Sessions.
func (ss sessions) End(ctx context.Context, which record.Ending) (n int, err error) {
	event := record.AttachedTo(ctx)
	return act(ctx, ss.db, func(ctx context.Context, q Queryer) (int, error) {
		n, err := ss.db.endSessions(ctx, q, which, "")
		if err == nil && (n > 0 || which.ID == "") { // to end all is an event even if there was none
			err = addAttached(ctx, q, event, "")
		}
		return n, err
	})
}

// endSessions is EndSessions, except that it keeps the sessions with the
// password digest keep, unless keep is empty.
func (s *Store) endSessions(ctx context.Context, q Queryer, which record.Ending, keep string) (int, error) {
	text, args, ok := endingText(which, keep)
	if !ok {
		return 0, nil
	}
	if which.ID == "" { // first, so that no token is adopted concurrently
		if err := s.voidUser(ctx, q, which); err != nil {
			return 0, err
		}
		// One of the sessions that end may have asked for it.
		if err := forget(ctx, q, which.User, record.PendingEmailChange); err != nil {
			return 0, err
		}
	}
	if err := s.adoptEnded(ctx, q, which); err != nil {
		return 0, err
	}
	ended, err := all(ctx, q, scanSession, text+" RETURNING "+sessionColumns, args...)
	if err != nil {
		return 0, err
	}
	for _, e := range ended {
		if err := s.revoke(ctx, q, record.Revocation{Session: e.ID, Made: e.LastSeen}); err != nil {
			return 0, err
		}
		if err := s.blacklist(ctx, q, &e, e.JTI, which.Now); err != nil {
			return 0, err
		}
	}
	if err := s.endImpersonations(ctx, q, which, ended); err != nil {
		return 0, err
	}
	if which.ID == "" {
		err = s.blacklistUser(ctx, q, which)
	}
	return len(ended), err
}

// endingText returns the UPDATE that ends the sessions which names. ok is
// false if which names nothing that the table can hold.
func endingText(which record.Ending, keep string) (text string, args []any, ok bool) {
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
	if keep != "" {
		text += " AND password_digest <> " + arg(keep)
	}
	return text, args, true
}

// adoptEnded inserts the session of a token that Django issued as a live one,
// so that it is ended together with the others.
func (s *Store) adoptEnded(ctx context.Context, q Queryer, which record.Ending) error {
	a := which.Adopt
	if a == nil || a.ID != which.ID || which.User != "" && a.User != which.User || which.IfJTI != "" && a.JTI != which.IfJTI {
		return nil // the inserted session must be the one to end
	}
	if void, err := s.voided(ctx, q, a); err != nil || void {
		return err
	}
	_, err := insertSession(ctx, q, a, " ON CONFLICT (id) DO NOTHING")
	return err
}
