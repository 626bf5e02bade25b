package jotgate

// What is wrong with a password: the rules and the lists of breached ones.

import (
	"context"

	"github.com/jotgate/jotgate/passwd/breached"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
)

// passwordProblems is Accounts.PasswordProblems.
func (g *Gate) passwordProblems(ctx context.Context, a *record.Account, password string) ([]strength.Problem, error) {
	rules := g.settings.PasswordRules
	if least := g.settings.PasswordMinLengthWithoutMFA; least > 0 {
		second, err := g.hasSecondFactor(ctx, a)
		if err != nil {
			return nil, err
		}
		if !second {
			rules = rules.AtLeast(least)
		}
	}
	problems := rules.Check(password, strength.About(g.settings.LoginField, a.Username, a.FirstName, a.LastName, a.Email)...)
	if g.inList(ctx, g.settings.BreachedPasswords, a, password) {
		problems = append(problems, strength.Breached())
	}
	return problems, nil
}

// hasSecondFactor reports whether a password alone does not log in.
func (g *Gate) hasSecondFactor(ctx context.Context, a *record.Account) (bool, error) {
	if g.factors == nil || a.ID == "" {
		return false, nil
	}
	factors, err := g.factors.ListFactors(ctx, a.ID)
	return asksSecond(factors), err
}

// inList reports whether a list, which may be nil, has the password. A list that
// cannot be read has none: it must not keep users from logging in.
func (g *Gate) inList(ctx context.Context, list breached.List, a *record.Account, password string) bool {
	if list == nil {
		return false
	}
	found, err := list.Contains(ctx, password)
	if err != nil {
		g.log.WarnContext(ctx, "the list of breached passwords cannot be read", "cause", err)
		g.event(ctx, record.Event{Name: "password_unchecked", User: a.ID}, Client{})
	}
	return found && err == nil
}

// mustChange reports whether the login with this password, which is right, must
// replace it.
func (g *Gate) mustChange(ctx context.Context, a *record.Account, password string) bool {
	return !g.ownUsers() && g.inList(ctx, g.settings.BreachedAtLogin, a, password)
}
