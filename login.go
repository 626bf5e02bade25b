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

// Client is who asks, as the session list and the audit trail show it.
type Client struct {
	Address   string // without a port
	UserAgent string
	Endpoint  string // the route of the request, for the audit trail
}

// Tokens is the answer to a login or a refresh.
type Tokens struct {
	Refresh string `json:"refresh,omitempty"`
	Access  string `json:"access"`
	User    *User  `json:"user,omitempty"`
}

// Users is where a Gate finds people: the Store's accounts, or a program's own
// table by Settings.Users.
type Users interface {
	// UserByLogin finds who logs in by this name. ErrNotFound without one.
	UserByLogin(ctx context.Context, login string) (*record.Account, error)
	// UserByID finds by what Account.ID held before. ErrNotFound without one.
	UserByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// CheckPassword compares the password with the account's. account is nil
	// when there is no such user: then it should take as long as otherwise,
	// and answer false.
	CheckPassword(ctx context.Context, account *record.Account, password string) (bool, error)
}

// maxLogin bounds a login name before it is looked up, in bytes. Django's
// columns hold 254 characters at most.
const maxLogin = 1024

// Login checks a username and a password and starts a session. It makes one
// SELECT, spends one password hash whatever the outcome, and writes in one
// transaction: the session and its event.
// Errors: ErrNoActiveAccount, the same in the same time for an unknown name,
// a wrong password, an unusable one and an inactive account; ErrBusy when too
// many logins wait; ErrUnavailable.
func (g *Gate) Login(ctx context.Context, username, password string, client Client) (Tokens, error) {
	var account *record.Account
	var err error
	for range 2 {
		read := g.now()
		if account, err = g.CheckLogin(ctx, username, password); err != nil {
			break
		}
		var tokens Tokens
		if tokens, err = g.startSession(ctx, account, client, read); err == nil {
			return tokens, nil
		}
		// The row may have changed while the hash was made, perhaps by another
		// login that upgraded the hash: look once more.
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	if errors.Is(err, ErrNoActiveAccount) {
		g.event(ctx, record.Event{
			Name: "login_failed", User: idOf(account), Subject: g.EventSubject(username), Detail: failureReason(err),
		}, client)
	}
	return Tokens{}, err
}

// errOvertaken says that the account changed between check and session.
var errOvertaken = errors.New("the account changed during the login")

// CheckLogin is the first half of Login: it answers who logs in, or
// ErrNoActiveAccount (with the account that was tried, if there is one, for
// the audit trail), ErrBusy or ErrUnavailable. No session is started.
func (g *Gate) CheckLogin(ctx context.Context, username, password string) (*record.Account, error) {
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

// loginRefusal is why a login failed, for the operator alone: the audit trail
// and the log have it, no response does.
type loginRefusal string

func (r loginRefusal) Error() string { return string(r) }

// whyRefused returns the reason. It is worked out for each failure alike, after
// the password was checked, so that it takes no time that would show.
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

// failureReason is the detail of the event login_failed.
func failureReason(err error) string {
	var refusal loginRefusal
	if errors.As(err, &refusal) {
		return string(refusal)
	}
	return "the account changed during the login"
}

// findLogin returns nil, and no error, for a name nobody has.
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

// StartSession is the second half: a row in jotgate_session and two tokens for
// an account that has proved who it is, by CheckLogin or in another way.
// Errors: ErrNoActiveAccount when the account is inactive by now, or its
// password another one; ErrUnavailable.
func (g *Gate) StartSession(ctx context.Context, account *record.Account, client Client) (Tokens, error) {
	return g.startSession(ctx, account, client, g.now())
}

// startSession is StartSession for an account that was read at or after read.
func (g *Gate) startSession(ctx context.Context, account *record.Account, client Client, read time.Time) (Tokens, error) {
	now := g.now()
	s := &record.Session{
		ID: randomHex(), User: account.ID, JTI: randomHex(),
		Created: now, LastSeen: now, Rotated: now, Expires: g.within(now, now.Add(g.settings.RefreshTokenLifetime)),
		Address: client.Address, UserAgent: cut(client.UserAgent, 512),
		OwnUsers: g.ownUsers(),
	}
	if err := g.db.CreateSession(ctx, s, account.Password); err != nil {
		if errors.Is(err, ErrNotFound) { // deactivated or changed while the hash was made
			return Tokens{}, ErrNoActiveAccount.Because(errOvertaken)
		}
		return Tokens{}, err
	}
	tokens, err := g.issue(ctx, account, s, nil, read)
	if err != nil {
		return Tokens{}, err
	}
	g.touchLastLogin(ctx, account, now)
	// The store wrote the event in the transaction that made the session.
	g.logEvent(ctx, record.Event{Name: "login", User: account.ID, Session: s.ID, Address: client.Address, Endpoint: client.Endpoint})
	return tokens, nil
}

// within is the time t, or the end of a session's life where that comes first
// (Settings.SessionLifetime).
func (g *Gate) within(created, t time.Time) time.Time {
	if life := g.settings.SessionLifetime; life > 0 && created.Add(life).Before(t) {
		return created.Add(life)
	}
	return t
}

// outlived reports whether the session has come to the end of
// Settings.SessionLifetime.
func (g *Gate) outlived(s *record.Session) bool {
	life := g.settings.SessionLifetime
	return life > 0 && !s.Created.Add(life).After(g.now())
}

// touchLastLogin writes last_login where the settings ask for it. A login does
// not fail for it.
func (g *Gate) touchLastLogin(ctx context.Context, account *record.Account, now time.Time) {
	if !g.settings.UpdateLastLogin || g.ownUsers() {
		return
	}
	if err := g.db.ChangeAccount(ctx, account.ID, record.Change{LastLogin: &now}); err != nil {
		g.log.WarnContext(ctx, "last_login was not written", "user_id", account.ID, "cause", err)
	}
}

// randomHex is 128 random bits as uuid4().hex writes them: 32 hex digits.
func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24: it stops the program
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
