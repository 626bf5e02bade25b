// Package store keeps accounts, sessions, keys and events in SQL: one text for
// SQLite and PostgreSQL. It is the Store that a jotgate.Gate asks, and it has
// what the command line, the throttle and the mail need besides.
//
// Open one with store/sqlite or store/postgres, which connect, tune and
// migrate:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//
// Users, groups and permissions live in Django's own tables, created when
// absent and adopted when present; everything else stands in tables named
// jotgate_*. Custom user models are described by a [Schema].
//
// # How it works
//
// An exported method opens the transaction, its lower-case twin works inside
// it. Every question has a deadline: 5 seconds, or the context's when that is
// sooner. A write is answered after its commit is on disk. The texts use $1
// placeholders, ON CONFLICT and RETURNING, which both databases know; what
// differs (times, UUID keys, the catalogue) is in a [Driver].
//
// # Errors
//
// jotgate.ErrNotFound and jotgate.ErrTaken where a method says so; a value the
// table cannot hold is a jotgate.Error with status 400 that names the field; a
// database that cannot be reached, is locked, full, damaged or read-only is
// jotgate.ErrUnavailable with the cause for the operator.
//
// A Store may be used by any number of goroutines.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Store implements [record.Store], [record.Keys], [record.Events],
// [record.Outbox] and [record.Failures] on a SQL database. It is safe for
// concurrent use.
type Store struct {
	driver Driver
	tables *tables
	texts  *texts
}

var (
	_ record.Store    = (*Store)(nil)
	_ record.Keys     = (*Store)(nil)
	_ record.Events   = (*Store)(nil)
	_ record.Outbox   = (*Store)(nil)
	_ record.Failures = (*Store)(nil)
)

// Timeout is how long a question may take at most; its context may allow less.
const Timeout = 5 * time.Second

// Queryer is the part of a database connection that the texts need.
type Queryer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// Driver is one database: how to reach it and in what it differs. store/sqlite
// and store/postgres make one; all fields but those that say so are required.
type Driver struct {
	// Name is "sqlite" or "postgres".
	Name string
	// Read sees what is committed.
	Read Queryer
	// Write runs do in a transaction and commits it; an error of do rolls it
	// back and is returned. do may run more than once: only the last run
	// counts.
	Write func(ctx context.Context, do func(ctx context.Context, q Queryer) error) error

	// Now is the clock, for what carries a time that no caller gave.
	Now func() time.Time
	// Time is a time as Django writes it into this database.
	Time func(time.Time) any
	// UUID is a UUID (hyphenated) as Django writes it into this database.
	UUID func(string) any
	// Columns lists name, type and NOT NULL-without-default of the table $1.
	Columns string
	// References lists table, column and NOT NULL of the foreign keys to
	// the table $1.
	References string
	// Index finds the usable index with the name $1.
	Index string
	// Locks says that transactions run side by side, so that a SELECT must
	// lock the row it decides by; false where a writer is alone anyway.
	Locks bool
	// Estimate counts the rows of the table $1 roughly, from statistics;
	// empty where there are none, or NULL when they do not know.
	Estimate string
	// Notify tells other nodes that something was revoked or a key changed;
	// empty where there are no other nodes.
	Notify string

	// Clock is the database's clock as an expression, in microseconds of Unix
	// time; Later is the function that returns the later of two such times.
	Clock, Later string
	// Horizon selects the epoch of the database, the transactions that are
	// committed (record.Horizon's text), and Clock.
	Horizon string
	// Transaction is the column of jotgate_revocation with the transaction that
	// inserted the row.
	Transaction string
	// Unseen is the condition that a horizon (its Min $1 and its text $2) does
	// not see a row's transaction, and another one (its Max $3, its text $4)
	// does. InForce is the condition that a horizon (its text $1, its Max $5)
	// sees it, or that the number is not of this database.
	Unseen, InForce string

	// Taken reports a violated unique constraint, Referred a violated
	// foreign key.
	Taken, Referred func(error) bool
	// Explain adds to an error what an operator should know, in one
	// sentence: which server or file, and what ails it.
	Explain func(error) error
	// Watch calls changed whenever another node announced a change, and
	// after each reconnection; it returns when ctx is done.
	Watch func(ctx context.Context, changed func()) error
	// Backup writes a consistent copy into a new file; nil where the
	// database has tools of its own for that.
	Backup func(ctx context.Context, file string) error
	// Close ends all connections.
	Close func() error
}

