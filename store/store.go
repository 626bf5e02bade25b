// Package store keeps accounts, sessions, keys and events in an SQL database: SQLite or
// PostgreSQL. It implements the storage interfaces of a jotgate.Gate ([record.Store]) and
// those of packages admin, apikey, authtoken, oauth, throttle/shared and webhook.
//
// Open a [Store] with sqlite.Open or postgres.Open, of packages store/sqlite and
// store/postgres, and pass it to jotgate.New:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//
// The methods of a Store group its operations by noun. For example, this makes a user a
// member of a group:
//
//	err := db.Groups().AddMember(ctx, account.ID, "editors")
//
// Users, groups and permissions are in Django's own tables, which are created
// if they do not exist; everything else is in tables named jotgate_*. The zero [Schema]
// is Django's own user model; set one only for a custom user model.
//
// # Deadlines and durability
//
// Every operation has a deadline: [Timeout], or the context's if that is sooner. Only
// [Store.MoveTo], [Store.BackupTo] and the indexing of usernames have no deadline but
// the context's. A write returns after its commit is on disk.
//
// # Errors
//
// A method returns jotgate.ErrNotFound or jotgate.ErrTaken if its comment says so. If
// the table cannot hold a value, the error is a jotgate.Error with status 400 that names
// the field. If the database cannot be reached, is locked, full, damaged or read-only,
// the error is jotgate.ErrUnavailable, with the cause for the operator.
//
// A Store is safe for concurrent use.
package store

// An exported method opens the transaction; the unexported method of the same name works
// inside it. The statements use $1 placeholders, ON CONFLICT and RETURNING, which both
// databases support; the differences (times, UUID keys, the catalogue) are in a Driver.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/internal/migration"
	"github.com/jotgate/jotgate/trace"
)

// Store is an SQL database with the tables of jotgate. It implements [record.Store].
// sqlite.Open and postgres.Open return one; Close closes it. It is safe for concurrent
// use.
type Store struct {
	driver  Driver
	tables  *tables
	texts   *texts
	indexed atomic.Bool // all accounts have rows in jotgate_name
	// indexing is held by the request that helps to index them.
	indexing sync.Mutex
	scans    nameScans
	rarity   rarity
	full     atomic.Bool // see Driver.Full
}

var _ record.Store = (*Store)(nil)

var _ record.Readiness = (*Store)(nil)

// Timeout is the maximum duration of one operation, if no longer one was chosen when the
// database was opened. The deadline of the context may be sooner.
const Timeout = 5 * time.Second

// Queryer is the part of a database connection that a Driver provides to statements.
type Queryer = migration.Queryer

