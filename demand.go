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

// mayContinue returns nil if a session of the account may be renewed: see mayAct, for one
// in which a member of staff acts for the user, and holdsLevel.
func (g *Gate) mayContinue(ctx context.Context, s *record.Session, a *record.Account) error {
	if err := g.mayAct(ctx, s); err != nil {
		return err
	}
	return g.holdsLevel(ctx, s, a)
}

// holdsLevel returns ErrTokenBlacklisted, and ends the session, if its user must have
// a second factor (Settings.RequireMFA, RequireMFAGroups, MFAGrace), has none, and
// began the session without one: a user who has become staff since, or whose grace
// period is over, sets one up in the next login.
func (g *Gate) holdsLevel(ctx context.Context, s *record.Session, a *record.Account) error {
	if s.Actor != "" || s.ACR == levelTwo {
		return nil
	}
	if lacks, err := g.lacksFactor(ctx, a); err != nil || !lacks {
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
	if !a.IsStaff || user.details().acr == levelTwo {
		return a.IsStaff, nil
	}
	lacks, err := fs.gate.lacksFactor(ctx, a)
	return err == nil && !lacks, err
}

// lacksFactor reports whether the account must have a second factor now and has none.
func (g *Gate) lacksFactor(ctx context.Context, a *record.Account) (bool, error) {
	if g.settings.RequireMFA == MFANone && len(g.settings.RequireMFAGroups) == 0 {
		return false, nil // without a query, as in most programs
	}
	_, lacks, err := g.secondFactor(ctx, a)
	return lacks, err
}

// secondFactor reports whether the account has a second factor for which logins ask; if
// not, lacks reports whether it must have one now.
func (g *Gate) secondFactor(ctx context.Context, a *record.Account) (has, lacks bool, err error) {
	if g.factors == nil {
		return false, false, nil
	}
	factors, err := g.listFactors(ctx, a)
	if err != nil || asksSecond(factors) {
		return err == nil, false, err
	}
	lacks, err = g.demandsFactor(ctx, a)
	return false, lacks, err
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
