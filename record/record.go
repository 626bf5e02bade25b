// Package record is what a gate asks a database: the rows, and the questions,
// each answer defined as law. Package store answers them in SQL; a program that
// keeps its data elsewhere implements them itself, and storetest runs the same
// suite over whatever does.
//
//	record.Store     accounts, addresses and sessions: what every gate needs
//	record.Keys      signing keys that rotate
//	record.Events    the audit trail
//	record.Outbox    letters that wait to be sent
//	record.Failures  counters of failed logins
//
// A gate looks whether its Store is one of the others as well. The errors named
// here are those of package jotgate.
package record

// Store is what a Gate asks a database. store/sqlite and store/postgres open
// one; storetest runs the same suite over both. Every method may be called
// concurrently, honours its context's deadline, and leaves nothing half done:
// it answers after a durable commit or it changed nothing.
//
// Errors are jotgate.ErrNotFound and jotgate.ErrTaken where a method says so; a database that
// cannot answer is jotgate.ErrUnavailable (wrapped, with its cause for the operator).
// Times are stored and compared in UTC with microseconds.
type Store interface {
	Accounts
	Addresses
	Sessions
}
