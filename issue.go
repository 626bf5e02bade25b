package jotgate

// Issuing: the claims of refresh and access tokens, and signing them.

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/trace"
)

// issue returns the session's refresh token and an access token. grant is what they
// are counted as. custom are
// the claims that a refresh copies from the presented token. The same session
// always gets the same refresh token (except for the random part of ES256 and
// PS256 signatures), which is how a retry within the grace time gets it
// again. read is a time at or before the account was read. It becomes the iat
// of the access token, so that a right removed after it revokes the token.
func (g *Gate) issue(ctx context.Context, grant string, account *record.Account, s *record.Session, custom jwt.Object, read time.Time) (Tokens, error) {
	g.warnIdle(ctx)
	key := g.keys.Signing()
	access, user, err := g.accessClaims(ctx, account, s, custom, read)
	if err != nil {
		return Tokens{}, err
	}
	t := Tokens{User: user}
	_, span := trace.Start(ctx, trace.Internal, "jotgate.sign", slog.String("jotgate.key.algorithm", string(key.Algorithm())))
	t.Access, err = jwt.Sign(key, access)
	if err == nil {
		t.Refresh, err = jwt.Sign(key, g.refreshClaims(account, s, custom))
	}
	span.End(errorType(err))
	if err == nil {
		g.settings.Metrics.Count(metrics.TokensIssued, grant, "access")
		g.settings.Metrics.Count(metrics.TokensIssued, grant, "refresh")
	}
	return t, err
}

// refreshClaims returns SimpleJWT's claims, in its order, and the session.
func (g *Gate) refreshClaims(account *record.Account, s *record.Session, custom jwt.Object) jwt.Object {
	claims := g.baseClaims("refresh", s.Expires, s.Rotated, s.JTI, account)
	claims = append(append(claims, claim{"sid", s.ID}), actClaim(s)...)
	return g.addressed(merge(claims, custom))
}

