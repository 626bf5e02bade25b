package jotgate

// Sessions: how they start and end.

import (
	"context"
	"errors"
	"strings"

	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
)

// createSession inserts the session of a complete login and sets its tokens, or
// its cookie. The only other sessions are those that package admin creates, for
// impersonations.
func (g *Gate) createSession(ctx context.Context, l *login) error {
	account, client, now := l.account, &l.client, g.now()
	s := &record.Session{
		ID: randomHex(), User: account.ID, JTI: randomHex(),
		Created: now, LastSeen: now, Rotated: now, Expires: g.within(now, now.Add(g.settings.RefreshTokenLifetime)),
		Address: client.Address, UserAgent: cut(client.UserAgent, 512),
		AuthTime: now, AMR: strings.Join(methodsOf(l.done), " "), ACR: l.acr(),
		Entry: l.entry, OwnUsers: g.ownUsers(), Username: account.Username, ByUsername: g.settings.UserIDField == "username",
	}
	s.Entry.Social, s.Entry.Endpoint = socialUses(l.done), cut(client.Endpoint, 64)
	if l.page != nil {
		if err := l.page.prepare(g, s); err != nil {
			return err
		}
	}
	if err := g.recordedAll(ctx, l.events, *client, func(ctx context.Context) error {
		return g.db.Sessions().Create(ctx, s, account.Password)
	}); err != nil {
		if errors.Is(err, ErrNotFound) { // deactivated or changed during hashing
			return ErrNoActiveAccount.Because(errOvertaken)
		}
		return err
	}
	if err := g.handOut(ctx, l, s); err != nil {
		return err
	}
	if s.Entry.Replaces != "" {
		g.pullRevocations(ctx)
	}
	g.touchLastLogin(ctx, account, now)
	// The store inserted the event in the transaction that created the session.
	g.settings.Metrics.Count(metrics.Logins, "ok")
	g.logEvent(ctx, record.Event{Name: "login", User: account.ID, Session: s.ID, Address: client.Address, Endpoint: client.Endpoint})
	return nil
}

// handOut makes the tokens or the cookie of a new session.
func (g *Gate) handOut(ctx context.Context, l *login, s *record.Session) (err error) {
	if l.page != nil {
		l.state.Page = g.Sessions().Pages().make(l.account, s, &pageCookie{Keep: l.page.Keep})
		return nil
	}
	l.state.Tokens, err = g.issue(ctx, "login", l.account, s, nil, l.read)
	return err
}

// List lists the user's live sessions, newest first. The error is ErrUnavailable.
func (ss Sessions) List(ctx context.Context, user record.UserID) ([]record.Session, error) {
	return ss.gate.db.Sessions().List(ctx, user, ss.gate.now())
}

// End ends one session of the user. Errors: ErrNotFound if the user has no live session
// with this id, ErrUnavailable.
func (ss Sessions) End(ctx context.Context, user record.UserID, session string, client Client) error {
	err := ss.gate.end(ctx, record.Ending{ID: session, User: user, Reason: record.EndedByUser}, client)
	if errors.Is(err, ErrTokenBlacklisted) {
		return ErrNotFound
	}
	return err
}

// EndAll ends all sessions of the user except the one with the id except, which may be
// empty. It also revokes the user's tokens without a session, which Django issues. It
// is not an error if there are none. The error is ErrUnavailable.
func (ss Sessions) EndAll(ctx context.Context, user record.UserID, except string, client Client) error {
	which := record.Ending{User: user, Except: except, Reason: record.EndedByUser}
	if ss.gate.ownUsers() && ss.gate.settings.UserIDField == "username" { // the store does not know the name
		account, err := ss.gate.users.UserByID(ctx, user)
		if err != nil {
			return err
		}
		which.Username = account.Username
	}
	return ss.gate.end(ctx, which, client)
}

// end ends sessions and makes this node reject their access tokens before it
// returns.
func (g *Gate) end(ctx context.Context, which record.Ending, client Client) error {
	which.Now = g.now()
	e := record.Event{Name: "logout", User: which.User, Session: which.ID, Detail: string(which.Reason)}
	err := g.recorded(ctx, &e, client, func(ctx context.Context) error {
		n, err := g.db.Sessions().End(ctx, which)
		if err == nil && n == 0 && which.ID != "" {
			err = ErrTokenBlacklisted
		}
		return err
	})
	if err == nil {
		g.pullRevocations(ctx)
	}
	return err
}
