// Package jotgate adds accounts and JSON Web Token authentication to a REST API. A user
// logs in with a username and a password and gets tokens; the client sends the access
// token with each request; the gate verifies it without a query and passes the request
// to the handler.
//
// There are two calls: [New] creates a [Gate], and [Guard.Require] protects a handler.
// Package api adds the endpoints to sign up, log in and refresh tokens:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//	go gate.Run(ctx)                         // revocations of other nodes, expired rows
//	api.Mount(mux, gate)                     // login, refresh, users, …
//	mux.Handle("/api/", gate.Require(hello)) // 401 without a valid token
//
// In the handler, [UserFrom] returns the user:
//
//	user, ok := jotgate.UserFrom(r.Context())
//
// A [Gate] issues tokens and needs a [record.Store], which packages store/sqlite and
// store/postgres open. A [Guard] only verifies and needs only keys; it is for services
// without access to the accounts (see the example of [NewGuard]). Create either once
// and share it: both are safe for concurrent use.
//
// # Safe defaults
//
// The default of every setting is the safe choice; a setting that weakens it has a name
// that begins with Insecure. Only SecretKey is required: at least 32 random bytes, kept
// secret.
//
// # Operations
//
// Gate has the methods that most programs call: [Gate.Login], [Gate.Refresh],
// [Gate.Logout], [Gate.Register] and [Guard.Require]. The others are grouped by noun:
// [Gate.Logins], [Gate.Sessions], [Gate.Accounts], [Gate.Links], [Gate.Factors],
// [Gate.Keys] and [Gate.Events].
//
// # Compatibility with Django
//
// Users, groups and permissions are stored in Django's own tables, and passwords and
// tokens have the formats of Django and SimpleJWT. A Django site and a gate can
// therefore share a database and a secret, and each accepts the tokens and passwords of
// the other.
//
// # Guarantees
//
//   - Verifying an access token makes no query.
//   - A login with an unknown name, a wrong password or an inactive account gets the same
//     response in the same time.
//   - Of concurrent uses of one refresh token, exactly one rotates it.
//   - After an unforeseen failure, the gate rejects the request.
//
// From 1.0 on, names and their meanings in this package do not change; before it,
// CHANGELOG.md lists the changes.
package jotgate

import (
	"errors"
	"fmt"

	"github.com/jotgate/jotgate/internal/keyring"
	"github.com/jotgate/jotgate/internal/revocation"
	"github.com/jotgate/jotgate/record"
)

// New returns a Gate that keeps its data in db. An error names the setting that is
// wrong. New makes no query; call [Gate.Sync] before the first request to find out
// whether the database responds. If db is nil, New only checks the settings, and the
// Gate must not be used.
func New(s Settings, db record.Store) (*Gate, error) {
	if err := s.fill(); err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	keys, err := newKeys(&s)
	if err != nil {
		return nil, fmt.Errorf("jotgate: %w", err)
	}
	guard, err := newGuard(GuardSettings{
		Keys: keys, Issuer: s.Issuer, Audience: s.Audience, Leeway: s.Leeway,
		HeaderTypes: s.HeaderTypes, Resource: s.Resource, HeaderName: s.HeaderName, UserIDClaim: s.UserIDClaim,
		RememberTokens: s.RememberTokens, RememberCredentials: s.RememberCredentials,
		OnError: s.OnError, Logger: s.Logger, Now: s.Now,
	})
	if err != nil {
		return nil, err
	}
	guard.revoked = revocation.NewList(revocation.Settings{
		Sessions: s.AccessTokenLifetime + s.Leeway, Users: s.ForeignTokenLifetime + s.Leeway,
		ByUsername: s.UserIDField == "username", Served: s.ServeRevocations, Now: s.Now,
	})
	guard.verified = newVerifications(s.Metrics)
	guard.revoked.Reach(guard.revoked.Lifetimes())
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
	if err := errors.Join(g.checkProviders(), g.checkAppRedirects(), g.checkLoginCodes()); err != nil {
		return nil, err
	}
	guard.refused, guard.subject = g.recordRequest, g.subjectOf
	if g.users == nil {
		g.users = storeUsers{g}
	}
	createSeries(s.Metrics)
	s.Metrics.Collect(g.measureGate)
	if s.RevocationsRequired {
		guard.stale = g.revocationsStale
	}
	return g, nil
}

// newKeys returns the keys of the settings.
func newKeys(s *Settings) (*keyring.Ring, error) {
	fallbacks := make([]string, len(s.SecretKeyFallbacks))
	for i, secret := range s.SecretKeyFallbacks {
		fallbacks[i] = string(secret)
	}
	return keyring.New(keyring.Settings{
		Secret: string(s.SecretKey), Fallbacks: fallbacks, InsecureShort: s.InsecureShortSecret,
		Signing: s.SigningKey, Verifying: s.VerifyingKeys,
	})
}
