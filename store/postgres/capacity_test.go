package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A server or a pooler that allows fewer connections than the pool may have is
// used with those that it allows; no operation fails.
func TestFewerConnectionsThanThePool(t *testing.T) {
	for name, restrict := range map[string]func(t *testing.T, direct string) (dsn string){
		"role": func(t *testing.T, direct string) string { return restrictRole(t, direct, 3) },
		"database": func(t *testing.T, direct string) string {
			execute(t, direct, "CREATE ROLE guest LOGIN PASSWORD 'guest'")
			execute(t, direct, "GRANT CREATE, USAGE ON SCHEMA public TO guest")
			execute(t, direct, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 4', current_database()); END $$")
			t.Cleanup(func() { execute(t, direct, "DROP OWNED BY guest; DROP ROLE guest") })
			_, rest, _ := strings.Cut(direct, "@")
			return "postgres://guest:guest@" + rest
		},
		"PgBouncer's clients": func(t *testing.T, direct string) string {
			return pgtest.Bounce(t, direct, "transaction", 2, "max_client_conn = 3").DSN(direct)
		},
		"PgBouncer in session mode": func(t *testing.T, direct string) string { return pgtest.Bounce(t, direct, "session", 3).DSN(direct) },
		"one connection": func(t *testing.T, direct string) string {
			return pgtest.Bounce(t, direct, "transaction", 1).DSN(direct)
		},
		"one connection in session mode": func(t *testing.T, direct string) string {
			return pgtest.Bounce(t, direct, "session", 1).DSN(direct)
		},
		"role with one connection": func(t *testing.T, direct string) string { return restrictRole(t, direct, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s, err := postgres.Open(t.Context(), restrict(t, pgtest.Database(t)), postgrestest.Limits(postgres.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			useAtOnce(t, s)
			if n := strings.Count(log.String(), "limited to those that are open"); !strings.Contains(name, "one connection") && n != 1 {
				t.Errorf("%d warnings: %s", n, log.String())
			}
		})
	}
}

// restrictRole makes a role with a limit of connections, and returns the address
// with it.
func restrictRole(t *testing.T, direct string, limit int) (dsn string) {
	name := fmt.Sprintf("few%d", limit)
	execute(t, direct, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'few' CONNECTION LIMIT %d", name, limit))
	execute(t, direct, "GRANT CREATE, USAGE ON SCHEMA public TO "+name)
	t.Cleanup(func() { execute(t, direct, fmt.Sprintf("DROP OWNED BY %[1]s; DROP ROLE %[1]s", name)) })
	_, rest, _ := strings.Cut(direct, "@")
	return "postgres://" + name + ":few@" + rest
}

// useAtOnce has 20 clients write and read. The first account completes the index
// of usernames.
func useAtOnce(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Accounts().Create(t.Context(), account("first")); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			for j := range 3 {
				name := fmt.Sprintf("u-%d-%d", i, j)
				if err := s.Accounts().Create(t.Context(), account(name)); err != nil {
					t.Error(err)
				}
				if a, err := s.Accounts().ByLogin(t.Context(), name); err != nil || a.Username != name {
					t.Error(a, err)
				}
			}
		})
	}
	clients.Wait()
}

// Statement mode has no transactions: that is said in one sentence, and nothing
// waits for it to change.
func TestStatementMode(t *testing.T) {
	direct := pgtest.Database(t)
	postgrestest.OpenAt(t, direct)
	dsn := pgtest.Bounce(t, direct, "statement", 2).DSN(direct)
	s, err := postgres.Open(t.Context(), dsn, postgrestest.Limits(postgres.Options{Inspect: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	untilFirst(t, s, "statement mode", func(f store.Fact) bool {
		return f.Fatal && strings.Contains(f.Found, "statement mode") && strings.Contains(f.Fix, "pool_mode = transaction")
	})
	err = s.Accounts().Create(t.Context(), account("ada"))
	if err == nil || !strings.Contains(err.Error(), "set pool_mode = transaction") {
		t.Error(err)
	}
	fresh := pgtest.Database(t)
	if s, err := postgres.Open(t.Context(), pgtest.Bounce(t, fresh, "statement", 2).DSN(fresh), postgrestest.Options); err == nil {
		s.Close()
		t.Error("a database was migrated without transactions")
	} else if errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), "set pool_mode = transaction") {
		t.Error(err)
	}
}

// Doctor names the mode of a pooler that has one connection, with which a new
// database is also migrated.
func TestDoctorWithOneConnection(t *testing.T) {
	for mode, want := range map[string]string{"transaction": "in transaction mode", "session": "one connection only"} {
		direct := pgtest.Database(t)
		s := postgrestest.OpenAt(t, pgtest.Bounce(t, direct, mode, 1).DSN(direct))
		untilFirst(t, s, want, func(f store.Fact) bool { return strings.Contains(f.Found, want) })
	}
}