// accessClaims returns SimpleJWT's claims, in its order, then the session and
// the facts about the user that Settings.Claims lists.
func (g *Gate) accessClaims(ctx context.Context, account *record.Account, s *record.Session, custom jwt.Object, read time.Time) (jwt.Object, *User, error) {
	read = g.dated(read)
	expires := g.within(s.Created, read.Add(g.settings.AccessTokenLifetime))
	if s.Actor != "" && s.Expires.Before(expires) {
		expires = s.Expires
	}
	claims := g.baseClaims("access", expires, read, randomHex(), account)
	claims = append(append(claims, claim{"sid", s.ID}), actClaim(s)...)
	user, err := g.factsOf(ctx, account, s)
	if err != nil {
		return nil, nil, err
	}
	claims = append(claims, g.factClaims(user, s)...)
	own, err := g.customClaims(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	return g.addressed(merge(claims, custom, own)), user, nil
}

// customClaims returns the claims of Settings.CustomClaims.
func (g *Gate) customClaims(ctx context.Context, account *record.Account) (jwt.Object, error) {
	if g.settings.CustomClaims == nil {
		return nil, nil
	}
	own, err := g.settings.CustomClaims(ctx, account)
	if err != nil {
		return nil, ErrUnavailable.Because(fmt.Errorf("CustomClaims: %w", err))
	}
	for _, m := range own {
		if g.isOwnClaim(m.Name) {
			return nil, ErrUnavailable.Because(fmt.Errorf("CustomClaims may not set %q", m.Name))
		}
	}
	return own, nil
}

// baseClaims returns the claims with which both kinds of token begin.
func (g *Gate) baseClaims(kind string, exp, iat time.Time, jti string, account *record.Account) jwt.Object {
	claims := jwt.Object{
		{"token_type", kind},
		{"exp", exp.Unix()},
		{"iat", iat.Unix()},
		{"jti", jti},
		{g.settings.UserIDClaim, string(g.claimOf(account))},
	}
	if g.settings.CheckRevokeToken {
		claims = append(claims, claim{g.settings.RevokeTokenClaim, revokeClaim(account)})
	}
	return claims
}

// addressed appends aud and iss, which SimpleJWT writes last.
func (g *Gate) addressed(claims jwt.Object) jwt.Object {
	switch aud := g.settings.Audience; len(aud) {
	case 0:
	case 1:
		claims = append(claims, claim{"aud", aud[0]})
	default:
		claims = append(claims, claim{"aud", aud})
	}
	if g.settings.Issuer != "" {
		claims = append(claims, claim{"iss", g.settings.Issuer})
	}
	return claims
}

// claimOf returns the value of the user id claim for this account.
func (g *Gate) claimOf(account *record.Account) record.UserID {
	if g.settings.UserIDField == "username" {
		return record.UserID(account.Username)
	}
	return account.ID
}

// isOwnClaim reports whether jotgate writes the claim itself.
func (g *Gate) isOwnClaim(name string) bool {
	switch name {
	case "token_type", "exp", "iat", "nbf", "jti", "sid", "aud", "iss":
		return true
	}
	return slices.Contains(g.settings.Claims, name) || name == g.settings.UserIDClaim || g.settings.CheckRevokeToken && name == g.settings.RevokeTokenClaim
}

// merge appends the other claims; of several with one name, only the first is
// kept.
func merge(claims jwt.Object, others ...jwt.Object) jwt.Object {
	seen := make(map[string]bool, len(claims))
	for _, m := range claims {
		seen[m.Name] = true
	}
	for _, other := range others {
		for _, m := range other {
			if !seen[m.Name] {
				claims, seen[m.Name] = append(claims, m), true
			}
		}
	}
	return claims
}

// revokeClaim is SimpleJWT's get_md5_hash_password: the upper-case MD5 of the
// stored hash. It is a change marker that must equal Django's, not a secret.
func revokeClaim(account *record.Account) string {
	sum := md5.Sum([]byte(account.Password))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func revokeClaimHolds(claim jwt.Raw, account *record.Account) bool {
	text, ok := claim.Text()
	return ok && text == revokeClaim(account)
}

// factsOf returns the user of a session's access tokens, with everything that
// Settings.Claims lists.
func (g *Gate) factsOf(ctx context.Context, account *record.Account, s *record.Session) (*User, error) {
	user := &User{ID: account.ID, Username: account.Username, Email: account.Email, Role: RoleOf(account), Session: s.ID}
	if s.Actor != "" {
		user.rest = &details{actor: s.Actor}
	}
	if !s.AuthTime.IsZero() && (s.ACR != "" || g.claims(func(f *fact) bool { return f.session })) {
		user.rest = &details{actor: s.Actor, authTime: s.AuthTime.Unix(), amr: strings.Fields(s.AMR), acr: cmp.Or(s.ACR, levelOne)}
	}
	if !g.claims(func(f *fact) bool { return f.granted }) || g.ownUsers() {
		return user, nil
	}
	groups, permissions, err := g.db.Accounts().Grants(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	user.Groups, user.Permissions = make([]string, len(groups)), permissions
	for i, group := range groups {
		user.Groups[i] = group.Name
	}
	return user, nil
}

// claims reports whether Settings.Claims lists a fact for which is returns true.
func (g *Gate) claims(is func(*fact) bool) bool {
	return slices.ContainsFunc(g.settings.Claims, func(name string) bool { return is(factNamed(name)) })
}

// factClaims returns the claims of an access token about its user: those that
// Settings.Claims lists, and those about the authentication if a second factor
// is concerned.
func (g *Gate) factClaims(user *User, s *record.Session) (claims jwt.Object) {
	for _, name := range g.settings.Claims {
		if f := factNamed(name); !f.session || user.details().authTime != 0 {
			claims = append(claims, claim{name, f.of(user)})
		}
	}
	for i := range facts {
		if f := &facts[i]; f.session && s.ACR != "" && !slices.Contains(g.settings.Claims, f.name) {
			claims = append(claims, claim{f.name, f.of(user)})
		}
	}
	return claims
}
