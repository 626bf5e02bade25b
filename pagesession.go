package jotgate

// Page sessions: what the login pages keep in a browser instead of tokens.

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

const (
	// pageLifetime is how long a page cookie is accepted without a look at its
	// session, unless access tokens live shorter: revocations are kept for the
	// lifetime of an access token, and a page cookie must not outlive them.
	pageLifetime = 5 * time.Minute
	// pageSessionLifetime is how long a session of the pages lives that the user
	// did not ask to keep (NIST SP 800-63B section 4.2.3: 12 hours).
	pageSessionLifetime = 12 * time.Hour
	// pageSeenEvery is how often the use of a page session is recorded.
	pageSeenEvery = 15 * time.Minute
)

// lifetime returns how long the session lives.
func (l *PageLogin) lifetime(g *Gate) time.Duration {
	if l.Keep {
		return max(30*24*time.Hour, g.settings.SessionLifetime)
	}
	return pageSessionLifetime
}

// errOtherUser is the cause of the refusal of a login that replaces a session of
// another user.
var errOtherUser = errors.New("the session to be replaced is another user's")

// prepare changes a session that is about to be created to that of a page.
func (l *PageLogin) prepare(g *Gate, s *record.Session) error {
	// The cookie names the account by its key, so a new username ends nothing.
	s.Expires, s.ByUsername = g.within(s.Created, s.Created.Add(l.lifetime(g))), false
	if l.Replaces == nil {
		return nil
	}
	if l.Replaces.Owner != s.User {
		return ErrLoginNotValid.Because(errOtherUser)
	}
	s.Entry.Replaces = l.Replaces.User.Session
	return nil
}

// make returns the session with a new cookie, which keeps what only the cookie has
// (Keep and Back).
func (p PageSessions) make(account *record.Account, s *record.Session, kept *pageCookie) *PageSession {
	now := p.gate.now()
	expires := now.Add(min(pageLifetime, p.gate.settings.AccessTokenLifetime))
	if s.Expires.Before(expires) {
		expires = s.Expires
	}
	c := &pageCookie{
		Session: s.ID, JTI: s.JTI, User: account.ID, Username: account.Username, Email: account.Email, Role: RoleOf(account),
		AuthTime: s.AuthTime.Unix(), AMR: s.AMR, ACR: s.ACR, Issued: p.gate.dated(now).Unix(), Expires: expires.Unix(), End: s.Expires.Unix(), Seen: s.LastSeen.Unix(), Keep: kept.Keep,
		Actor: s.Actor, Back: kept.Back,
	}
	page := p.session(c, sealPage(p.gate, c))
	page.Changed, page.Account = true, account
	return page
}

// session returns the session of a cookie. Its User is as if an access token
// had been presented: the id is the value of the user id claim.
func (p PageSessions) session(c *pageCookie, cookie string) *PageSession {
	id := p.gate.claimOf(&record.Account{ID: c.User, Username: c.Username})
	user := &User{ID: id, Username: c.Username, Email: c.Email, Role: c.Role, Session: c.Session}
	user.rest = &details{actor: c.Actor, authTime: c.AuthTime, amr: strings.Fields(c.AMR), acr: c.ACR}
	user.stamp = stamp{issued: c.Issued, expires: c.Expires}
	return &PageSession{User: user, Owner: c.User, AuthTime: time.Unix(c.AuthTime, 0), ACR: c.ACR, Keep: c.Keep, Expires: time.Unix(c.End, 0), Cookie: cookie}
}

// Open verifies a cookie. It makes no query if the cookie is younger than five minutes.
// Otherwise it reads the session and its account with one SELECT, and returns a new
// cookie (Changed). Errors: ErrNotAuthenticated if the cookie is not valid, or if its
// session has ended, has expired or is revoked; ErrUnavailable.
func (p PageSessions) Open(ctx context.Context, cookie string) (*PageSession, error) {
	c, ok := openPage(p.gate, cookie)
	if !ok {
		return nil, ErrNotAuthenticated
	}
	g, page := p.gate, p.session(c, cookie)
	switch now := g.now().Unix(); {
	case g.stale():
		return nil, ErrUnavailable.Because(errStaleRevocations)
	case now < c.Expires && now >= c.Issued-60 && g.checkUserRevoked(page.User) == nil:
		return page, nil
	}
	// It has expired, or the user's rights have changed, which ends no session.
	return p.renew(ctx, c)
}

