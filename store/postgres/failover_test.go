package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// turnout is a TCP proxy as HAProxy is one: it passes new connections to one
// server, and those that exist stay where they are.
type turnout struct{ server atomic.Pointer[string] }

// newTurnout returns a proxy to the server and the address through it.
func newTurnout(t *testing.T, dsn, server string) (*turnout, string) {
	t.Helper()
	p := &turnout{}
	p.server.Store(&server)
	return p, pgtest.At(dsn, listen(t, func(client net.Conn) {
		server, err := net.Dial("tcp", *p.server.Load())
		if err != nil {
			client.Close()
			return
		}
		for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
			go func() { _, _ = io.Copy(pair[0], pair[1]); pair[0].Close() }()
		}
	}))
}

// listen returns an address on which each connection is handed to serve, until t ends.
func listen(t *testing.T, serve func(client net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(client)
		}
	}()
	return listener.Addr().String()
}

// replicated is a primary with a standby, and a database with the account ada.
func replicated(t *testing.T) (primary, standby *pgtest.Cluster, dsn string, ada *record.Account) {
	t.Helper()
	primary = pgtest.Start(t, pgtest.Options{})
	dsn = primary.Database(t)
	s := postgrestest.OpenAt(t, dsn)
	ada = account("ada")
	if err := s.Accounts().Create(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	standby = primary.Standby(t)
	primary.Replicated(t, standby)
	return primary, standby, dsn, ada
}

// rename is a write.
func rename(ctx context.Context, s *store.Store, a *record.Account) error {
	return s.Accounts().Change(ctx, a.ID, record.Change{FirstName: new("Ada")})
}

// Connections to a server that cannot be written are replaced as soon as new
// ones lead to one that can; meanwhile reads work.
func TestDemotedServerIsLeft(t *testing.T) {
	primary, standby, dsn, ada := replicated(t)
	proxy, through := newTurnout(t, dsn, standby.Address())
	s := postgrestest.OpenAt(t, through)
	for range 3 {
		if err := rename(t.Context(), s, ada); !errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), "is read-only") {
			t.Fatalf("a write on the standby: %v", err)
		}
		if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err != nil {
			t.Fatalf("a read on the standby: %v", err)
		}
	}
	to := primary.Address()
	proxy.server.Store(&to)
	wait.Until(t, "writes reach the primary", func() bool { return rename(t.Context(), s, ada) == nil })
	for range 20 {
		if err := rename(t.Context(), s, ada); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}

// The same if only reads notice: a busy connection is examined as well.
func TestReadsLeaveDemotedServer(t *testing.T) {
	primary, standby, dsn, _ := replicated(t)
	proxy, through := newTurnout(t, dsn, standby.Address())
	s := postgrestest.OpenAt(t, through)
	if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	to := primary.Address()
	proxy.server.Store(&to)
	wait.Until(t, "reads reach the primary", func() bool {
		if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		return value[int](t, pgtest.At(dsn, standby.Address()), "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'jotgate'") == 0
	})
}

// Of two hosts in the address the one that can be written is used, also after
// a promotion, whether the address asks for it or not.
func TestTwoHosts(t *testing.T) {
	for name, query := range map[string]string{"preferred": "", "required": "target_session_attrs=read-write"} {
		t.Run(name, func(t *testing.T) {
			primary, standby, dsn, ada := replicated(t)
			s := postgrestest.OpenAt(t, with(t, pgtest.At(dsn, standby.Address(), primary.Address()), query))
			if err := rename(t.Context(), s, ada); err != nil {
				t.Fatalf("the second host is the primary: %v", err)
			}
			primary.Replicated(t, standby)
			primary.Kill(t)
			if err := rename(t.Context(), s, ada); !errors.Is(err, jotgate.ErrUnavailable) {
				t.Fatalf("without a primary: %v", err)
			}
			standby.Promote(t)
			wait.Until(t, "writes reach the promoted server", func() bool { return rename(t.Context(), s, ada) == nil })
		})
	}
}

// A server whose disk is full is made read-only by its operator, and writable
// again: nothing needs a restart.
func TestReadOnlyServer(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	s := postgrestest.OpenAt(t, dsn)
	ada := account("ada")
	if err := s.Accounts().Create(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"on", "off", "on", "off"} {
		execute(t, dsn+"&default_transaction_read_only=off", "ALTER SYSTEM SET default_transaction_read_only = "+mode)
		execute(t, dsn, "SELECT pg_reload_conf()")
		wait.Until(t, "writes work or fail as the server says", func() bool { return (rename(t.Context(), s, ada) == nil) == (mode == "off") })
		if _, err := s.Accounts().ByLogin(t.Context(), "ada"); err != nil {
			t.Errorf("a read with read-only %s: %v", mode, err)
		}
	}
}

