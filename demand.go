package jotgate

// Which users must have a second factor, and the sessions of users who did not have to
// have one when they logged in, but must now.

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/jotgate/jotgate/record"
)

var errOneFactor = errors.New("the user must have a second factor now, and has none")

// holdsLevel returns ErrTokenBlacklisted, and ends the session, if its user must have
// a second factor (Settings.RequireMFA, RequireMFAGroups, MFAGrace), has none, and
// began the session without one: a user who has become staff since, or whose grace
// period is over, sets one up in the next login.
func (g *Gate) holdsLevel(ctx context.Context, s *record.Session, a *record.Account) error {
	if g.factors == nil || s.Actor != "" || s.ACR == levelTwo {
		return nil
	}
	two, err := g.hasOrNeedsNone(ctx, a)
	if err != nil || two {
		return err
	}
	which := record.Ending{User: a.ID, ID: s.ID, Reason: record.EndedByFactors, Now: g.now()}
	if _, err := g.db.Sessions().End(ctx, which); err != nil {
		return err
	}
	g.pullRevocations(ctx)
	g.log.InfoContext(ctx, "a session was ended: "+errOneFactor.Error(), slog.String("user_id", string(a.ID)))
	return ErrTokenBlacklisted.Because(errOneFactor)
}

// MayActAsStaff reports whether the user of a token has the rights of the account's staff
// status: if staff must have a second factor and the account has none, only if the user
// authenticated with two factors. The session of a user who has become staff since ends
// at its next refresh. Errors: ErrUnavailable.
func (fs Factors) MayActAsStaff(ctx context.Context, user *User, a *record.Account) (bool, error) {
	g := fs.gate
	if !a.IsStaff || g.factors == nil || user.details().acr == levelTwo {
		return a.IsStaff, nil
	}
	return g.hasOrNeedsNone(ctx, a)
}

// hasOrNeedsNone reports whether the account has a second factor for which logins ask,
// or needs none now.
func (g *Gate) hasOrNeedsNone(ctx context.Context, a *record.Account) (bool, error) {
	if g.settings.RequireMFA == MFANone && len(g.settings.RequireMFAGroups) == 0 {
		return true, nil
	}
	factors, err := g.listFactors(ctx, a)
	if err != nil || asksSecond(factors) {
		return true, err
	}
	demanded, err := g.demandsFactor(ctx, a)
	return !demanded, err
}

// demandsFactor reports whether the account must have a second factor now.
func (g *Gate) demandsFactor(ctx context.Context, a *record.Account) (bool, error) {
	demanded := g.settings.RequireMFA == MFAAll || g.settings.RequireMFA == MFAStaff && (a.IsStaff || a.IsSuperuser)
	if !demanded && len(g.settings.RequireMFAGroups) > 0 {
		groups, _, err := g.db.Accounts().Grants(ctx, a.ID)
		if err != nil {
			return false, err
		}
		demanded = slices.ContainsFunc(groups, func(group record.Group) bool { return slices.Contains(g.settings.RequireMFAGroups, group.Name) })
	}
	if !demanded || g.settings.MFAGrace == 0 {
		return demanded, nil
	}
	since, err := g.factors.GraceStart(ctx, a.ID, g.now())
	return !g.now().Before(since.Add(g.settings.MFAGrace)), err
}
