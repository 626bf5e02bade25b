package jotgate

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// maxLogin limits the length of a login name, in bytes, before it is looked
// up. Django's columns hold 254 characters at most.
const maxLogin = 1024

// Check compares a username and a password, as Gate.Login does, and returns the
// account. It does not start a session. Errors: ErrNoActiveAccount, with which the
// account is also returned if there is one, for the audit trail; ErrBusy,
// ErrUnavailable.
func (ls Logins) Check(ctx context.Context, username, password string) (*record.Account, error) {
	g := ls.gate
	account, err := g.findLogin(ctx, username)
	if err != nil {
		return nil, err
	}
	ok, err := g.users.CheckPassword(ctx, account, password)
	if err != nil {
		return nil, err
	}
	if account == nil || !ok || !account.IsActive || account.Service {
		return account, ErrNoActiveAccount.Because(whyRefused(account, ok))
	}
	return account, nil
}

// loginRefusal is the reason why a login failed. It is only for the operator:
// the audit trail and the log contain it, no response does.
type loginRefusal string

func (r loginRefusal) Error() string { return string(r) }

// whyRefused returns the reason. It is determined in the same way for each
// failure, after the password was checked, so that its time reveals nothing.
func whyRefused(account *record.Account, passwordFits bool) loginRefusal {
	switch {
	case account == nil:
		return "no such account"
	case !passwd.IsUsable(account.Password) && account.Password != "":
		return "no usable password"
	case !passwordFits && !account.IsActive:
		return "wrong password, inactive"
	case !passwordFits:
		return "wrong password"
	default:
		return whyInactive(account)
	}
}

// whyInactive returns the reason why an account may not log in.
func whyInactive(account *record.Account) loginRefusal {
	if account.IsActive {
		return "service account"
	}
	return "inactive"
}

// failureReason returns the detail of the event login_failed.
func failureReason(err error) string {
	var refusal loginRefusal
	if errors.As(err, &refusal) {
		return string(refusal)
	}
	return failureChanged
}

// failureChanged is the reason of a login whose account changed while the password
// was hashed.
const failureChanged = "the account changed during the login"

// findLogin returns nil, and no error, for a name that no account has.
func (g *Gate) findLogin(ctx context.Context, username string) (*record.Account, error) {
	if len(username) > maxLogin {
		return nil, nil
	}
	account, err := g.users.UserByLogin(ctx, username)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return account, err
}

// touchLastLogin writes last_login if Settings.UpdateLastLogin is set. If
// that fails, the login still succeeds.
func (g *Gate) touchLastLogin(ctx context.Context, account *record.Account, now time.Time) {
	if !g.settings.UpdateLastLogin || g.ownUsers() {
		return
	}
	if err := g.db.Accounts().Change(ctx, account.ID, record.Change{LastLogin: &now}); err != nil {
		g.log.WarnContext(ctx, "last_login was not written", "user_id", account.ID, "cause", err)
	}
}
