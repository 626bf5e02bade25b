// Package sqlite opens a store in one SQLite file. It needs neither cgo nor an
// installed SQLite.
//
// Call [Open], pass the store to jotgate.New, and close it at the end of the program:
//
//	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
//	defer db.Close()
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret}, db)
//
// If the file does not exist, it is created with mode 0600, so that only the user of
// the process can read it; its folder must exist. Its tables are created and migrated,
// and Django's tables are used if the file has them. Several processes may use the
// file concurrently, including Django. The zero Options are the safe choice.
//
// # How it is tuned
//
// With the write-ahead log, readers continue during a write. Foreign keys are
// enabled. A write returns after its commit is on disk (synchronous FULL). All
// writes use one connection: writes that wait at the same time are committed
// together, each in its own savepoint, so that one that fails does not affect the
// others. Reads have up to eight connections with 1 MiB of cache each.
package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/internal/migration"
)

// Options configure Open. The zero value is the safe choice.
type Options struct {
	// Schema names the tables of the users. Default: Django's auth_user.
	Schema store.Schema
	// BusyTimeout is how long an operation waits for another process that has
	// locked the file, such as for a write. An operation may last store.Timeout, or
	// BusyTimeout if that is longer. Default: 5 seconds.
	BusyTimeout time.Duration
	// Logger receives a warning if a newer jotgate migrated the file. Default:
	// slog.Default().
	Logger *slog.Logger
	// Metrics counts the operations of the Store. Default: none.
	Metrics *metrics.Registry
	// Now is the clock, for tests. Default: time.Now.
	Now func() time.Time
	// Inspect opens the file for reading, without creating or migrating anything,
	// and without an error for missing tables. Only Store.Facts may be used then.
	Inspect bool
}

// oldest is the SQLite version with which jotgate was tested: earlier ones in
// modernc.org/sqlite have known bugs in the write-ahead log.
const oldest = "3.52.0"

// Open opens the database in the file at path and, unless options.Inspect is set,
// creates and migrates it. path is the path of a file: neither a URL nor ":memory:".
// The caller closes the store. An error says in one sentence what is wrong; it is
// jotgate.ErrUnavailable if the problem may be temporary (a locked file, a full disk).
func Open(ctx context.Context, path string, options Options) (*store.Store, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("sqlite: a database needs a file: give a path")
	}
	if strings.HasPrefix(path, "file:") || strings.Contains(path, "?") {
		return nil, errors.New("sqlite: give the path of a file, without file: and without parameters after ?")
	}
	if err := create(path, options.Inspect); err != nil {
		return nil, err
	}
	options.setDefaults()
	read, write := pool(path, options, true), pool(path, options, false)
	s, err := open(ctx, path, read, write, options)
	if err != nil {
		return nil, errors.Join(temporary(explain(path, writable(path, err))), read.Close(), write.Close())
	}
	return s, nil
}

