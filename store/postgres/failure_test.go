package postgres_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/postgres"
)

// noon is the time of everything that has one.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func account(name string) *record.Account {
	return &record.Account{Username: name, Email: name + "@example.com", Password: "first", IsActive: true}
}

func TestServerThatCannotServe(t *testing.T) {
	good := pgtest.Database(t)
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cases := []struct {
		name, dsn, want string
		unavailable     bool
		within          time.Duration
	}{
		{"good", good, "", false, wait.Limit},
		{"not an address", "postgres://%zz", "the database address cannot be read", false, wait.Limit},
		{"nobody there", with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), "cannot be used now", true, wait.Limit},
		{"no answer", with(func(u *url.URL) { u.Host = silent.Addr().String() }), "cannot be used now", true, 500 * time.Millisecond},
		{"no database", with(func(u *url.URL) { u.Path = "/nowhere" }), "has no database nowhere", false, wait.Limit},
		{"wrong password", with(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "top-secret") }), "refuses the user", false, wait.Limit},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := postgrestest.Options
			o.ConnectTimeout = c.within
			s, err := postgres.Open(t.Context(), c.dsn, o)
			if err == nil {
				s.Close()
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "top-secret") || errors.Is(err, jotgate.ErrUnavailable) != c.unavailable {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A server that restarts under load: what was confirmed is stored, errors are
// ErrUnavailable, and afterwards everything works again.
func TestRestartUnderLoad(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{Durable: true})
	s := postgrestest.OpenAt(t, cluster.Database(t))
	a := account("ada")
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var good, failed atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		session := &record.Session{ID: string(rune('a' + i)), User: a.ID, JTI: "0", Created: noon, LastSeen: noon, Expires: noon.Add(time.Hour)}
		if err := s.Sessions().Create(t.Context(), session, "first"); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { refreshUntil(t, s.Sessions(), session, &stop, &good, &failed) })
	}
	more := func(counter *atomic.Int64, n int64) {
		t.Helper()
		n += counter.Load()
		wait.Until(t, "there are more responses", func() bool { return t.Failed() || counter.Load() >= n })
	}
	more(&good, 100)
	cluster.Kill(t)
	more(&failed, 8)
	cluster.Resume(t)
	more(&good, 100)
	before := failed.Load()
	more(&good, 100)
	if after := failed.Load(); after != before {
		t.Errorf("%d refreshes failed while the server was gone, and %d long after", before, after-before)
	}
	stop.Store(true)
	wg.Wait()
}

// refreshUntil chains refreshes. After an error the outcome is unknown, so the
// same token is tried again: within grace that is answered, or works.
func refreshUntil(t *testing.T, s record.Sessions, session *record.Session, stop *atomic.Bool, good, failed *atomic.Int64) {
	for !stop.Load() {
		out, err := s.Rotate(context.Background(), record.Rotation{
			Session: session.ID, User: session.User, Presented: session.JTI, Next: rand.Text(), Now: noon,
			Expires: noon.Add(time.Hour), Grace: time.Minute,
		})
		switch {
		case err == nil:
			session.JTI = out.Session.JTI
			good.Add(1)
		case errors.Is(err, jotgate.ErrUnavailable):
			failed.Add(1)
		default:
			t.Errorf("a client was locked out: %v", err)
			return
		}
	}
}

