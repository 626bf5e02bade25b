package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Sessions in which a member of staff acts for a user.

// The column actor of jotgate_session is empty, or the session of the member of staff
// and its id. A command has no session: then 32 times "-" is in its place.
const noSession = "--------------------------------"

func joinActor(s *record.Session) string {
	switch {
	case s.Actor == "":
		return ""
	case len(s.ActorSession) != len(noSession):
		return noSession + string(s.Actor)
	}
	return s.ActorSession + string(s.Actor)
}

func splitActor(text string) (session string, actor record.UserID) {
	if len(text) < len(noSession) {
		return "", ""
	}
	if session = text[:len(noSession)]; session == noSession {
		session = ""
	}
	return session, record.UserID(text[len(noSession):])
}

// endImpersonations ends the sessions that depend on sessions which have just ended
// and, if all of a user end, those that this user began by command.
func (s *Store) endImpersonations(ctx context.Context, q Queryer, which record.Ending, ended []record.Session) error {
	const text = "SELECT id FROM jotgate_session WHERE ended IS NULL AND actor <> '' AND substr(actor, 1, 32) = $1"
	var ids []string
	for _, e := range ended {
		if e.Actor != "" { // which begins no other
			continue
		}
		list, err := all(ctx, q, value[string], text, e.ID)
		if err != nil {
			return err
		}
		ids = append(ids, list...)
	}
	if which.ID == "" {
		list, err := all(ctx, q, value[string], text+" AND substr(actor, 33) = $2", noSession, string(which.User))
		if err != nil {
			return err
		}
		ids = append(ids, list...)
	}
	for _, id := range ids {
		if _, err := s.endSessions(ctx, q, record.Ending{ID: id, Reason: record.EndedByActor, Now: which.Now}, ""); err != nil {
			return err
		}
	}
	return nil
}

// endActors ends the sessions in which one of the holders acts for another user.
func (s *Store) endActors(ctx context.Context, q Queryer, now time.Time, holders []holder) error {
	acting, err := all(ctx, q, scanSession, "SELECT "+sessionColumns+" FROM jotgate_session WHERE ended IS NULL AND actor <> ''")
	for _, a := range acting {
		if err == nil && slices.ContainsFunc(holders, func(h holder) bool { return h.id == a.Actor }) {
			_, err = s.endSessions(ctx, q, record.Ending{ID: a.ID, Reason: record.EndedByActor, Now: now}, "")
		}
	}
	return err
}

// Impersonate implements adminstore.UserTx.
func (t adminTx) Impersonate(ctx context.Context, session *record.Session) error {
	a, ok, err := t.db.active(ctx, t.q, session.User)
	if err != nil {
		return err
	}
	if !ok || strings.TrimSpace(string(session.Actor)) == "" {
		return jotgate.ErrNotFound
	}
	session.PasswordDigest = record.DigestPassword(a.password)
	if _, err := insertSession(ctx, t.q, session, ""); err != nil {
		return err
	}
	return t.db.addOutstanding(ctx, t.q, session.User, session.JTI, session.Created, session.Expires)
}