func (o *Options) setDefaults() {
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

func open(ctx context.Context, path string, read, write *sql.DB, options Options) (*store.Store, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	var connecting sync.WaitGroup // to read while the other connection looks for migrations
	connecting.Go(func() { _ = read.PingContext(ctx) })
	defer connecting.Wait()
	if !options.Inspect {
		if err := migrate(ctx, write, options); err != nil {
			return nil, err
		}
	}
	connecting.Wait()
	f, err := newFile(path, options.Logger)
	if err != nil {
		return nil, err
	}
	w := newWriter(write)
	r := newReader(read, func() *sql.DB { return pool(path, options, true) }, f, w)
	s, err := store.New(ctx, driver(path, r, write, w, &options), options.Schema, options.Inspect)
	if err != nil {
		w.close()
	}
	return s, err
}

// driver returns the store.Driver of SQLite.
func driver(path string, r *reader, write *sql.DB, w *writer, options *Options) store.Driver {
	return store.Driver{
		Name: "sqlite", Pending: migration.Pending(files, dialect), Read: r.read, Write: w.write, Timeout: options.BusyTimeout, Now: options.Now, Metrics: options.Metrics,
		Time: formatTime, UUID: func(s string) any { return strings.ReplaceAll(s, "-", "") },
		Columns: columns,
		Rules:   rules,
		References: `SELECT m.name, f."from", c."notnull" FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f,
pragma_table_info(m.name) AS c WHERE m.type = 'table' AND f."table" = $1 COLLATE NOCASE AND c.name = f."from" ORDER BY 1, 2`,
		Index:    "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = $1",
		Trigrams: `SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = 'jotgate_user_search_update' AND tbl_name = $1`,
		// The clock is the machine's, regardless of Options.Now. There is one
		// writer at a time, so the order of seq is the order of commits.
		Clock: clock, Later: "MAX",
		Horizon: `SELECT epoch, printf('%d:%d:', n, n), ` + clock + ` FROM jotgate_epoch,
(SELECT COALESCE(MAX(seq), 0) + 1 AS n FROM sqlite_sequence WHERE name = 'jotgate_revocation')`,
		Transaction: "seq", Unseen: "seq >= $1 AND seq < $3 AND $2 <> '' AND $4 <> ''", InForce: "$1 <> '' AND seq < $5",
		Taken: isTaken, Rejected: func(err error) bool { return code(err)&0xff == constraintCode }, Violated: violated, Referred: func(err error) bool { return code(err) == foreignKey },
		Touch: "UPDATE jotgate_epoch SET epoch = epoch RETURNING 1",
		// On a disk that is full, a commit of one page may fit into the log while a login does not.
		Capacity: []string{
			"INSERT OR REPLACE INTO jotgate_setting (name, value) VALUES ('capacity', hex(zeroblob(32768)))", "DELETE FROM jotgate_setting WHERE name = 'capacity'",
		},
		Reason:  reason,
		Explain: func(err error) error { return explain(path, err) },
		Watch:   func(ctx context.Context, _ func()) error { <-ctx.Done(); return ctx.Err() },
		Backup:  func(ctx context.Context, file string) error { return backup(ctx, r.pool(), file) },
		Pools: func() map[string]sql.DBStats {
			return map[string]sql.DBStats{"read": r.pool().Stats(), "write": write.Stats()}
		},
		Close: func() error {
			return errors.Join(w.close(), r.close())
		},
	}
}

// columns is store.Driver.Columns.
const columns = `SELECT named.value, c.name, c.type, c."notnull" AND c.dflt_value IS NULL, NOT c."notnull"
FROM json_each($1) AS named, pragma_table_info(named.value) AS c ORDER BY named.value, c.cid`

// clock is the machine's time in microseconds; SQLite counts milliseconds.
const clock = "CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000"

// creating is held while a database file may be open other than through SQLite.
var creating sync.Mutex

// create creates the file with mode 0600, so that no other user can read the
// hashes in it; SQLite gives its log files the same mode. It does not open a
// file that exists: closing it would release all POSIX locks of this process on
// it, also those of another Store's connections, and another process would then
// delete the write-ahead log that they use (sqlite.org/howtocorrupt.html, section
// 2.2).
func create(path string, mustExist bool) error {
	creating.Lock()
	defer creating.Unlock()
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !mustExist {
		var f *os.File
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("the database file cannot be opened: %w", err)
	}
	return nil
}

// pool opens connections to the file and sets the pragmas on each.
func pool(path string, options Options, readers bool) *sql.DB {
	set := url.Values{"mode": {"rw"}, "_pragma": {
		"busy_timeout(" + strconv.FormatInt(options.BusyTimeout.Milliseconds(), 10) + ")",
		"foreign_keys(1)", "synchronous(FULL)", "cache_size(-1024)", "journal_size_limit(16777216)",
	}}
	if readers || options.Inspect {
		set.Add("_pragma", "query_only(1)")
	} else {
		set.Add("_pragma", "journal_mode(WAL)")
	}
	name := &url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: set.Encode()}
	named, err := sql.Open("sqlite", name.String())
	if err != nil {
		panic("sqlite: " + err.Error()) // unreachable: the driver is linked in
	}
	db := sql.OpenDB(connector{named.Driver(), name.String(), options.BusyTimeout})
	_ = named.Close() // it has no connection, but a goroutine
	db.SetMaxOpenConns(1)
	if readers {
		db.SetMaxOpenConns(8)
		db.SetMaxIdleConns(4)
		db.SetConnMaxIdleTime(time.Minute)
	}
	return db
}