// renew reads the session and its account and returns a new cookie.
func (p PageSessions) renew(ctx context.Context, c *pageCookie) (*PageSession, error) {
	s, account, err := p.read(ctx, c)
	if err != nil {
		return nil, err
	}
	return p.make(account, s, c), nil
}

// read returns the live session of a cookie and its active account.
func (p PageSessions) read(ctx context.Context, c *pageCookie) (*record.Session, *record.Account, error) {
	g := p.gate
	s, account, err := p.find(ctx, c)
	if errors.Is(err, ErrNotFound) || err == nil && !account.IsActive {
		g.confirmActive(ctx, c.User)
		err = ErrNotAuthenticated.Because(cmp.Or(err, errRevoked))
	}
	if err != nil {
		return nil, nil, err
	}
	now := g.now()
	switch {
	case s.User != c.User, s.JTI != c.JTI, !s.Ended.IsZero(), !now.Before(s.Expires), g.outlived(s):
		return nil, nil, ErrNotAuthenticated.Because(errRevoked)
	case s.PasswordDigest != "" && s.PasswordDigest != record.DigestPassword(account.Password):
		err := g.confirmPassword(ctx, &User{ID: account.ID, Session: s.ID}, account)
		if err == nil || errors.Is(err, ErrPasswordChanged) {
			err = ErrNotAuthenticated.Because(ErrPasswordChanged)
		}
		return nil, nil, err
	}
	if err := g.mayContinue(ctx, s, account); err != nil {
		if errors.Is(err, ErrTokenBlacklisted) {
			err = ErrNotAuthenticated.Because(err)
		}
		return nil, nil, err
	}
	return s, account, nil
}

// Renew reads the session and its account, and returns the page session with a new
// cookie. It is for a page that needs the account as it is now, or has changed it.
// Errors: those of Open.
func (p PageSessions) Renew(ctx context.Context, page *PageSession) (*PageSession, error) {
	c, ok := openPage(p.gate, page.Cookie)
	if !ok {
		return nil, ErrNotAuthenticated
	}
	return p.renew(ctx, c)
}

// find reads the session and the account. After pageSeenEvery it also records
// that the session is used: by a refresh that does not rotate.
func (p PageSessions) find(ctx context.Context, c *pageCookie) (*record.Session, *record.Account, error) {
	g, now := p.gate, p.gate.now()
	if now.Sub(time.Unix(c.Seen, 0)) >= pageSeenEvery {
		used, err := g.db.Sessions().Rotate(ctx, record.Rotation{
			Session: c.Session, User: c.User, Presented: c.JTI, Now: now, Expires: time.Unix(c.End, 0),
			Lifetime: max(0, g.settings.SessionLifetime), Keep: true, OwnUsers: g.ownUsers(),
		})
		if err != nil || used.Account != nil {
			return &used.Session, used.Account, refused(err)
		}
	}
	if sessions, ok := g.db.Sessions().(record.PageSessions); ok && !g.ownUsers() {
		return sessions.SessionWithAccount(ctx, c.Session, c.User)
	}
	s, err := p.gate.db.Sessions().Find(ctx, c.Session)
	if err != nil {
		return nil, nil, err
	}
	account, err := p.gate.users.UserByID(ctx, c.User)
	return s, account, err
}

// refused converts the refusals of a refresh to ErrNotFound.
func refused(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return ErrNotFound.Because(err)
}

// Access returns an access token of the page session, for scripts of the same origin.
// It first reads the session and its account. There is no refresh token: the page calls
// Access again. Errors: those of Open.
func (p PageSessions) Access(ctx context.Context, page *PageSession) (Tokens, error) {
	c, ok := openPage(p.gate, page.Cookie)
	if !ok {
		return Tokens{}, ErrNotAuthenticated
	}
	read := p.gate.now()
	s, account, err := p.read(ctx, c)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := p.gate.issue(ctx, "page", account, s, nil, read)
	tokens.Refresh = ""
	return tokens, err
}
