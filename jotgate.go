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
// services without access to the accounts. Create either once and share it: both
// are safe for concurrent use.
//
// A Gate makes the daily calls itself ([Gate.Login], [Gate.Refresh],
// [Gate.Logout], [Gate.Register], [Guard.Require]). All others are grouped by noun:
// [Gate.Logins], [Gate.Sessions], [Gate.Accounts], [Gate.Links], [Gate.Factors],
// [Gate.Keys] and [Gate.Events].
//
// The default of every setting is the safe choice; a setting that weakens it is
// named Insecure…. Only SecretKey is required.
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
	"errors"
	"fmt"

	"github.com/jotgate/jotgate/internal/keyring"
	"github.com/jotgate/jotgate/internal/revocation"
	"github.com/jotgate/jotgate/record"
)

// New returns a Gate, or an error that names the setting at fault. It does
// not touch the database; with a nil db it only checks the settings.
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
