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
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/postgres"
)

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
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cases := []struct {
		name, dsn, want string
		unavailable     bool
	}{
		{"good", good, "", false},
		{"not an address", "postgres://%zz", "the database address cannot be read", false},
		{"nobody there", with(func(u *url.URL) { u.Host = closed.Addr().String() }), "cannot be used now", true},
		{"no answer", with(func(u *url.URL) { u.Host = silent.Addr().String() }), "cannot be used now", true},
		{"no database", with(func(u *url.URL) { u.Path = "/nowhere" }), "has no database nowhere", false},
		{"wrong password", with(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "top-secret") }), "refuses the user", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			s, err := postgres.Open(t.Context(), c.dsn, postgres.Options{ConnectTimeout: 500 * time.Millisecond})
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
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A server that restarts under load: what was answered is there, errors are
// ErrUnavailable, and within five seconds all works again.
func TestRestartUnderLoad(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{Durable: true})
	s := open(t, cluster.Database(t))
	a := account("ada")
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var lastGood, failed atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		session := &record.Session{ID: string(rune('a' + i)), User: a.ID, JTI: "0", Created: time.Now(), LastSeen: time.Now(), Expires: time.Now().Add(time.Hour)}
		if err := s.CreateSession(t.Context(), session, "first"); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { refreshUntil(t, s, session, &stop, &lastGood, &failed) })
	}
	time.Sleep(300 * time.Millisecond)
	cluster.Kill(t)
	time.Sleep(300 * time.Millisecond)
	cluster.Resume(t)
	back := time.Now()
	for lastGood.Load() < back.UnixNano() && time.Since(back) < 5*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d refreshes were refused; the first after the restart was answered after %v", failed.Load(), time.Unix(0, lastGood.Load()).Sub(back))
	time.Sleep(time.Second)
	before := failed.Load()
	time.Sleep(500 * time.Millisecond)
	if after := failed.Load(); after != before || lastGood.Load() < back.UnixNano() || before == 0 {
		t.Errorf("refused before the restart was over: %d, long after: %d", before, after-before)
	}
	stop.Store(true)
	wg.Wait()
}

// refreshUntil chains refreshes. After an error the outcome is unknown, so the
// same token is tried again: within grace that is answered, or works.
func refreshUntil(t *testing.T, s record.Sessions, session *record.Session, stop *atomic.Bool, lastGood, failed *atomic.Int64) {
	for !stop.Load() {
		now := time.Now()
		out, err := s.RotateSession(context.Background(), record.Rotation{
			Session: session.ID, User: session.User, Presented: session.JTI, Next: rand.Text(), Now: now,
			Expires: now.Add(time.Hour), Grace: time.Minute,
		})
		switch {
		case err == nil:
			session.JTI = out.Session.JTI
			lastGood.Store(time.Now().UnixNano())
		case errors.Is(err, jotgate.ErrUnavailable):
			failed.Add(1)
			time.Sleep(5 * time.Millisecond)
		default:
			t.Errorf("a client was locked out: %v", err)
			return
		}
	}
}

// Watch hears of revocations and keys of another node, and after the server
// was gone it says that something may have been missed.
func TestWatch(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	here, there := open(t, dsn), open(t, dsn)
	heard := make(chan time.Time, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- here.Watch(ctx, func() { heard <- time.Now() }) }()
	hear := func(what string, within time.Duration) {
		t.Helper()
		select {
		case <-heard:
		case <-time.After(within):
			t.Fatalf("not heard within %v: %s", within, what)
		}
	}
	hear("the first connection", 5*time.Second)
	a := account("ada")
	if err := there.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := there.ChangeAccount(t.Context(), a.ID, record.Change{IsActive: new(false), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	hear("a deactivation", time.Second)
	key := record.Key{ID: "k", Algorithm: "ES256", State: record.KeyNext, Created: time.Now(), Sealed: []byte{1}}
	if err := there.AddSigningKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	hear("a key", time.Second)
	cluster.Restart(t)
	hear("the connection after a restart", 5*time.Second)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}

// A question never waits longer than its deadline, whatever holds the row.
func TestBoundedWaiting(t *testing.T) {
	dsn := pgtest.Database(t)
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{LockTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := account("ada")
	if err := s.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	hold := holdRow(t, dsn)
	began := time.Now()
	err = s.ChangeAccount(t.Context(), a.ID, record.Change{FirstName: new("x")})
	if !errors.Is(err, jotgate.ErrUnavailable) || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	hold()
	if err := s.ChangeAccount(t.Context(), a.ID, record.Change{FirstName: new("x")}); err != nil {
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
