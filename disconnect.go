package jotgate

// Connected accounts at providers: their list, and disconnecting one.

import (
	"context"
	"slices"
	"time"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// ConnectedAccount describes an account at a provider that is connected to an account
// here.
type ConnectedAccount struct {
	ID         int64     `json:"id"`
	Provider   string    `json:"name"`     // the name of the provider for users
	ProviderID string    `json:"provider"` // the id of the provider
	UID        string    `json:"uid"`      // the id of the account there
	Joined     time.Time `json:"date_joined"`
	LastLogin  time.Time `json:"last_login,omitzero"`
	// Removable reports whether the user has another way to log in.
	Removable bool `json:"removable"`
}

// Connected lists the accounts at providers that are connected to an account. The error is ErrUnavailable.
func (ps Providers) Connected(ctx context.Context, a *record.Account) (list []ConnectedAccount, err error) {
	if len(ps.gate.settings.Providers) == 0 {
		return nil, nil
	}
	rows, factors, err := ps.ways(ctx, a)
	for _, row := range rows {
		list = append(list, ps.describe(a, row, rows, factors))
	}
	return list, err
}

func (ps Providers) describe(a *record.Account, row record.SocialAccount, rows []record.SocialAccount, factors []record.Factor) ConnectedAccount {
	return ConnectedAccount{
		ID: row.ID, Provider: ps.gate.providerName(row.Provider), ProviderID: row.Provider, UID: row.UID, Joined: row.Joined, LastLogin: row.LastLogin,
		Removable: ps.hasOtherWay(a, rows, factors, row.ID),
	}
}

func (ps Providers) ways(ctx context.Context, a *record.Account) ([]record.SocialAccount, []record.Factor, error) {
	if a.Related != nil {
		return slices.Clone(a.Related.Social), slices.Clone(a.Related.Factors), nil
	}
	rows, err := ps.gate.db.SocialAccounts().ListSocial(ctx, a.ID)
	if err != nil {
		return nil, nil, err
	}
	factors, err := ps.gate.factors.ListFactors(ctx, a.ID)
	return rows, factors, err
}

// hasOtherWay reports whether the account can log in without one of its accounts at
// providers: by a password, by a passkey alone, or with another provider.
func (ps Providers) hasOtherWay(a *record.Account, rows []record.SocialAccount, factors []record.Factor, without int64) bool {
	if passwd.IsUsable(a.Password) {
		return true
	}
	other := func(row record.SocialAccount) bool {
		_, err := ps.find(row.Provider)
		return row.ID != without && err == nil
	}
	return slices.ContainsFunc(rows, other) || ps.gate.rp != nil && slices.ContainsFunc(factors, logsIn)
}

// logsIn reports whether a factor is a passkey that logs in by itself.
func logsIn(f record.Factor) bool {
	if f.Type != record.FactorPasskey {
		return false
	}
	p, err := passkey.Parse([]byte(f.Data))
	return err == nil && p.Discoverable && p.UserVerified
}

// Disconnect disconnects an account at a provider from an account here, and ends the sessions that began with one
// there, except client.Session. Errors: ErrLastWay if the user could not log in without it; ErrNotFound if the
// account has none with this id, or has changed concurrently; ErrUnavailable.
func (ps Providers) Disconnect(ctx context.Context, a *record.Account, id int64, client Client) error {
	g := ps.gate
	connected, change, err := ps.Disconnection(ctx, a, id, client)
	if err != nil {
		return err
	}
	err = g.changeSocial(ctx, change, connected.ProviderID+" disconnected", client)
	if err == nil {
		g.pullRevocations(ctx)
		g.Accounts().Notify(ctx, record.MessageProviderDisconnected, a, connected.Provider)
	}
	return err
}

// Disconnection returns the change with which Disconnect disconnects an account at a provider, for a program that
// makes the change in a transaction of its own. If a.Related is set, it decides. Errors: those of Disconnect.
func (ps Providers) Disconnection(ctx context.Context, a *record.Account, id int64, client Client) (connected ConnectedAccount, change record.SocialChange, err error) {
	if len(ps.gate.settings.Providers) == 0 {
		return connected, change, ErrNotFound
	}
	rows, factors, err := ps.ways(ctx, a)
	if err != nil {
		return connected, change, err
	}
	at := slices.IndexFunc(rows, func(row record.SocialAccount) bool { return row.ID == id })
	if at < 0 {
		return connected, change, ErrNotFound
	}
	if connected = ps.describe(a, rows[at], rows, factors); !connected.Removable {
		return connected, change, ErrLastWay
	}
	change = record.SocialChange{User: a.ID, At: ps.gate.now(), Disconnect: id, IfPassword: a.Password, IfFactors: record.FactorSet(factors), EndSessions: true, KeepSession: client.Session}
	for _, row := range rows {
		if row.ID != id {
			change.IfRemaining = append(change.IfRemaining, row.ID)
		}
	}
	return connected, change, nil
}

// keepWay makes the removal of a factor conditional on another way to log in, if the
// account has no password. Errors: ErrLastWay, ErrUnavailable.
func (ps Providers) keepWay(ctx context.Context, a *record.Account, change *record.FactorChange) error {
	if passwd.IsUsable(a.Password) || len(ps.gate.settings.Providers) == 0 {
		return nil
	}
	rows, factors, err := ps.ways(ctx, a)
	if err != nil {
		return err
	}
	removed := slices.ContainsFunc(factors, func(f record.Factor) bool { return slices.Contains(change.Remove, f.ID) && logsIn(f) })
	left := slices.DeleteFunc(slices.Clone(factors), func(f record.Factor) bool { return slices.Contains(change.Remove, f.ID) })
	if removed && !ps.hasOtherWay(a, rows, left, 0) {
		return ErrLastWay
	}
	set, ids := record.FactorSet(factors), []int64{}
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	change.IfPassword, change.IfFactors, change.IfSocial = &a.Password, &set, &ids
	return nil
}