// connector opens connections. SQLite does not wait for another process that is
// switching the file to its write-ahead log, so that the connector does.
type connector struct {
	driver sqldriver.Driver
	name   string
	wait   time.Duration
}

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	const pause = 20 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		conn, err := c.driver.Open(c.name)
		if !isBusy(err) || waited >= c.wait {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// Driver implements driver.Connector.
func (c connector) Driver() sqldriver.Driver { return c.driver }

func isBusy(err error) bool {
	c := code(err) & 0xff
	return c == busy || c == locked
}

// checkVersion rejects a version of SQLite older than the tested one.
func checkVersion() error {
	if !atLeast(lib.SQLITE_VERSION, oldest) {
		return fmt.Errorf("this program was built with SQLite %s, jotgate needs %s or newer: update modernc.org/sqlite", lib.SQLITE_VERSION, oldest)
	}
	return nil
}

// atLeast reports whether a dotted version is want or later.
func atLeast(have, want string) bool {
	h, w := strings.Split(have, "."), strings.Split(want, ".")
	for i := range w {
		if i >= len(h) {
			return false
		}
		a, _ := strconv.Atoi(h[i])
		b, _ := strconv.Atoi(w[i])
		if a != b {
			return a > b
		}
	}
	return true
}

// formatTime formats a time as Django does for SQLite: in UTC, with
// microseconds only if they are not zero
// (django/db/backends/sqlite3/operations.py, adapt_datetimefield_value).
func formatTime(t time.Time) any {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02 15:04:05")
	}
	return t.Format("2006-01-02 15:04:05.000000")
}

// The result codes of SQLite that jotgate handles (sqlite.org/rescode.html).
const (
	busy         = 5
	locked       = 6
	readOnly     = 8
	ioError      = 10
	corrupt      = 11
	full         = 13
	cantOpen     = 14
	notADatabase = 26
	foreignKey   = 787
	primaryKey   = 1555
	unique       = 2067
	rowID        = 2579
)

// code returns SQLite's extended result code, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// isTaken reports a violated unique constraint.
func isTaken(err error) bool {
	c := code(err)
	return c == unique || c == primaryKey || c == rowID
}

// violated is store.Driver.Violated. SQLite names the columns of an index, and
// the index itself if it is one of expressions.
func violated(err error) []string {
	text := err.Error()
	names := text[strings.LastIndex(text, ": ")+2:]
	names, _, _ = strings.Cut(names, " (")
	if index, ok := strings.CutPrefix(names, "index '"); ok {
		return []string{strings.TrimSuffix(index, "'")}
	}
	var columns []string
	for name := range strings.SplitSeq(names, ", ") {
		columns = append(columns, name[strings.LastIndexByte(name, '.')+1:])
	}
	return columns
}

// reasons describe, for the operator, what is wrong with the file.
var reasons = map[int]string{
	busy: "is locked by another process", locked: "is locked", readOnly: "is read-only",
	ioError: "cannot be read or written", corrupt: "is damaged: restore it from a backup",
	full: "cannot grow: the disk is full", cantOpen: "cannot be opened", notADatabase: "is not an SQLite database",
}

// reason is store.Driver.Reason.
func reason(err error) string {
	if errors.Is(err, errMissing) {
		return errMissing.Error()
	}
	if reason, ok := reasons[code(err)&0xff]; ok {
		reason, _, _ = strings.Cut(reason, ":")
		return "the database file " + reason
	}
	return "the database does not accept changes"
}

// explain is store.Driver.Explain.
func explain(path string, err error) error {
	if reason, ok := reasons[code(err)&0xff]; ok {
		return fmt.Errorf("the database file %s %s: %w", path, reason, err)
	}
	return err
}

// readOnlyFolder is the extended code of readOnly for a folder.
const readOnlyFolder = 1544

// writable adds to err, of opening the file, that its folder cannot be written, where
// SQLite makes the log.
func writable(path string, err error) error {
	if c := code(err); c&0xff == cantOpen || c == readOnlyFolder {
		f, reason := os.CreateTemp(filepath.Dir(path), ".jotgate-")
		if reason != nil {
			return fmt.Errorf("SQLite must be able to write in its folder: %w (%w)", err, reason)
		}
		_ = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	return err
}

// temporary returns ErrUnavailable for errors of the file, but not for those
// of the program or its settings.
func temporary(err error) error {
	var refusal *jotgate.Error
	if code(err) == 0 || errors.As(err, &refusal) {
		return err
	}
	return jotgate.ErrUnavailable.Because(err)
}

// rules is store.Driver.Rules.
const rules = `SELECT TRUE, l.name, COALESCE(x.name, ''), COALESCE(m.sql, '') FROM pragma_index_list($1) AS l, pragma_index_xinfo(l.name) AS x
LEFT JOIN sqlite_schema AS m ON m.name = l.name WHERE l."unique" AND x.key
UNION ALL SELECT FALSE, "table", "from", '' FROM pragma_foreign_key_list($1)
UNION ALL SELECT FALSE, '', '', sql FROM sqlite_schema WHERE type = 'table' AND name = $1`