// New makes a Store over an open database. It reads the catalogue to see which
// tables and columns there are; where a needed one is missing the error says
// which in one sentence. With inspect it goes on, for [Store.Facts] only.
func New(ctx context.Context, driver Driver, schema Schema, inspect bool) (*Store, error) {
	ctx, cancel := deadline(ctx)
	defer cancel()
	found, err := discover(ctx, driver, schema)
	if err != nil {
		return nil, driver.unavailable(err)
	}
	if err := found.check(); err != nil && !inspect {
		return nil, err
	}
	return &Store{driver: driver, tables: found, texts: newTexts(found, &driver)}, nil
}

// Close ends all connections. Writes already begun are finished first.
func (s *Store) Close() error { return s.driver.Close() }

// Watch calls changed whenever another node announced a revocation or a change
// of keys, and after every reconnection, when announcements may have been
// missed. It returns ctx's error when ctx is done and no other. On SQLite
// there is no other node to hear of and it only waits.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	return s.driver.Watch(ctx, changed)
}

// BackupTo writes a consistent copy of the database into a new file (mode
// 0600) while the store goes on answering. On PostgreSQL it is
// errors.ErrUnsupported: pg_dump does it there.
func (s *Store) BackupTo(ctx context.Context, file string) error {
	if s.driver.Backup == nil {
		return fmt.Errorf("backup of a %s database: %w; use pg_dump", s.driver.Name, errors.ErrUnsupported)
	}
	return s.driver.Backup(ctx, file)
}

// Ping reports whether the database answers: one question, no table.
func (s *Store) Ping(ctx context.Context) error {
	_, err := ask(ctx, s, func(ctx context.Context, q Queryer) (bool, error) { return one(ctx, q, []any{new(int)}, "SELECT 1") })
	return err
}

// read answers from what is committed, within the deadline.
func (s *Store) read(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := deadline(ctx)
	defer cancel()
	return s.driver.unavailable(do(ctx, s.driver.Read))
}

// write runs do in one transaction and answers after its commit. do may run
// more than once and must set, not add to, what it leaves behind.
func (s *Store) write(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := deadline(ctx)
	defer cancel()
	return s.driver.unavailable(s.driver.Write(ctx, do))
}

// ask is read with an answer.
func ask[T any](ctx context.Context, s *Store, do func(ctx context.Context, q Queryer) (T, error)) (answer T, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		found, err := do(ctx, q)
		answer = found
		return err
	})
	return answer, err
}

// act is write with an answer; where the write failed it is the zero value.
func act[T any](ctx context.Context, s *Store, do func(ctx context.Context, q Queryer) (T, error)) (answer T, err error) {
	var done T
	err = s.write(ctx, func(ctx context.Context, q Queryer) error {
		result, err := do(ctx, q)
		done = result
		return err
	})
	if err == nil {
		answer = done
	}
	return answer, err
}

// deadline bounds one question, however long the request it belongs to may
// take: when the database does not answer, nobody should wait for that.
func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, Timeout)
}

// unavailable lets refusals pass and turns anything a database says into
// ErrUnavailable, so that no SQL reaches a client.
func (d *Driver) unavailable(err error) error {
	var refusal *jotgate.Error
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return jotgate.ErrUnavailable.Because(d.Explain(err))
}

// lock is what a SELECT needs at its end so that its row stays as it is until
// the transaction's end; mode is SHARE or UPDATE.
func (d *Driver) lock(mode string) string {
	if !d.Locks {
		return ""
	}
	return " FOR " + mode
}

// taken turns a violated unique constraint into refusal.
func (s *Store) taken(err error, refusal *jotgate.Error) error {
	if err != nil && s.driver.Taken(err) {
		return refusal.Because(err)
	}
	return err
}
