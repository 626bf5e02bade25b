// Package record defines what a gate stores: the types of the rows, and the interfaces
// of the storage. It has no code that stores anything.
//
// Most programs use only the types, such as [Account] and [Session], and open a store
// with store/sqlite or store/postgres, which is the safe choice:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{}) // a record.Store
//	account, err := db.Accounts().ByLogin(ctx, "alice")         // a *record.Account
//
// A program that keeps its data elsewhere implements [Store]. The comment of each
// method is its exact contract, and package store/storetest tests an implementation.
//
//	record.Store           what a gate uses, by noun:
//	record.Accounts        accounts, and their groups and permissions
//	record.Names           usernames that are similar to others
//	record.Addresses       verified e-mail addresses and pending changes
//	record.Sessions        sessions, and tokens without a session
//	record.Revocations     the feed of revoked sessions and users
//	record.Keys            signing keys that rotate
//	record.Events          the audit trail
//	record.Outbox          e-mails that wait to be sent
//	record.Failures        counters of failed logins
//	record.Factors         second factors
//	record.SocialAccounts  accounts at providers
//	record.LoginCodes      optional: codes for logins by e-mail
//	record.Invitations     optional: invitations by e-mail
//	record.Deletions       optional: deletion of accounts after a delay
//	record.PageSessions    optional: fewer queries for the login pages
//	record.Readiness       optional: reports whether a change could be made now
//
// The errors are those of package jotgate.
package record

import "context"

// Store is the storage that a Gate requires. Packages store/sqlite and
// store/postgres open one. Its methods return the parts of the storage, by noun.
//
// Every method of a part may be called concurrently, returns when its context ends,
// and is atomic: when it returns without an error its changes are durable, and when
// it returns an error it has changed nothing.
//
// A method returns jotgate.ErrNotFound, jotgate.ErrTaken or another error of package
// jotgate if its comment says so. If the database cannot respond, the error is
// jotgate.ErrUnavailable, which wraps the cause for the operator. Times are stored and
// compared in UTC, in microseconds.
type Store interface {
	// Accounts, Addresses, Sessions and Revocations are required and not nil.
	Accounts() Accounts
	Addresses() Addresses
	Sessions() Sessions
	Revocations() Revocations

	// Names returns nil if the store does not compare usernames: then a username is
	// taken only if another account has exactly the same one.
	Names() Names

	// Keys returns nil if the store keeps no signing keys: then only the keys in
	// the settings sign.
	Keys() Keys
	// Events returns nil if the store keeps no events: then they are only logged.
	Events() Events
	// Outbox returns nil if the store keeps no e-mails: then none are sent.
	Outbox() Outbox
	// Failures returns nil if the store keeps no counters: then each process
	// counts failed logins in memory.
	Failures() Failures
	// Factors returns nil if accounts cannot have second factors.
	Factors() Factors
	// SocialAccounts returns nil if accounts cannot be connected to providers.
	SocialAccounts() SocialAccounts
}

// Readiness is an optional interface of a Store that can find out whether changes are
// possible. A Store without it is ready if it can be read.
type Readiness interface {
	// Ready returns nil if a change could be made now. Otherwise the error is
	// jotgate.ErrUnavailable, with a Reason.
	Ready(ctx context.Context) error
}
