package jotgate

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// storeUsers finds users in the store's accounts and checks their passwords
// in the hash pool. A Gate uses it unless Settings.Users is set.
type storeUsers struct{ g *Gate }

func (u storeUsers) UserByLogin(ctx context.Context, login string) (*record.Account, error) {
	return u.g.db.Accounts().ByLogin(ctx, login)
}

func (u storeUsers) UserByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	return u.g.db.Accounts().ByID(ctx, id)
}

// CheckPassword takes the same time whether or not there is an account, and
// whatever its stored password is. If the password matches an outdated hash,
// it is hashed again. A hash above Settings.HashLimits is never computed.
func (u storeUsers) CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error) {
	encoded := ""
	if account != nil {
		encoded = account.Password
	}
	var ok, outdated bool
	err := u.g.hash(ctx, encoded, func() {
		ok, outdated = u.g.hasher.Check(password, encoded)
	})
	if err != nil || account == nil {
		return false, err
	}
	if u.g.hasher.TooCostly(encoded) {
		u.g.log.WarnContext(ctx, "a stored password hash is above HashLimits: reset the password or raise the limit",
			"user_id", account.ID, "hash", passwd.Identify(encoded).String())
	}
	if ok && outdated && account.IsActive {
		u.upgrade(ctx, account, password)
	}
	return ok, nil
}

// upgrade replaces an outdated hash, if it is still the one that was checked.
// If that fails, the login still succeeds.
func (u storeUsers) upgrade(ctx context.Context, account *record.Account, password string) {
	encoded, err := u.g.Accounts().MakePassword(ctx, password)
	if err == nil {
		err = u.g.db.Accounts().Change(ctx, account.ID, record.Change{Password: &encoded, IfPassword: &account.Password})
	}
	switch {
	case err == nil:
		if u.g.renewals.add(account.ID) {
			u.g.log.WarnContext(ctx, rehashedWarning, "user_id", account.ID, "found", passwd.Identify(account.Password).String(), "hasher", u.g.hasher.String())
		}
		account.Password = encoded
	case errors.Is(err, ErrNotFound): // changed in the meantime: keep that password
	default:
		u.g.log.WarnContext(ctx, "an outdated password hash was not upgraded", "user_id", account.ID, "cause", err)
	}
}
