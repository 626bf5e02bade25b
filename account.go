package jotgate

// Accounts: finding them, whether they may still be used, and deleting them.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/record"
)

// ByID finds an account by its primary key. Errors: ErrNotFound if there is none,
// ErrUnavailable.
func (as Accounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	return as.gate.users.UserByID(ctx, id)
}

// Delete deletes the account. Its sessions end, and its tokens stop working. Errors:
// ErrNotFound, ErrForbidden if Settings.Users keeps the accounts, 409 if rows of
// another application refer to the account, ErrUnavailable.
func (as Accounts) Delete(ctx context.Context, a *record.Account, client Client) error {
	if as.gate.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	e := record.Event{Name: "delete", User: a.ID, Detail: a.Username}
	if err := as.gate.recorded(ctx, &e, client, func(ctx context.Context) error { return as.gate.db.Accounts().Delete(ctx, a.ID) }); err != nil {
		return err
	}
	as.gate.pullRevocations(ctx)
	return nil
}

// Of reads the account of a verified user, and makes the checks that need it: use it if
// a handler must not rely on the data in the token. Errors: ErrUserNotFound;
// ErrUserInactive; ErrPasswordChanged if the stored password is not the one that was
// stored when the session or, for a token without a session, the user was recorded, or
// with Settings.CheckRevokeToken when the token was issued; ErrUnavailable.
func (as Accounts) Of(ctx context.Context, user *User) (*record.Account, error) {
	g := as.gate
	if owner := user.details().owner; owner != "" {
		return g.activeOwner(ctx, owner)
	}
	account, err := g.accountOf(ctx, user.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		if g.settings.UserIDField == "id" {
			g.confirmActive(ctx, user.ID)
		}
		return nil, ErrUserNotFound
	case err != nil:
		return nil, err
	case !account.IsActive:
		g.confirmActive(ctx, account.ID)
		return nil, ErrUserInactive
	}
	if err := g.sameOwner(ctx, user, account); err != nil {
		return nil, err
	}
	if g.settings.CheckRevokeToken {
		if claim, _ := user.Claim(g.settings.RevokeTokenClaim); !revokeClaimHolds(claim, account) {
			return nil, ErrPasswordChanged
		}
	}
	if err := g.confirmPassword(ctx, user, account); err != nil {
		return nil, err
	}
	return account, nil
}

// confirmActive ends the sessions of an account that was read and found missing or
// inactive, so that they do not continue if a program other than jotgate activates
// it again. If that fails, the request is still refused.
func (g *Gate) confirmActive(ctx context.Context, user record.UserID) {
	if g.ownUsers() {
		return
	}
	ended, err := g.db.Sessions().ConfirmActive(ctx, user, g.now())
	if err != nil {
		g.log.WarnContext(ctx, "the sessions of an inactive account were not ended", "user_id", user, "cause", err)
	}
	if ended {
		g.pullRevocations(ctx)
		// The store wrote the event in the transaction that ended the sessions.
		g.logEvent(ctx, record.Event{Name: string(record.EndedByAccount), User: user})
	}
}

// confirmPassword ends the user's sessions if the password was changed by
// another program than jotgate, such as a Django site on the same tables.
func (g *Gate) confirmPassword(ctx context.Context, user *User, account *record.Account) error {
	if g.ownUsers() {
		return nil
	}
	err := g.db.Sessions().ConfirmPassword(ctx, user.Session, account.ID, account.Password, g.now())
	if errors.Is(err, ErrPasswordChanged) {
		g.pullRevocations(ctx)
		// The store wrote the event in the transaction that ended the sessions.
		g.logEvent(ctx, record.Event{Name: string(record.EndedByPassword), User: account.ID, Session: user.Session})
	}
	return err
}

// precedes reports whether a token that identifies its user by username was
// issued before the account joined: then it belongs to an earlier owner of
// the name.
func (g *Gate) precedes(issued int64, account *record.Account) bool {
	return g.settings.UserIDField == "username" && !account.DateJoined.IsZero() && issued < account.DateJoined.Unix()
}

// sameOwner returns ErrUserNotFound if the token identifies its user by
// username and the name has a new owner, perhaps by a change that a Django site
// made on the same tables: its session is another account's or, without a
// session, it was issued before the account joined.
func (g *Gate) sameOwner(ctx context.Context, user *User, account *record.Account) error {
	if g.settings.UserIDField != "username" {
		return nil
	}
	s, err := &record.Session{}, error(ErrNotFound)
	if user.Session != "" {
		s, err = g.db.Sessions().Find(ctx, user.Session)
	}
	switch unknown := errors.Is(err, ErrNotFound); {
	case unknown && g.precedes(user.issued, account), err == nil && s.User != account.ID:
		return ErrUserNotFound
	case unknown: // of another issuer
		return nil
	}
	return err
}

// accountOf finds an account by the value of the user id claim.
func (g *Gate) accountOf(ctx context.Context, id record.UserID) (*record.Account, error) {
	if g.settings.UserIDField == "username" {
		return g.users.UserByLogin(ctx, string(id))
	}
	return g.users.UserByID(ctx, id)
}

// EmailVerified reports whether a.Email is verified: the owner of the account has
// followed a link that was sent to it, or an operator has set it. If the account has no
// row in account_emailaddress, because it is older than that table or a Django without
// allauth created it, the address counts as verified, unless Settings.ListedEmailsOnly
// is set. The error is ErrUnavailable.
func (as Accounts) EmailVerified(ctx context.Context, a *record.Account) (bool, error) {
	if as.gate.ownUsers() {
		return a.Email != "", nil
	}
	if r := a.Related; r != nil && r.Email == a.Email {
		return a.Email != "" && (r.Verified || !r.Listed && !as.gate.settings.ListedEmailsOnly), nil
	}
	verified, listed, err := as.gate.db.Addresses().Verified(ctx, a.ID, a.Email)
	return a.Email != "" && (verified || !listed && !as.gate.settings.ListedEmailsOnly), err
}

func idOf(account *record.Account) record.UserID {
	if account == nil {
		return ""
	}
	return account.ID
}
