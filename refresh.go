package jotgate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
)

// Refresh exchanges a refresh token for a new access token and, unless
// Settings.KeepRefreshTokens is set, a new refresh token. Of any number of concurrent
// callers with one token, exactly one rotates the session. Within Settings.RefreshGrace
// the others get the same new refresh token; after that, the token counts as stolen,
// and the session ends.
//
// Errors: those of the token (ErrTokenInvalid, ErrTokenExpired, …),
// ErrTokenBlacklisted, ErrTokenReused, ErrNoAccountForToken, ErrPasswordChanged,
// ErrUnavailable.
func (g *Gate) Refresh(ctx context.Context, token string, client Client) (Tokens, error) {
	tokens, retry, err := g.refresh(ctx, token, client)
	g.settings.Metrics.Count(metrics.Refreshes, refreshResult(retry, err))
	return tokens, err
}

// refresh is Refresh; retry says that the token had been used before, within the
// grace time.
func (g *Gate) refresh(ctx context.Context, token string, client Client) (tokens Tokens, retry bool, err error) {
	t, err := g.readRefresh(ctx, token)
	if err != nil {
		return Tokens{}, false, err
	}
	if err := g.passwordUnchanged(ctx, t); err != nil {
		return Tokens{}, false, err
	}
	g.waitFresh(ctx, t)
	read := g.now()
	rotated, err := g.rotate(ctx, t, client)
	if err != nil && !errors.Is(err, ErrUnavailable) {
		g.pullRevocations(ctx) // the store may have ended sessions
	}
	if errors.Is(err, ErrTokenReused) {
		// The store inserted the event in the transaction that ended the session.
		g.logEvent(ctx, record.Event{Name: "reuse", User: t.user, Session: t.session, Address: client.Address, Endpoint: client.Endpoint, Detail: reuseDetail})
	}
	if err != nil {
		return Tokens{}, false, err
	}
	if rotated.Account == nil { // with Settings.Users
		if rotated.Account, err = g.accountForToken(ctx, t.user); err != nil {
			return Tokens{}, false, err
		}
	}
	if err := g.mayContinue(ctx, &rotated.Session, rotated.Account); err != nil {
		return Tokens{}, false, err
	}
	tokens, err = g.issue(ctx, "refresh", rotated.Account, &rotated.Session, t.custom, read)
	if g.settings.KeepRefreshTokens {
		tokens.Refresh = ""
	}
	tokens.User = nil
	return tokens, rotated.Retry, err
}

// reuseDetail says in the log what the two causes of a reuse are.
const reuseDetail = "the session was ended: the refresh token was stolen, or the client keeps its first one (KeepRefreshTokens, --keep-refresh-tokens)"

// refreshToken is the content of a verified refresh token.
type refreshToken struct {
	jti     string
	user    record.UserID
	session string // sid, or an id derived from the jti if Django issued the token
	name    string // the value of the user claim if that is the username
	adopt   *record.Session
	custom  jwt.Object // claims that neither jotgate nor SimpleJWT writes
	raw     *verifiedToken
}

// readRefresh verifies a refresh token and returns its content. With
// ErrNoAccountForToken it returns what is known of the token.
func (g *Gate) readRefresh(ctx context.Context, token string) (*refreshToken, error) {
	verified, err := g.verifyToken(token, "refresh")
	if err != nil {
		return nil, err
	}
	t := &refreshToken{session: verified.SID, raw: verified}
	if err := g.tokenUser(ctx, t); err != nil {
		return t, err
	}
	var ok bool
	if t.jti, ok = verified.JTI.Text(); !ok || t.jti == "" || len(t.jti) > 255 {
		return nil, ErrTokenInvalid.Because(errors.New("the jti is not a string of 1 to 255 bytes"))
	}
	for _, m := range verified.payload.Members() {
		if !g.isOwnClaim(m.Name) {
			t.custom = append(t.custom, m)
		}
	}
	if t.session == "" {
		g.adopt(t)
	}
	return t, nil
}

// tokenUser sets the account's id: the claim itself, or the id of the account
// with the username in it. A token that was issued before that account joined
// belongs to an earlier owner of the name.
func (g *Gate) tokenUser(ctx context.Context, t *refreshToken) error {
	id, err := g.userID(&t.raw.accessClaims, t.raw.payload)
	if err != nil {
		return ErrNoAccountForToken.Because(err)
	}
	if g.settings.UserIDField == "id" {
		t.user = id
		return nil
	}
	t.name = string(id)
	account, err := g.users.UserByLogin(ctx, t.name)
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrNoAccountForToken
	case err != nil:
		return err
	case t.raw.SID == "" && g.precedes(t.raw.issued, account):
		return ErrNoAccountForToken.Because(errors.New("the token was issued before the account joined"))
	}
	t.user = account.ID
	return nil
}

// adopt makes a session for a token that Django issued. Its id is derived
// from the jti, so that concurrent first uses share one row.
func (g *Gate) adopt(t *refreshToken) {
	sum := sha256.Sum256([]byte("jotgate session of " + t.jti))
	t.session = hex.EncodeToString(sum[:16])
	token := record.AdoptedToken{Expires: time.Unix(min(t.raw.expires, maxTime), 0), Username: t.name}
	issued := g.now()
	if t.raw.issued != 0 { // old versions of SimpleJWT wrote no iat
		issued = time.Unix(t.raw.issued, 0)
		token.Issued = issued
	}
	t.adopt = &record.Session{
		ID: t.session, User: t.user, JTI: t.jti, Created: issued, LastSeen: g.now(), Rotated: issued,
		Expires: g.within(issued, token.Expires), Adopted: token, OwnUsers: g.ownUsers(),
		Username: t.name, ByUsername: t.name != "",
	}
}

