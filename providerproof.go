package jotgate

// The proof that a user signed in at a provider, and the groups and roles that follow
// from what it says about the user.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/provider"
	"github.com/jotgate/jotgate/record"
)

// Proof returns the proof for PageSessions.Begin or Logins.Begin, as the first step of
// a login. It is one factor, unless the provider's settings say which acr or amr means
// two. The error of the login is ErrNotConnected if no account here is connected.
func (l *ProviderLogin) Proof() Proof { return providerProof{l.identity, l.at, l.ended} }

// providerProof is the proof that a user signed in at a provider.
type providerProof struct {
	identity provider.Identity
	at       time.Time
	ended    *int64 // what the account must have, if it is known since then
}

func (p providerProof) subject() string { return p.identity.Provider + " " + p.identity.UID }

func (p providerProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if l.account != nil || l.stepUp || len(l.done) > 0 || l.pending != nil {
		return proved{}, ErrLoginNotValid.Because(errors.New("a provider is the first step of a login"))
	}
	l.read = g.now()
	row, err := g.db.SocialAccounts().FindSocial(ctx, p.identity.Provider, p.identity.UID)
	if errors.Is(err, ErrNotFound) {
		return proved{}, ErrNotConnected
	} else if err != nil {
		return proved{}, err
	}
	if l.account, err = g.users.UserByID(ctx, row.User); errors.Is(err, ErrNotFound) {
		return proved{}, ErrNotConnected.Because(err)
	} else if err != nil {
		return proved{}, err
	}
	if p.ended != nil {
		ended, err := g.endedSince(ctx, l.account, p.ended, 0)
		if err != nil {
			return proved{}, err
		} else if ended {
			return proved{}, ErrLoginNotValid.Because(errEnded)
		}
	}
	changed, err := g.Logins().Providers().applyRights(ctx, l.account, &p.identity, l.client)
	if changed && err == nil {
		l.read = g.now()
		l.account, err = g.users.UserByID(ctx, row.User)
	}
	if err != nil {
		return proved{}, err
	}
	use := &record.SocialUse{ID: row.ID, Provider: row.Provider, UID: row.UID, Data: p.identity.Claims, Subject: p.identity.Origin.Subject, Session: p.identity.Origin.Session, At: p.at}
	return proved{Method: methodProvider, Time: p.at.Unix(), Both: p.identity.TwoFactors, Social: use}, nil
}

// socialUses returns what the transaction of the session checks and changes: each
// account at a provider with which the login began must still be the user's.
func socialUses(done []proved) (uses []record.SocialUse) {
	for _, p := range done {
		if p.Social != nil {
			use := *p.Social
			if use.At.IsZero() { // the login began with an earlier version
				use.At = time.Unix(p.Time, 0)
			}
			uses = append(uses, use)
		}
	}
	return uses
}

// applyRights gives an account the groups and roles that the settings of a provider map
// from what it says, and ends those of them that it does not say any more, with the event
// about that, in one transaction. It reports whether the account has changed. It runs
// before the account is read for the login, so that a user who becomes staff must have a
// second factor if staff must.
func (ps Providers) applyRights(ctx context.Context, a *record.Account, i *provider.Identity, client Client) (bool, error) {
	p, err := ps.find(i.Provider)
	if err != nil || !p.MapsRights() || !a.IsActive || a.Service {
		return false, nil
	}
	add, remove, roles, err := ps.rightsChange(ctx, a, p.Rights(i.Roles))
	if err != nil {
		return false, err
	}
	for {
		words := rightsWords(add, remove, roles)
		if len(words) == 0 {
			return false, nil
		}
		var missing []string
		e := record.Event{Name: "provider", User: a.ID, Detail: i.Provider + " rights: " + strings.Join(words, ", ")}
		err := ps.gate.recorded(ctx, &e, client, func(ctx context.Context) (err error) {
			missing, err = ps.gate.db.SocialAccounts().ChangeRights(ctx, a.ID, add, remove, roles)
			if err == nil && len(missing) > 0 {
				return ErrNotFound // nothing has changed
			}
			return err
		})
		if len(missing) == 0 {
			return err == nil, err
		}
		ps.gate.log.WarnContext(ctx, "groups of a provider do not exist", "provider", i.Provider, "groups", missing)
		add = slices.DeleteFunc(add, func(name string) bool { return slices.Contains(missing, name) })
	}
}

// rightsChange returns what must change so that the account has the rights: groups to
// add and to remove, and roles.
func (ps Providers) rightsChange(ctx context.Context, a *record.Account, rights provider.Rights) (add, remove []string, roles record.Change, err error) {
	roles.At = ps.gate.now()
	if rights.Staff != nil && *rights.Staff != a.IsStaff {
		roles.IsStaff = rights.Staff
	}
	if rights.Superuser != nil && *rights.Superuser != a.IsSuperuser {
		roles.IsSuperuser = rights.Superuser
	}
	add, remove, err = ps.groupChanges(ctx, a, rights)
	return add, remove, roles, err
}

// rightsWords returns what changes, such as "+Editors" and "-staff".
func rightsWords(add, remove []string, roles record.Change) []string {
	words := append(prefixed("+", add), prefixed("-", remove)...)
	for _, role := range []struct {
		name string
		set  *bool
	}{{"staff", roles.IsStaff}, {"superuser", roles.IsSuperuser}} {
		if role.set != nil {
			words = append(words, map[bool]string{true: "+", false: "-"}[*role.set]+role.name)
		}
	}
	return words
}

// groupChanges compares the groups of an account with those that the provider decides
// about.
func (ps Providers) groupChanges(ctx context.Context, a *record.Account, rights provider.Rights) (add, remove []string, err error) {
	if len(rights.Groups)+len(rights.Others) == 0 {
		return nil, nil, nil
	}
	groups, _, err := ps.gate.db.Accounts().Grants(ctx, a.ID)
	if err != nil {
		return nil, nil, err
	}
	in := func(name string) bool {
		return slices.ContainsFunc(groups, func(g record.Group) bool { return g.Name == name })
	}
	add = slices.DeleteFunc(rights.Groups, in)
	remove = slices.DeleteFunc(rights.Others, func(name string) bool { return !in(name) })
	return add, remove, nil
}

func prefixed(sign string, names []string) (list []string) {
	for _, name := range names {
		list = append(list, sign+name)
	}
	return list
}