// Watch reports revocations and keys of another node, and after the server
// was down it reports that something may have been missed.
func TestWatch(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	here, there := postgrestest.OpenAt(t, dsn), postgrestest.OpenAt(t, dsn)
	received := make(chan bool, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- here.Watch(ctx, func() { received <- true }) }()
	hear := func(what string) {
		t.Helper()
		wait.For(t, "Watch announces "+what, received)
	}
	hear("the first connection")
	a := account("ada")
	if err := there.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := there.Accounts().Change(t.Context(), a.ID, record.Change{IsActive: new(false), At: noon}); err != nil {
		t.Fatal(err)
	}
	hear("a deactivation")
	key := record.Key{ID: "k", Algorithm: "ES256", State: record.KeyNext, Created: noon, Sealed: []byte{1}}
	if err := there.Keys().Add(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	hear("a key")
	cluster.Restart(t)
	hear("the connection after a restart")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}

// An operation does not wait until the row is free.
func TestBoundedWaiting(t *testing.T) {
	dsn := postgrestest.Database(t)
	o := postgrestest.Options
	o.LockTimeout = 100 * time.Millisecond
	s, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := account("ada")
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	hold := holdRow(t, dsn)
	err = s.Accounts().Change(t.Context(), a.ID, record.Change{FirstName: new("x")})
	if !errors.Is(err, jotgate.ErrUnavailable) {
		t.Error(err)
	}
	hold()
	if err := s.Accounts().Change(t.Context(), a.ID, record.Change{FirstName: new("x")}); err != nil {
		t.Errorf("when the row is free: %v", err)
	}
}

// holdRow locks all accounts until the returned function is called.
func holdRow(t *testing.T, dsn string) (release func()) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT 1 FROM auth_user FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	return func() { tx.Rollback(); db.Close() }
}

// withReason fails the test unless Ready gives the reason, or nil if it is empty.
func withReason(t *testing.T, s record.Readiness, when, reason string) {
	t.Helper()
	err := s.Ready(t.Context())
	if got := ""; err != nil {
		if got = jotgate.AsError(err).Reason; got != reason {
			t.Errorf("%s: %q, %v", when, got, err)
		}
	} else if reason != "" {
		t.Errorf("%s: ready", when)
	}
}

// A server that refuses what a login needs is not ready, although it can be written.
func TestRoleThatLosesRights(t *testing.T) {
	dsn := pgtest.Database(t)
	s := postgrestest.OpenAt(t, dsn)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	role := "role_" + strings.TrimLeft(u.Path, "/")
	execute(t, dsn, "CREATE ROLE "+role+" LOGIN PASSWORD 'first'; GRANT ALL ON ALL TABLES IN SCHEMA public TO "+role)
	defer execute(t, dsn, "DROP OWNED BY "+role+"; DROP ROLE "+role)
	withReason(t, s, "the owner", "")
	u.User = url.UserPassword(role, "first")
	s = postgrestest.OpenAt(t, u.String())
	withReason(t, s, "all rights", "")
	for _, right := range []string{"INSERT ON jotgate_session", "UPDATE ON jotgate_session", "INSERT ON jotgate_event", "SELECT ON auth_user"} {
		execute(t, dsn, "REVOKE "+right+" FROM "+role)
		withReason(t, s, right, "the database denies this user a right")
		execute(t, dsn, "GRANT "+right+" TO "+role)
		withReason(t, s, right+" again", "")
	}
	execute(t, dsn, "ALTER ROLE "+role+" PASSWORD 'second'")
	withReason(t, s, "on the connections that are open", "")
	execute(t, dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+role+"'")
	withReason(t, s, "another password", "the database refuses the user")
	execute(t, dsn, "ALTER ROLE "+role+" PASSWORD 'first'")
	withReason(t, s, "the password again", "")
}

// PostgreSQL on a full disk goes on with whatever needs no new page.
func TestFullDiskOfServer(t *testing.T) {
	dsn := pgtest.Database(t)
	s := postgrestest.OpenAt(t, dsn)
	execute(t, dsn, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON auth_user EXECUTE FUNCTION full_disk(); CREATE TRIGGER full_disk BEFORE INSERT ON jotgate_setting EXECUTE FUNCTION full_disk()`)
	withReason(t, s, "before any failure", "")
	if err := s.Accounts().Create(t.Context(), account("ada")); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Error(err)
	}
	withReason(t, s, "after a failure", "the database has no room left on its disk")
	withReason(t, s, "still", "the database has no room left on its disk")
	execute(t, dsn, "DROP FUNCTION full_disk CASCADE")
	withReason(t, s, "with room", "")
	if n := value[int](t, dsn, "SELECT COUNT(*) FROM jotgate_setting WHERE name = 'capacity'"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
