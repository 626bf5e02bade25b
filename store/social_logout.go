package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Sessions that began with a session at a provider, and end with it.

// setOrigin stores with a new session the session at a provider that it began with.
func setOrigin(ctx context.Context, q Queryer, session *record.Session) error {
	if len(session.Entry.Social) > 0 { // one: a provider is the first step of a login
		use := &session.Entry.Social[0]
		if err := notEnded(ctx, q, use); err != nil {
			return err
		}
		session.Provider = use.Provider
		_, err := run(ctx, q, "UPDATE jotgate_session SET provider = $1, provider_subject = $2, provider_session = $3 WHERE id = $4",
			use.Provider, use.Subject, use.Session, session.ID)
		return err
	}
	if session.Entry.Replaces == "" {
		return nil
	}
	_, err := one(ctx, q, []any{&session.Provider}, `UPDATE jotgate_session SET
provider = old.provider, provider_subject = old.provider_subject, provider_session = old.provider_session
FROM jotgate_session AS old WHERE old.id = $1 AND old.user_id = jotgate_session.user_id AND jotgate_session.id = $2 RETURNING jotgate_session.provider`, session.Entry.Replaces, session.ID)
	return err
}

// A logout is recorded in jotgate_spent while a login that began before it can continue.
const (
	endedSession = "ended sid "
	endedSubject = "ended sub "
	endedKept    = 30 * time.Minute

	// originSession and originSubject begin the ids of the rows that a login and a
	// logout lock.
	originSession = "origin sid "
	originSubject = "origin sub "
)

// lockOrigins makes logins and logouts with the same session at a provider, or the same
// subject, wait for each other: without it, a login that has not seen the logout and is
// not committed when the logout looks for sessions would survive it, because PostgreSQL
// shows each transaction only what is committed (read committed). A login locks both
// rows, the logout that of what it names, each before any other row. A session that
// replaces one needs no lock: that one's row is locked already.
func lockOrigins(ctx context.Context, q Queryer, at time.Time, uses ...record.SocialUse) error {
	for _, use := range uses {
		for _, id := range [][2]string{{originSubject, use.Subject}, {originSession, use.Session}} {
			if id[1] == "" {
				continue
			}
			_, err := run(ctx, q, "INSERT INTO jotgate_spent (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires", id[0]+id[1], at.Add(endedKept).UnixMicro())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// notEnded returns jotgate.ErrLoginNotValid if the provider has ended the session, or
// all sessions of the subject, after the login began.
func notEnded(ctx context.Context, q Queryer, use *record.SocialUse) error {
	var expires int64
	if found, err := one(ctx, q, []any{&expires}, "SELECT expires FROM jotgate_spent WHERE id = $1", endedSession+use.Session); err != nil || found {
		return cmp.Or(err, error(jotgate.ErrLoginNotValid))
	}
	found, err := one(ctx, q, []any{&expires}, "SELECT expires FROM jotgate_spent WHERE id = $1", endedSubject+use.Subject)
	if found && use.At.Before(time.UnixMicro(expires).Add(-endedKept)) {
		return jotgate.ErrLoginNotValid
	}
	return err
}

// rememberLogout inserts the logout for notEnded.
func rememberLogout(ctx context.Context, q Queryer, which *record.SocialUse) error {
	id := endedSubject + which.Subject
	if which.Session != "" {
		id = endedSession + which.Session
	}
	_, err := run(ctx, q, "INSERT INTO jotgate_spent (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET expires = excluded.expires", id, which.At.Add(endedKept).UnixMicro())
	return err
}

// EndSocial implements record.SocialAccounts.
func (sa socialAccounts) EndSocial(ctx context.Context, which record.SocialUse, once record.Spent) (ended []record.Session, err error) {
	if which.Subject == "" && which.Session == "" || !storable(which.Provider+which.Subject+which.Session) {
		return nil, nil
	}
	attached := record.AttachedTo(ctx)
	err = sa.s.write(ctx, func(ctx context.Context, q Queryer) error {
		if ended, err = sa.s.endSocial(ctx, q, &which, once); err != nil || attached == nil {
			return err
		}
		attached.Stored = true
		for _, session := range ended {
			e := attached.Events[0]
			e.User, e.Session = session.User, session.ID
			if err := addEvent(ctx, q, e); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

func (s *Store) endSocial(ctx context.Context, q Queryer, which *record.SocialUse, once record.Spent) (ended []record.Session, err error) {
	if err := s.spend(ctx, q, nil, []record.Spent{once}, nil, nil); err != nil {
		return nil, err
	}
	locked := *which
	if locked.Session != "" {
		locked.Subject = "" // of a login, the row of the subject comes first
	}
	if err := lockOrigins(ctx, q, which.At, locked); err != nil {
		return nil, err
	}
	if err := rememberLogout(ctx, q, which); err != nil {
		return nil, err
	}
	// A session that another one has replaced in the meantime ends only in the next
	// round, as that one.
	for seen := map[string]bool{}; ; {
		n := len(seen)
		list, err := s.endFound(ctx, q, which, seen)
		if ended = append(ended, list...); err != nil || len(seen) == n {
			return ended, err
		}
	}
}

// endFound ends the sessions that are live now, except those in seen, to which it adds
// them. It returns those that it has ended.
func (s *Store) endFound(ctx context.Context, q Queryer, which *record.SocialUse, seen map[string]bool) (ended []record.Session, err error) {
	text, args := "SELECT "+sessionColumns+" FROM jotgate_session WHERE ended IS NULL AND provider = $1", []any{which.Provider}
	for _, c := range []struct{ column, value string }{{"provider_subject", which.Subject}, {"provider_session", which.Session}} {
		if c.value != "" {
			args = append(args, c.value)
			text += " AND " + c.column + " <> '' AND " + c.column + " = $" + strconv.Itoa(len(args))
		}
	}
	list, err := all(ctx, q, scanSession, text+" ORDER BY id", args...)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(session record.Session) bool { return seen[session.ID] })
	for _, session := range list {
		seen[session.ID] = true
		n, err := s.endSessions(ctx, q, record.Ending{ID: session.ID, User: session.User, Reason: record.EndedByProvider, Now: which.At}, "")
		if err != nil {
			return nil, err
		}
		if n > 0 {
			session.Ended, session.EndReason = which.At, record.EndedByProvider
			ended = append(ended, session)
		}
	}
	return ended, nil
}
