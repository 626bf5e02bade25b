package postgres_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store/postgres"
)

// A statement that is given up is cancelled on PostgreSQL, but not through a pooler, which
// may give the cancel request to another client's statement, or end.
func TestCancelRequests(t *testing.T) {
	direct := postgrestest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 3)
	for name, c := range map[string]struct {
		dsn     string
		cancels bool
	}{"direct": {direct, true}, "pooler": {bouncer.DSN(direct), false}} {
		t.Run(name, func(t *testing.T) {
			var cancels atomic.Int64
			s := postgrestest.OpenAt(t, countCancels(t, c.dsn, &cancels))
			a := account(name)
			if err := s.Accounts().Create(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			lock, err := sql.Open("pgx", direct)
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Close()
			tx, err := lock.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("SELECT 1 FROM auth_user WHERE username = $1 FOR UPDATE", name); err != nil {
				t.Fatal(err)
			}
			ctx, giveUp := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- rename(ctx, s, a) }()
			waits := "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"
			wait.Until(t, "the statement waits for the lock", func() bool { return value[bool](t, direct, waits) })
			giveUp()
			if err := <-done; err == nil {
				t.Error("the statement succeeded")
			}
			if c.cancels {
				wait.Until(t, "the statement has ended", func() bool { return cancels.Load() > 0 && !value[bool](t, direct, waits) })
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if err := rename(t.Context(), s, a); err != nil { // the store works, and what was sent before has arrived
				t.Error(err)
			}
			if n := cancels.Load(); !c.cancels && n > 0 {
				t.Errorf("%d cancel requests", n)
			}
		})
	}
}

// While it is not known whether there is a pooler, no cancel request is sent either.
func TestNoCancelRequestWhileOpening(t *testing.T) {
	direct := pgtest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 1)
	dsn := bouncer.DSN(direct)
	other, err := sql.Open("pgx", dsn+"&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin() // the pooler's only connection
	if err != nil {
		t.Fatal(err)
	}
	var cancels atomic.Int64
	counted := countCancels(t, dsn, &cancels)
	ctx, giveUp := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := postgres.Open(ctx, counted, postgrestest.Options)
		done <- err
	}()
	wait.Until(t, "a statement waits in the pooler", func() bool { return waiting(t, dsn) })
	giveUp()
	if err := <-done; err == nil {
		t.Error("opened without a connection to the server")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	postgrestest.OpenAt(t, counted) // what was sent before has arrived
	if n := cancels.Load(); n > 0 {
		t.Errorf("%d cancel requests", n)
	}
}

// waiting reports whether a client of the PgBouncer at dsn waits for a connection to the
// server, as its console says.
func waiting(t *testing.T, dsn string) (found bool) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn + "&default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatal(err)
	}
	config.Database = "pgbouncer"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SHOW POOLS")
	if err != nil {
		t.Fatal(err)
	}
	pools, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(pools, func(pool map[string]any) bool { return fmt.Sprint(pool["cl_waiting"]) != "0" })
}

// A migrated database is opened with one connection. That shows whether there is a
// pooler, for which another one is opened, unless the address says so. On a slow machine
// the pool may take one for broken and open another, so it is counted until there is none.
func TestConnectionsToOpen(t *testing.T) {
	direct := postgrestest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 3)
	for dsn, want := range map[string]int64{direct: 1, bouncer.DSN(direct): 2, bouncer.DSN(direct) + "&pgbouncer=true": 1} {
		var connections atomic.Int64
		counted := relay(t, dsn, func([]byte) { connections.Add(1) })
		wait.Until(t, fmt.Sprintf("%s is opened with %d connections", dsn, want), func() bool {
			connections.Store(0)
			s, err := postgres.Open(t.Context(), counted, postgrestest.Options)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			return connections.Load() == want
		})
	}
}

// countCancels returns the address of a server through a proxy that counts cancel
// requests (PostgreSQL, chapter "Message Formats").
func countCancels(t *testing.T, dsn string, cancels *atomic.Int64) string {
	t.Helper()
	return relay(t, dsn, func(first []byte) {
		if len(first) >= 8 && binary.BigEndian.Uint32(first[4:]) == 1234<<16|5678 {
			cancels.Add(1)
		}
	})
}

// relay returns the address of a server through a proxy that shows the first packet of
// each connection.
func relay(t *testing.T, dsn string, show func(first []byte)) string {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return pgtest.At(dsn, listen(t, func(client net.Conn) {
		defer client.Close()
		first := make([]byte, 4096) // PgBouncer does not accept a part of the first packet
		n, _ := client.Read(first)
		show(first[:n])
		server, err := net.Dial("tcp", address.Host)
		if err != nil {
			return
		}
		defer server.Close()
		go func() { _, _ = io.Copy(client, server); client.Close() }()
		if _, err := server.Write(first[:n]); err == nil {
			_, _ = io.Copy(server, client)
		}
	}))
}
