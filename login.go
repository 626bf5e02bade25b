package jotgate

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// Client describes the client of a request, as the session list and the audit
// trail show it.
type Client struct {
	Address   string // without a port
	UserAgent string
	Endpoint  string // the route of the request, for the audit trail
	// Browser says that the client keeps a pending login in a cookie. Such a login
	// cannot be continued by a client that sends it in the body of a request, nor
	// the other way round.
	Browser bool
	// TrustedBrowser is the value of LoginState.TrustedBrowser that this browser
	// has kept, if any. See Settings.TrustedBrowser.
	TrustedBrowser string
}

// Tokens is the response to a login or a refresh.
type Tokens struct {
	Refresh string `json:"refresh,omitempty"`
	Access  string `json:"access"`
	User    *User  `json:"user,omitempty"`
}

// Users is where a Gate finds users: the Store's accounts or, with
// Settings.Users, a program's own table.
type Users interface {
	// UserByLogin finds the user with this login name. The error is ErrNotFound
	// if there is none.
	UserByLogin(ctx context.Context, login string) (*record.Account, error)
	// UserByID finds a user by the value of an earlier Account.ID. The error is
	// ErrNotFound if there is none.
	UserByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// CheckPassword reports whether the password is the account's. account is nil
	// if there is no such user: then it should take the same time and return
	// false.
	CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error)
}

// maxLogin limits the length of a login name, in bytes, before it is looked
// up. Django's columns hold 254 characters at most.
const maxLogin = 1024

// errOvertaken reports that the account changed between the check and the
// start of the session.
var errOvertaken = errors.New("the account changed during the login")

// Check is the first half of Gate.Login: it returns the account that logs in,
// or ErrNoActiveAccount (with the account that was tried, if there is one,
// for the audit trail), ErrBusy or ErrUnavailable. It does not start a
// session.
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
	if account == nil || !ok || !account.IsActive {
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
		return "inactive"
	}
}

// failureReason returns the detail of the event login_failed.
func failureReason(err error) string {
	var refusal loginRefusal
	if errors.As(err, &refusal) {
		return string(refusal)
	}
	return "the account changed during the login"
}

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

// randomHex returns 128 random bits in the form of Python's uuid4().hex: 32
// hex digits.
func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error since Go 1.24: it stops the program
	return hex.EncodeToString(b[:])
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func idOf(account *record.Account) record.UserID {
	if account == nil {
		return ""
	}
	return account.ID
}
