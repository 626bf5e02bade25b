// Package record defines the rows and the storage interfaces of a gate; each
// method documents its exact contract. Package store implements them in SQL; a
// program that keeps its data elsewhere implements them itself, and package
// storetest tests any implementation with the same suite.
//
//	record.Store        what a gate uses, by noun:
//	record.Accounts     accounts, and their groups and permissions
//	record.Names        usernames that are similar to others
//	record.Addresses    verified e-mail addresses and pending changes
//	record.Sessions     sessions, and tokens without one
//	record.Revocations  the feed of what was revoked
//	record.Keys         signing keys that rotate
//	record.Events       the audit trail
//	record.Outbox       e-mails that wait to be sent
//	record.Failures     counters of failed logins
//	record.Factors      second factors
//	record.SocialAccounts  accounts at providers
//	record.LoginCodes   optional: codes for logins by e-mail
//	record.Invitations  optional: invitations by e-mail
//	record.Readiness    optional: whether a change could be made now
//
// The errors named here are those of package jotgate.
package record

import "context"

// Store is the storage that a Gate requires. Packages store/sqlite and
// store/postgres open one; package storetest runs the same suite over both.
// Every method may be called concurrently, honours its context's deadline,
// and is atomic: it returns after a durable commit, or it has changed
// nothing.
//
// A method returns jotgate.ErrNotFound or jotgate.ErrTaken if its comment
// says so. If the database cannot respond, the error is
// jotgate.ErrUnavailable, wrapped with its cause for the operator. Times are
// stored and compared in UTC with microseconds.
type Store interface {
	Accounts() Accounts
	Addresses() Addresses
	Sessions() Sessions
	Revocations() Revocations

	// Names returns nil if the store does not compare usernames: then only equal
	// ones are taken.
	Names() Names

	// Keys returns nil if the store keeps no signing keys: then only the keys of
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

// Readiness is implemented by a Store that can find out whether it can be
// written. Without it, a store is ready if it can be read.
type Readiness interface {
	// Ready returns nil if a change could be made now. Otherwise the error is
	// jotgate.ErrUnavailable, with a Reason.
	Ready(ctx context.Context) error
}
