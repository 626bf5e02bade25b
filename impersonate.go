package jotgate

// Impersonation: a member of staff acts for a user, for a short time and with both
// named in the token and in each event.

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/record"
)

// impersonationLifetime is how long a session of a member of staff who acts for a
// user lives. A refresh does not extend it.
const impersonationLifetime = 15 * time.Minute

// NewImpersonation returns a session, which is not stored yet, in which the user actor
// acts for an account. by is the session of the actor, with which the new one ends; it
// may be nil.
func (ss Sessions) NewImpersonation(account *record.Account, actor record.UserID, by *record.Session, client Client) *record.Session {
	g, now := ss.gate, ss.gate.now()
	s := &record.Session{
		ID: randomHex(), User: account.ID, JTI: randomHex(), Actor: actor,
		Created: now, LastSeen: now, Rotated: now, Expires: now.Add(impersonationLifetime),
		Address: client.Address, UserAgent: cut(client.UserAgent, 512),
		Username: account.Username, ByUsername: g.settings.UserIDField == "username",
	}
	if by != nil {
		s.ActorSession = by.ID
		if by.Expires.Before(s.Expires) {
			s.Expires = by.Expires
		}
	}
	return s
}

// Issue returns the tokens of a stored session. The error is ErrUnavailable.
func (ss Sessions) Issue(ctx context.Context, account *record.Account, s *record.Session) (Tokens, error) {
	return ss.gate.issue(ctx, "impersonation", account, s, nil, s.Created)
}

// Impersonation returns a page session in which the user of by acts for an account. s
// is the stored session (see Sessions.NewImpersonation). back is the path that
// StopImpersonation returns.
func (p PageSessions) Impersonation(account *record.Account, s *record.Session, by *PageSession, back string) *PageSession {
	return p.make(account, s, &pageCookie{Keep: by.Keep, Back: back})
}

// StopImpersonation ends the session in which a member of staff acts for a user. It
// returns the session of the member of staff, and the path back. Errors:
// ErrNotAuthenticated if that session has ended as well, or if page is not such a
// session; ErrUnavailable.
func (p PageSessions) StopImpersonation(ctx context.Context, page *PageSession, client Client) (own *PageSession, back string, err error) {
	c, ok := openPage(p.gate, page.Cookie)
	if !ok || c.Actor == "" {
		return nil, "", ErrNotAuthenticated
	}
	s, err := p.gate.db.Sessions().Find(ctx, c.Session)
	if err == nil {
		err = p.gate.Sessions().End(ctx, c.User, c.Session, client)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, "", err
	}
	if s == nil || s.Actor == "" || s.ActorSession == "" || !s.Ended.IsZero() {
		return nil, "", ErrNotAuthenticated
	}
	by, err := p.gate.db.Sessions().Find(ctx, s.ActorSession)
	if err != nil {
		return nil, "", refused(err)
	}
	own, err = p.renew(ctx, &pageCookie{Session: by.ID, JTI: by.JTI, User: s.Actor, Seen: by.LastSeen.Unix(), End: by.Expires.Unix(), Keep: c.Keep})
	return own, c.Back, err
}