// serializable makes every transaction of the address serializable.
const serializable = "default_transaction_isolation=serializable"

// What PostgreSQL aborts is repeated.
func TestSerializationFailures(t *testing.T) {
	s := postgrestest.OpenAt(t, with(t, pgtest.Database(t), serializable))
	ada := account("ada")
	if err := s.Accounts().Create(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	var changes [8]error
	done := make(chan int)
	for i := range changes {
		go func() {
			for range 10 {
				if err := s.Accounts().Change(t.Context(), ada.ID, record.Change{FirstName: new(string(rune('a' + i)))}); err != nil {
					changes[i] = err
				}
			}
			done <- i
		}()
	}
	for range changes {
		wait.For(t, "the changes are made", done)
	}
	if err := errors.Join(changes[:]...); err != nil {
		t.Error(err)
	}
}

// hold takes the lock of migrations, as a node does that migrates, until the
// returned function is called.
func hold(t *testing.T, dsn, statement string) (release func()) {
	t.Helper()
	db, err := sql.Open("pgx", dsn+"&application_name=rival")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback(); db.Close() }
}

const migrationLock = "SELECT pg_advisory_xact_lock(x'6a6f7467617465'::bigint)"

// openLater opens and closes the database when its migration need not wait any more.
func openLater(t *testing.T, dsn string, log *slog.Logger) <-chan error {
	opened := make(chan error, 1)
	go func() {
		s, err := postgres.Open(t.Context(), dsn, postgrestest.Limits(postgres.Options{Logger: log}))
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	return opened
}

// A node that has nothing to migrate waits for nobody; one that has waits, says
// for whom, and gives up.
func TestMigrationWaits(t *testing.T) {
	dsn := pgtest.Database(t)
	release := hold(t, dsn, migrationLock)
	var log capture.Output
	opened := openLater(t, dsn, slog.New(slog.NewTextHandler(&log, nil)))
	wait.Until(t, "the log says for whom it waits", func() bool {
		got := log.String()
		return strings.Contains(got, "waiting to migrate the database") && strings.Contains(got, "application rival")
	})
	options := postgrestest.Limits(postgres.Options{MigrationTimeout: 100 * time.Millisecond})
	var err error
	wait.Until(t, "the error says it", func() bool { // the rival may be found too late to be named
		_, err = postgres.Open(t.Context(), dsn, options)
		return err == nil || strings.Contains(err.Error(), "application rival")
	})
	if !errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), "within 100ms") {
		t.Errorf("while another node migrates: %v", err)
	}
	release()
	if err := wait.For(t, "the migration is done", opened); err != nil {
		t.Error(err)
	}
	defer hold(t, dsn, migrationLock)()
	options.MigrationTimeout = time.Nanosecond
	if s, err := postgres.Open(t.Context(), dsn, options); err != nil {
		t.Errorf("with nothing to migrate: %v", err)
	} else {
		s.Close()
	}
}

// A client's transaction that uses a table is in the way of a migration, but
// does not make it fail.
func TestMigrationWaitsForClients(t *testing.T) {
	dsn := pgtest.Database(t)
	postgrestest.OpenAt(t, dsn)
	execute(t, dsn, "DROP TABLE account_emailconfirmation, account_emailaddress")
	release := hold(t, dsn, "LOCK TABLE auth_user IN SHARE UPDATE EXCLUSIVE MODE; LOCK TABLE auth_user IN ROW EXCLUSIVE MODE")
	opened := openLater(t, dsn, nil)
	wait.Until(t, "the migration waits for the table", func() bool {
		return value[int](t, dsn, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'auth_user'::regclass") > 0
	})
	release()
	if err := wait.For(t, "the migration is done", opened); err != nil {
		t.Error(err)
	}
}

// A lock that an earlier version of jotgate left with a pooler's connection
// stops no start.
func TestStrandedLock(t *testing.T) {
	direct := pgtest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 2)
	dsn := bouncer.DSN(direct)
	postgrestest.OpenAt(t, dsn)
	execute(t, dsn, "SELECT pg_advisory_lock(x'6a6f7467617465'::bigint)")
	if n := value[int](t, direct, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'"); n != 1 {
		t.Fatalf("%d locks, want the stranded one", n)
	}
	postgrestest.OpenAt(t, dsn)
	postgrestest.OpenAt(t, direct)
}

// An incomplete index, as a CREATE INDEX CONCURRENTLY leaves it that was
// interrupted, is created again.
func TestIncompleteIndexIsCreatedAgain(t *testing.T) {
	dsn := pgtest.Database(t)
	postgrestest.OpenAt(t, dsn)
	execute(t, dsn, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'jotgate_user_email'::regclass")
	postgrestest.OpenAt(t, dsn)
	if !value[bool](t, dsn, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'jotgate_user_email'::regclass") {
		t.Error("the index is still incomplete")
	}
}
