// Package record defines the rows and the storage interfaces of a gate; each
// method documents its exact contract. Package store implements them in SQL; a
// program that keeps its data elsewhere implements them itself, and package
// storetest tests any implementation with the same suite.
//
//	record.Store     accounts, addresses and sessions: required by every gate
//	record.Keys      signing keys that rotate
//	record.Events    the audit trail
//	record.Outbox    e-mails that wait to be sent
//	record.Failures  counters of failed logins
//
// A gate uses type assertions to find out which of the optional interfaces
// its Store implements. The errors named here are those of package jotgate.
package record

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
	Accounts
	Addresses
	Sessions
}
