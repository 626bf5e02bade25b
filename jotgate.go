// Package jotgate adds accounts and JSON Web Token authentication to a REST
// API. A login takes a username and a password and responds with tokens; the
// client sends the access token with each request; the gate verifies it
// without any look-up and passes the request to the handler:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//	api.Mount(mux, gate)                     // login, refresh, users, …
//	mux.Handle("/api/", gate.Require(hello)) // 401 without a valid token
//
//	user, ok := jotgate.UserFrom(r.Context())
//
// A [Gate] issues tokens and needs a [record.Store] (store/sqlite,
// store/postgres). A [Guard] only verifies and needs only keys; it is for
// services without access to the accounts.
//
// Users, groups and permissions are stored in Django's own tables, and
// passwords and tokens have the formats of Django and SimpleJWT. A Django
// site and a gate can therefore share a database and a secret, and each
// accepts the tokens and passwords of the other.
//
// Package jotgate guarantees that verifying a token makes no query; that a
// login with an unknown name, a wrong password or an inactive account gets
// the same response in the same time; that of concurrent uses of one refresh
// token exactly one rotates it; and that after any unforeseen failure the
// gate rejects the request. From 1.0 on, names and their meanings in this
// package do not change; before it, CHANGELOG.md lists the changes.
package jotgate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
)

// Gate logs users in, keeps their sessions and protects handlers. Create one
// with New, share it, and call Run in a goroutine. It is safe for concurrent
// use.
type Gate struct {
	*Guard
	settings Settings
	db       record.Store
	users    Users
	keys     *keyRing
	hashPool *hashPool
	hasher   *passwd.Hasher
	factors  record.Factors        // nil if accounts cannot have second factors
	rp       *passkey.RelyingParty // nil without passkeys
	made     time.Time
	runs     atomic.Bool // Run or Keys.Rotate was called, or the warning that they were not was logged
	trail    trail
}

// New returns a Gate, or an error that names the setting at fault. It does
// not touch the database; with a nil db it only checks the settings.
func New(s Settings, db record.Store) (*Gate, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	keys, err := newKeyRing(&s)
	if err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	guard, err := NewGuard(GuardSettings{
		Keys: keys, Issuer: s.Issuer, Audience: s.Audience, Leeway: s.Leeway,
		HeaderTypes: s.HeaderTypes, HeaderName: s.HeaderName, UserIDClaim: s.UserIDClaim, RememberTokens: s.RememberTokens,
		OnError: s.OnError, Logger: s.Logger, Now: s.Now,
	})
	if err != nil {
		return nil, err
	}
	guard.revoked = newRevocations(s.AccessTokenLifetime+s.Leeway, s.ForeignTokenLifetime+s.Leeway)
	guard.revoked.cover(guard.revoked.lifetime, guard.revoked.foreign)
	guard.revoked.clock = s.Now
	guard.revoked.byName = s.UserIDField == "username"
	if s.ServeRevocations {
		guard.revoked.serveFeed()
	}
	g := &Gate{
		Guard: guard, settings: s, db: db, users: s.Users, keys: keys, hasher: s.Hasher, made: s.Now(),
		hashPool: newHashPool(s.HashConcurrency, s.HashQueue, s.HashMemory),
	}
	if s.Users == nil && db != nil { // nil: only the settings are checked
		g.factors = db.Factors()
	}
	if g.factors == nil && (db != nil || s.Users != nil) && (s.RequireMFA != MFANone || len(s.RequireMFAGroups) > 0) {
		return nil, errors.New("jotgate: RequireMFA: these accounts cannot have second factors: Settings.Users keeps them, or the Store has no Factors")
	}
	if g.rp, err = newRelyingParty(&s, g.factors, db != nil || s.Users != nil); err != nil {
		return nil, err
	}
	guard.refused = g.recordRequest
	if g.users == nil {
		g.users = storeUsers{g}
	}
	if s.RevocationsRequired {
		guard.stale = g.revocationsStale
	}
	return g, nil
}

// Settings returns the gate's settings, including defaults.
func (g *Gate) Settings() Settings { return g.settings }

// Store returns the store that was passed to New.
func (g *Gate) Store() record.Store { return g.db }

