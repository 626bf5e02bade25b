package jotgate

// Logout by a provider and at a provider.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// Logout ends the sessions that a logout token of a provider names (OpenID Connect
// Back-Channel Logout 1.0): those that began with its sid or, without one, with its
// sub. Their tokens and cookies stop working immediately on this node, and within a
// second on others. n is the number of sessions. A token is accepted once, within five
// minutes. Errors: ErrNotFound; 400 with the code invalid_request if the token is not
// valid, which is recorded as the event provider_refused; ErrUnavailable if it cannot
// be verified, or if the database does not respond.
func (ps Providers) Logout(ctx context.Context, id, token string, client Client) (n int, err error) {
	p, err := ps.find(id)
	if err != nil {
		return 0, err
	}
	g := ps.gate
	l, err := p.VerifyLogout(ctx, token)
	var ended []record.Session
	a := &record.Attached{Events: []record.Event{g.complete(record.Event{Name: "logout", Detail: string(record.EndedByProvider)}, client)}}
	if err == nil {
		which := record.SocialUse{Provider: id, Subject: l.Subject, Session: l.Session, At: g.now()}
		ended, err = g.db.SocialAccounts().EndSocial(a.To(ctx), which, record.Spent{ID: "logout " + l.ID, Expires: l.Expires})
	}
	switch {
	case errors.Is(err, ErrLoginNotValid):
		err = errors.New("the logout token was used before")
		fallthrough
	case err != nil:
		ps.refused(ctx, id, "", err, client)
		if errors.Is(err, provider.Unavailable) || errors.Is(err, ErrUnavailable) {
			return 0, ErrUnavailable.Because(err)
		}
		return 0, errLogoutToken.Because(err)
	}
	if len(ended) > 0 {
		g.pullRevocations(ctx)
	}
	for i := range ended {
		e := a.Events[0]
		e.User, e.Session = ended[i].User, ended[i].ID
		g.reportChange(ctx, e, a.Stored)
	}
	return len(ended), nil
}

// LogoutURL returns the address at which the user logs out of the provider with which a
// page session began, and which leads back to returnTo, and the provider's name for
// users. Both are empty if there is no such address.
func (ps Providers) LogoutURL(ctx context.Context, page *PageSession, returnTo string) (address, name string) {
	if len(ps.gate.settings.Providers) == 0 {
		return "", ""
	}
	s, err := ps.gate.db.Sessions().Find(ctx, page.User.Session)
	if err != nil {
		return "", ""
	}
	p, err := ps.find(s.Provider)
	if err != nil {
		return "", ""
	}
	return p.LogoutURL(ctx, returnTo), p.Name()
}