// rotate replaces this token with a new one in the store.
func (g *Gate) rotate(ctx context.Context, t *refreshToken, client Client) (record.Rotated, error) {
	now := g.now()
	return g.db.Sessions().Rotate(ctx, record.Rotation{
		Session: t.session, User: t.user, Presented: t.jti, Next: randomHex(),
		Now: now, Expires: now.Add(g.settings.RefreshTokenLifetime), Lifetime: max(0, g.settings.SessionLifetime),
		Grace: g.settings.RefreshGrace, Keep: g.settings.KeepRefreshTokens,
		Address: client.Address, UserAgent: cut(client.UserAgent, 512),
		Adopt: t.adopt, OwnUsers: g.ownUsers(),
	})
}

// accountForToken reads the account of a token's user. The error is
// ErrNoAccountForToken if there is none or it is inactive.
func (g *Gate) accountForToken(ctx context.Context, user record.UserID) (*record.Account, error) {
	account, err := g.users.UserByID(ctx, user)
	if errors.Is(err, ErrNotFound) || err == nil && !account.IsActive {
		return nil, ErrNoAccountForToken
	}
	return account, err
}

// passwordUnchanged is SimpleJWT's CHECK_REVOKE_TOKEN at refresh: a token
// made before the password changed is rejected and its session ends.
func (g *Gate) passwordUnchanged(ctx context.Context, t *refreshToken) error {
	if !g.settings.CheckRevokeToken {
		return nil
	}
	account, err := g.accountForToken(ctx, t.user)
	if err != nil {
		return err
	}
	if claim, _ := t.raw.payload.Member(g.settings.RevokeTokenClaim); revokeClaimHolds(claim, account) {
		return nil
	}
	changed := g.db.Sessions().ConfirmPassword(ctx, t.session, t.user, account.Password, g.now())
	if changed != nil && !errors.Is(changed, ErrPasswordChanged) {
		return changed
	}
	n, err := g.db.Sessions().End(ctx, record.Ending{
		ID: t.session, User: t.user, IfJTI: t.jti, Reason: record.EndedByPassword, Now: g.now(), Adopt: t.adopt,
	})
	if err != nil {
		return err
	}
	g.pullRevocations(ctx)
	if n == 0 && changed == nil {
		return ErrTokenBlacklisted
	}
	// SimpleJWT sends no code here.
	return &Error{Status: ErrPasswordChanged.Status, Detail: ErrPasswordChanged.Detail}
}

// VerifyToken returns nil if a token of any type is valid, as SimpleJWT's verify view
// does: it checks the signature and the times and, for a refresh token, that its
// session is live. Errors: those of Refresh; ErrTokenBlacklisted if the token was
// revoked or already used.
func (ss Sessions) VerifyToken(ctx context.Context, token string) error {
	g := ss.gate
	verified, err := g.verifyToken(token, "")
	if err != nil {
		return err
	}
	if textOf(verified.TokenType) != "refresh" {
		user, _ := g.userID(&verified.accessClaims, verified.payload)
		if err := g.checkRevoked(verified.SID, user, verified.revocable(), &verified.stamp); err != nil {
			return ErrTokenBlacklisted.Because(err)
		}
		return nil
	}
	return g.currentRefresh(ctx, token)
}

// currentRefresh returns ErrTokenBlacklisted unless the refresh token is the
// current one of its session.
func (g *Gate) currentRefresh(ctx context.Context, token string) error {
	t, err := g.readRefresh(ctx, token)
	if errors.Is(err, ErrNoAccountForToken) {
		return g.checkNotBefore(ctx, t) // SimpleJWT's verify view does not look at the user
	} else if err != nil {
		return err
	}
	if t.adopt != nil {
		if gone, err := g.db.Sessions().Blacklisted(ctx, t.jti); gone || err != nil {
			return cmp.Or(err, error(ErrTokenBlacklisted))
		}
	}
	s, err := g.db.Sessions().Find(ctx, t.session)
	switch {
	case errors.Is(err, ErrNotFound) && t.adopt != nil:
		return g.checkNotBefore(ctx, t) // not used here yet
	case errors.Is(err, ErrNotFound):
		return ErrTokenBlacklisted
	case err != nil:
		return err
	case !s.Ended.IsZero() || s.JTI != t.jti || g.outlived(s):
		return ErrTokenBlacklisted
	}
	return nil
}

// waitFresh waits until an access token issued now would not be revoked
// together with earlier ones. iat counts whole seconds, so the second in
// which a right was removed must be over: at most one second.
func (g *Gate) waitFresh(ctx context.Context, t *refreshToken) {
	claim := t.user
	if t.name != "" {
		claim = record.UserID(t.name)
	}
	if wait := time.Unix(g.revoked.FreshAt(claim), 0).Sub(g.dated(g.now())); wait > 0 {
		pause(ctx, min(wait, time.Second))
	}
}

// checkNotBefore returns ErrTokenBlacklisted if a refresh token without a session
// was issued at or before the time at which all tokens of its user were
// revoked.
func (g *Gate) checkNotBefore(ctx context.Context, t *refreshToken) error {
	if t.raw.SID != "" {
		return nil
	}
	at, err := g.db.Sessions().NotBefore(ctx, t.user, t.name)
	switch {
	case err != nil || at.IsZero() || t.raw.issued > at.Unix():
		return err
	case t.raw.issued == 0:
		return ErrTokenBlacklisted.Because(errNoIssued)
	}
	return ErrTokenBlacklisted
}