// fill sets the defaults and returns an error for settings that are invalid
// or contradict each other.
func (s *Settings) fill() error {
	s.AccessTokenLifetime = or(s.AccessTokenLifetime, 5*time.Minute).Truncate(time.Second)
	s.ForeignTokenLifetime = or(s.ForeignTokenLifetime, max(30*24*time.Hour, s.AccessTokenLifetime)).Truncate(time.Second)
	s.RefreshTokenLifetime = or(s.RefreshTokenLifetime, 24*time.Hour).Truncate(time.Second)
	if s.SessionLifetime = or(s.SessionLifetime, max(30*24*time.Hour, s.RefreshTokenLifetime)); s.SessionLifetime > 0 {
		s.SessionLifetime = s.SessionLifetime.Truncate(time.Second)
	}
	s.RefreshGrace = max(0, or(s.RefreshGrace, 10*time.Second))
	s.PasswordResetTimeout = or(s.PasswordResetTimeout, 72*time.Hour)
	s.EmailLimit = or(s.EmailLimit, 5)
	s.RevocationMaxAge = or(s.RevocationMaxAge, 10*time.Second)
	s.EventRetention = or(s.EventRetention, 90*24*time.Hour)
	s.UserIDClaim = or(s.UserIDClaim, "user_id")
	s.UserIDField = or(s.UserIDField, "id")
	s.LoginField = or(s.LoginField, "username")
	s.RevokeTokenClaim = or(s.RevokeTokenClaim, "hash_password")
	s.TimeZone = or(s.TimeZone, time.UTC)
	s.RequireMFA = or(s.RequireMFA, MFANone)
	s.TOTPGrace = min(max(0, or(s.TOTPGrace, 15*time.Second)), 30*time.Second)
	s.StepUpLifetime = or(s.StepUpLifetime, 10*time.Minute)
	s.Logger = or(s.Logger, slog.Default())
	s.Hasher = or(s.Hasher, &passwd.Hasher{})
	if len(s.HashLimits) > 0 {
		var err error
		if s.Hasher, err = s.Hasher.WithLimits(s.HashLimits...); err != nil {
			return fmt.Errorf("HashLimits: %w", err)
		}
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if len(s.HeaderTypes) == 0 {
		s.HeaderTypes = []string{"Bearer", "Token"}
	}
	if s.PasswordRules == nil {
		s.PasswordRules = strength.Default()
	}
	if s.Claims == nil {
		s.Claims = standardClaims()
	}
	return s.check()
}

func (s *Settings) check() error {
	switch {
	case s.SecretKey == "":
		return errors.New("SecretKey is empty")
	case s.AccessTokenLifetime < time.Second:
		return errors.New("AccessTokenLifetime is under a second")
	case s.ForeignTokenLifetime < s.AccessTokenLifetime:
		return errors.New("ForeignTokenLifetime is shorter than AccessTokenLifetime")
	case s.RefreshTokenLifetime < s.AccessTokenLifetime:
		return errors.New("RefreshTokenLifetime is shorter than AccessTokenLifetime")
	case s.SessionLifetime >= 0 && s.SessionLifetime < s.AccessTokenLifetime:
		return errors.New("SessionLifetime is shorter than AccessTokenLifetime")
	case s.KeyRotation != 0 && s.KeyRotation < time.Hour:
		return errors.New("KeyRotation is under an hour")
	case s.RequireMFA != MFANone && s.RequireMFA != MFAStaff && s.RequireMFA != MFAAll:
		return fmt.Errorf("RequireMFA is %q: it must be none, staff or all", s.RequireMFA)
	case s.MFAGrace < 0 || s.TrustedBrowser < 0 || s.StepUpLifetime < 0:
		return errors.New("MFAGrace, TrustedBrowser and StepUpLifetime cannot be negative")
	case s.UserIDField != "id" && s.UserIDField != "username":
		return fmt.Errorf("UserIDField is %q: it must be id or username", s.UserIDField)
	}
	for _, c := range s.Claims {
		if factNamed(c) == nil {
			//lint:ignore ST1005 Claims is the name of the setting
			return fmt.Errorf("Claims contains %q: it may contain %s", c, strings.Join(ClaimNames(), ", "))
		}
	}
	return nil
}

// Of reads the account of a verified user and makes the checks that need it. Errors: ErrUserNotFound, ErrUserInactive, ErrPasswordChanged (the
// session is recorded with another password than the stored one or, with
// Settings.CheckRevokeToken, the token is), ErrUnavailable.
func (as Accounts) Of(ctx context.Context, user *User) (*record.Account, error) {
	g := as.gate
	account, err := g.accountOf(ctx, user.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrUserNotFound
	case err != nil:
		return nil, err
	case !account.IsActive:
		return nil, ErrUserInactive
	case g.precedes(user.issued, account):
		return nil, ErrUserNotFound
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

// confirmPassword ends the user's sessions if the password was changed by
// another program than jotgate, such as a Django site on the same tables.
func (g *Gate) confirmPassword(ctx context.Context, user *User, account *record.Account) error {
	if g.ownUsers() || user.Session == "" {
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
// username and its session is another account's: the name has a new owner,
// perhaps by a change that a Django site made on the same tables.
func (g *Gate) sameOwner(ctx context.Context, user *User, account *record.Account) error {
	if g.settings.UserIDField != "username" || user.Session == "" {
		return nil
	}
	s, err := g.db.Sessions().Find(ctx, user.Session)
	if errors.Is(err, ErrNotFound) { // of another issuer
		return nil
	}
	if err == nil && s.User != account.ID {
		return ErrUserNotFound
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