// Driver describes one database: how to use it, and how its SQL differs from that of
// others. Only packages store/sqlite and store/postgres create one. A field may be empty
// only if its comment says so.
type Driver struct {
	// Name is "sqlite" or "postgres".
	Name string
	// Read calls do with a connection without a transaction, for statements that
	// read committed rows. It may call do more than once, as Write does.
	Read func(ctx context.Context, do func(ctx context.Context, q Queryer) error) error
	// Write calls do with a transaction and commits it. If do returns an error,
	// Write rolls back and returns that error. It may call do more than once: only
	// the last call has an effect.
	Write func(ctx context.Context, do func(ctx context.Context, q Queryer) error) error

	// Timeout is the maximum duration of one operation, if it is longer than
	// the constant.
	Timeout time.Duration
	// Pending reports whether there are migrations of jotgate's own tables to run.
	// nil: unknown.
	Pending func(ctx context.Context, q Queryer) (bool, error)

	// Now is the clock for times that no caller passes in.
	Now func() time.Time
	// Time returns a time as Django writes it into this database.
	Time func(time.Time) any
	// UUID returns a UUID (hyphenated) as Django writes it into this
	// database.
	UUID func(string) any
	// Columns selects, for each column of the tables whose names are in the JSON array
	// $1: the table, the name, the type, whether it is NOT NULL without a default, and
	// whether NULL is allowed. The columns of a table are in its order.
	Columns string
	// Rules selects, for the table $1, a row for each column or expression of a
	// unique index (TRUE, name, column or '', definition), for each column of a
	// foreign key (FALSE, the other table, column, ''), for each column of a type
	// with rules (FALSE, '', column, the values of an enumeration or ''), and with
	// the definitions of the CHECK constraints (FALSE, '', '', definition).
	Rules string
	// References selects table, column and NOT NULL of the foreign keys that
	// refer to the table $1.
	References string
	// Index selects the usable index with the name $1.
	Index string
	// Trigrams selects 1 if the user table $1 has a usable index of trigrams.
	Trigrams string
	// Locks reports whether transactions run concurrently, so that a SELECT must
	// lock the row on which a decision depends. It is false if there is only
	// one writer.
	Locks bool
	// Estimate selects the approximate number of rows of the table $1 from
	// statistics, or NULL if they do not contain it. It is empty if the
	// database has no statistics.
	Estimate string
	// Notify notifies the other nodes that something was revoked or that a
	// key changed. It is empty if there are no other nodes.
	Notify string

	// Clock is an SQL expression for the database's time, in microseconds of Unix
	// time. Later is the SQL function that returns the later of two such times.
	Clock, Later string
	// Horizon selects the epoch of the database, the text of a record.Horizon of the
	// committed transactions, and Clock.
	Horizon string
	// Transaction is the column of jotgate_revocation with the transaction that
	// inserted the row.
	Transaction string
	// Unseen is the condition that one horizon (Min $1, text $2) does not see
	// a row's transaction, and another one (Max $3, text $4) does. InForce is
	// the condition that a horizon (text $1, Max $5) sees it, or that the
	// transaction number is from another database.
	Unseen, InForce string

	// Taken reports whether an error is a violated unique constraint, Referred
	// whether it is a violated foreign key, and Rejected whether a value violates
	// any constraint or type.
	Taken, Referred, Rejected func(error) bool
	// Cast selects whether the text $1, cast to a type (%s), is NULL. It fails if
	// the text is not a value of the type. It is empty if the database does not
	// check types.
	Cast string
	// Violated returns the name of the unique index that an error is about, or
	// texts that contain the names of its columns.
	Violated func(error) []string
	// Explain adds to an error, in one sentence for the operator, which server or
	// file has the problem and what the problem is.
	Explain func(error) error
	// Touch locks the row of jotgate_epoch and selects 1.
	Touch string
	// Rights are statements that need the database rights of a login and change
	// nothing. Default: none.
	Rights []string
	// Capacity are statements that use as much space as a large transaction and free
	// it again, each in a transaction. Default: none.
	Capacity []string
	// Full reports whether a write failed because there is no space. If Full is set,
	// Capacity is run only after such a failure, until it succeeds. Default: Capacity
	// is always run.
	Full func(error) bool
	// Reason says why a write failed, in a text that may be public: without names of
	// hosts, users or files.
	Reason func(error) string
	// Watch calls changed whenever another node announces a change, and after
	// each reconnection. It returns when ctx is done.
	Watch func(ctx context.Context, changed func()) error
	// Facts describes the connection for `jotgate doctor`. It is nil if there is
	// nothing to describe.
	Facts func(ctx context.Context) ([]Fact, error)
	// Backup writes a consistent copy into a new file. It is nil if the
	// database has its own tools for backups.
	Backup func(ctx context.Context, file string) error
	// Pools returns the statistics of the pools of connections, by name.
	Pools func() map[string]sql.DBStats
	// Metrics counts the operations. It may be nil.
	Metrics *metrics.Registry
	// Close ends all connections.
	Close func() error
}

// New creates a Store for an open database; programs call sqlite.Open or postgres.Open
// instead. New reads the catalogue to find out which tables and columns exist. If a
// required one is missing, the error names it in one sentence. If inspect is true, that
// is not an error, but only [Store.Facts] may be used.
func New(ctx context.Context, driver Driver, schema Schema, inspect bool) (*Store, error) {
	ctx, cancel := driver.deadline(ctx)
	defer cancel()
	found, err := discover(ctx, driver, schema)
	if err != nil {
		return nil, driver.unavailable(err)
	}
	if err := found.check(); err != nil && !inspect {
		return nil, err
	}
	s := &Store{driver: driver, tables: found, texts: newTexts(found, &driver)}
	driver.Metrics.Collect((&meter{db: s}).measure)
	return s, nil
}

// Close waits for the writes that have begun and closes all connections.
func (s *Store) Close() error { return s.driver.Close() }

