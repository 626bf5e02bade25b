package store_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// world is an empty database of one kind, and the means to change it without
// the store.
type world struct {
	testing.TB
	name string
	raw  *sql.DB
	dial func(store.Schema, bool) (*store.Store, error)
	copy func() // fills a database that nothing has used yet with the migrated tables
	ctx  context.Context
	now  func() time.Time // of the next store that is opened
}

// both runs a test on SQLite and on PostgreSQL.
func both(t *testing.T, test func(w *world)) {
	t.Run("sqlite", func(t *testing.T) { test(sqliteWorld(t)) })
	t.Run("postgres", func(t *testing.T) { test(postgresWorld(t)) })
}

func sqliteWorld(t testing.TB) *world {
	path := filepath.Join(tempdir.New(t), "jotgate.db")
	var w *world
	w = newWorld(t, "sqlite", "sqlite", "file:"+path+"?_pragma=busy_timeout(180000)&_pragma=foreign_keys(1)",
		func(schema store.Schema, inspect bool) (*store.Store, error) {
			return sqlite.Open(t.Context(), path, sqlite.Options{Schema: schema, Inspect: inspect, Now: w.now, BusyTimeout: wait.Limit})
		})
	w.copy = func() {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			sqlitetest.Fill(t, path)
		}
	}
	return w
}

func postgresWorld(t testing.TB) *world {
	d := &lateDatabase{empty: func() string { return pgtest.Database(t) }}
	var w *world
	w = worldOn(t, "postgres", sql.OpenDB(d), func(schema store.Schema, inspect bool) (*store.Store, error) {
		o := postgrestest.Options
		o.Schema, o.Inspect, o.Now = schema, inspect, w.now
		return postgres.Open(t.Context(), d.made(d.empty), o)
	})
	w.copy = func() { d.made(func() string { return postgrestest.Database(t) }) }
	return w
}

// lateDatabase is a PostgreSQL database that is made when it is first used.
type lateDatabase struct {
	empty func() string
	once  sync.Once
	dsn   string
}

// made makes the database, unless it is there, and returns its address.
func (d *lateDatabase) made(how func() string) string {
	d.once.Do(func() { d.dsn = how() })
	return d.dsn
}

func (d *lateDatabase) Connect(context.Context) (driver.Conn, error) {
	return d.Driver().Open(d.made(d.empty))
}

func (d *lateDatabase) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func newWorld(t testing.TB, name, driver, dsn string, dial func(store.Schema, bool) (*store.Store, error)) *world {
	t.Helper()
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return worldOn(t, name, raw, dial)
}

func worldOn(t testing.TB, name string, raw *sql.DB, dial func(store.Schema, bool) (*store.Store, error)) *world {
	t.Cleanup(func() { raw.Close() })
	return &world{TB: t, name: name, raw: raw, dial: dial, ctx: context.WithoutCancel(t.Context()), copy: func() {}}
}

// open opens the store with the usual schema, made and migrated.
func (w *world) open() *store.Store {
	w.Helper()
	w.copy()
	return w.openWith(store.Schema{})
}

// openAt opens the store of a node with this clock.
func (w *world) openAt(now func() time.Time) *store.Store {
	w.Helper()
	w.now = now
	return w.open()
}

func (w *world) openWith(schema store.Schema) *store.Store {
	w.Helper()
	s, err := w.dial(schema, false)
	w.must(err)
	w.Cleanup(func() { s.Close() })
	return s
}

// exec runs statements without the store; each is for the database named
// before it, or for both.
func (w *world) exec(text string, args ...any) {
	w.Helper()
	if _, err := w.raw.ExecContext(w.ctx, text, args...); err != nil {
		w.Fatalf("%s: %v", text, err)
	}
}

// on returns the text for this database.
func (w *world) on(sqlite, postgres string) string {
	if w.name == "sqlite" {
		return sqlite
	}
	return postgres
}

// count returns the number that a query selects.
func (w *world) count(text string, args ...any) (n int) {
	w.Helper()
	if err := w.raw.QueryRowContext(w.ctx, text, args...).Scan(&n); err != nil {
		w.Fatalf("%s: %v", text, err)
	}
	return n
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

// facts is Store.Facts, again if the connection that it makes takes more than two seconds.
func (w *world) facts(s *store.Store) (list []store.Fact) {
	w.Helper()
	wait.Until(w, "the doctor has connected in time", func() bool {
		var err error
		if list, err = s.Facts(w.ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.must(err)
		}
		return err == nil
	})
	return list
}

// account creates an active account.
func (w *world) account(s *store.Store, name string) *record.Account {
	w.Helper()
	a := &record.Account{Username: name, Email: name + "@example.com", Password: "first", IsActive: true}
	w.must(s.Accounts().Create(w.ctx, a))
	return a
}

// openPostgres opens the store in the database at dsn.
func openPostgres(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgrestest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