// Watch calls changed when another node announces a revocation or a change of keys, and
// after every reconnection, because an announcement may have been missed. It returns
// when ctx is done, with ctx's error. SQLite has no announcements: Watch only waits.
// jotgate.Gate.Run calls it.
func (s *Store) Watch(ctx context.Context, changed func()) error {
	return s.driver.Watch(ctx, changed)
}

// BackupTo writes a consistent copy of the database to file, with mode 0600. The file
// must not exist. The store can be used while BackupTo runs. On PostgreSQL the error is
// errors.ErrUnsupported: use pg_dump. See also sqlite.BackupFile, which checks the copy.
func (s *Store) BackupTo(ctx context.Context, file string) error {
	if s.driver.Backup == nil {
		return fmt.Errorf("backup of a %s database: %w; use pg_dump", s.driver.Name, errors.ErrUnsupported)
	}
	return s.driver.Backup(ctx, file)
}

// Ready implements record.Readiness: it commits a transaction that locks a row and
// changes nothing. Thus a database is not ready if it responds but cannot be written, if
// the rights that a login needs are missing, or if it has no space.
func (s *Store) Ready(ctx context.Context) error {
	err := s.write(ctx, func(ctx context.Context, q Queryer) error {
		found, err := one(ctx, q, []any{new(int)}, s.driver.Touch)
		if err == nil && !found {
			err = errNoEpoch
		}
		return err
	})
	for _, text := range s.probes() {
		if err == nil {
			err = s.write(ctx, func(ctx context.Context, q Queryer) error { return justRun(ctx, q, text) })
		}
	}
	if err != nil {
		return jotgate.NotReady(s.driver.Reason(err), err)
	}
	s.full.Store(false)
	return nil
}

// probes are further statements that a server which is ready accepts.
func (s *Store) probes() []string {
	if s.driver.Full != nil && !s.full.Load() {
		return s.driver.Rights
	}
	return slices.Concat(s.driver.Rights, s.driver.Capacity)
}

func justRun(ctx context.Context, q Queryer, text string) error {
	_, err := run(ctx, q, text)
	return err
}

// read runs do outside a transaction, within the deadline. do may run more
// than once; it must assign its results, not add to them.
func (s *Store) read(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := s.driver.deadline(ctx)
	defer cancel()
	defer s.observe("read", s.driver.Now())
	return s.driver.unavailable(s.driver.Read(ctx, s.traced(ctx, do)))
}

// write runs do in one transaction and returns after the commit. do may run
// more than once; it must assign its results, not add to them.
func (s *Store) write(ctx context.Context, do func(ctx context.Context, q Queryer) error) error {
	ctx, cancel := s.driver.deadline(ctx)
	defer cancel()
	defer s.observe("write", s.driver.Now())
	ctx, span := trace.Start(ctx, trace.Internal, "jotgate.transaction")
	err := s.driver.Write(ctx, s.traced(ctx, do))
	if s.driver.Full != nil && s.driver.Full(err) {
		s.full.Store(true)
	}
	err = s.driver.unavailable(err)
	span.End(errorType(err))
	return err
}

// ask is read with a result.
func ask[T any](ctx context.Context, s *Store, do func(ctx context.Context, q Queryer) (T, error)) (answer T, err error) {
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		found, err := do(ctx, q)
		answer = found
		return err
	})
	return answer, err
}

// act is write with a result; if the write fails, the result is the zero
// value.
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

// deadline limits the duration of one operation, however long the request may
// take: if the database does not respond, no caller should wait for it.
func (d *Driver) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.(limited); ok {
		return ctx, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, max(Timeout, d.Timeout))
	return limited{ctx}, cancel
}

// limited is a context that deadline returned, which needs no second one.
type limited struct{ context.Context }

// unavailable returns refusals as they are and any error of the database as
// ErrUnavailable, so that no SQL reaches a client.
func (d *Driver) unavailable(err error) error {
	var refusal *jotgate.Error
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return jotgate.ErrUnavailable.Because(d.Explain(err))
}

// lock returns the clause that locks the row of a SELECT until the
// transaction ends; mode is SHARE or UPDATE.
func (d *Driver) lock(mode string) string {
	if !d.Locks {
		return ""
	}
	return " FOR " + mode
}

// taken replaces a violated unique constraint with refusal.
func (s *Store) taken(err error, refusal *jotgate.Error) error {
	if err != nil && s.driver.Taken(err) {
		return refusal.Because(err)
	}
	return err
}
