package postgres_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// with returns the address with more parameters.
func with(t *testing.T, dsn, query string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery += "&" + query
	return u.String()
}

// value selects one value without the store.
func value[T any](t *testing.T, dsn, query string) (v T) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// execute runs a statement without the store.
func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	if err := attempt(t, dsn, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// attempt runs a statement without the store and returns its error.
func attempt(t *testing.T, dsn, statement string) error {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// The modes that the documentation of other programs prescribes work, too,
// and so do the parameters that platforms add.
func TestParametersOfPlatforms(t *testing.T) {
	direct := pgtest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 2)
	for _, query := range []string{
		"default_query_exec_mode=exec", "default_query_exec_mode=simple_protocol", "default_query_exec_mode=cache_describe",
		"default_query_exec_mode=describe_exec", "pgbouncer=true", "pgbouncer=true&connection_limit=1&pool_timeout=20",
		"schema=public&sslaccept=accept_invalid_certs", "prepared_statements=false&pool=5", "statement_cache_size=0", "prepareThreshold=0&currentSchema=public",
		"workaround=supabase-pooler.vercel&supa=base-pooler.x", "options=-c%20statement_timeout%3D60000", "statement_timeout=60000", "keepalives=1&keepalives_idle=5",
		"search_path=public", "application_name=site&channel_binding=prefer",
		"ssl=false&max_connections=5", "ssl_min_protocol_version=TLSv1.2&log_connections=on", "shared_buffers=1&server_version=9",
	} {
		for name, dsn := range map[string]string{"direct": direct, "PgBouncer": bouncer.DSN(direct)} {
			t.Run(name+"/"+query, func(t *testing.T) {
				s := postgrestest.OpenAt(t, with(t, dsn, query))
				name := name + " " + query
				if err := s.Accounts().Create(t.Context(), account(name)); err != nil {
					t.Fatal(err)
				}
				if a, err := s.Accounts().ByLogin(t.Context(), name); err != nil || a.Username != name {
					t.Error(a, err)
				}
			})
		}
	}
}

// What is ignored is logged, once; what PostgreSQL knows takes effect.
func TestIgnoredParametersAreLogged(t *testing.T) {
	var log bytes.Buffer
	dsn := with(t, pgtest.Database(t), "pool_timeout=9&sslaccept=accept_invalid_certs&socket_timeout=3&statement_timeout=123456&schema=other")
	direct := dsn[:strings.Index(dsn, "?")] + "?sslmode=disable"
	execute(t, direct, "CREATE SCHEMA other")
	s, err := postgres.Open(t.Context(), dsn, postgrestest.Limits(postgres.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := log.String(); strings.Count(got, "pool_timeout") != 1 || !strings.Contains(got, "socket_timeout") || strings.Contains(got, "statement_timeout") {
		t.Errorf("the log: %s", got)
	}
	if got := value[int](t, direct, "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'other' AND tablename = 'jotgate_session'"); got != 1 {
		t.Error("schema=other had no effect")
	}
}

// JDBC's currentSchema is a list, and the extension for searches may be in a schema that it leaves out.
func TestSeveralSchemas(t *testing.T) {
	direct := pgtest.Database(t)
	execute(t, direct, `CREATE SCHEMA "Shop"; CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions; CREATE TABLE "Shop"."Users" (
id bigserial PRIMARY KEY, username varchar(150) NOT NULL UNIQUE, password varchar(128) NOT NULL)`)
	s, err := postgres.Open(t.Context(), with(t, direct, "currentSchema=Shop,%20public"), postgrestest.Limits(postgres.Options{Schema: store.Schema{Users: "Users"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"jotgate_session", "jotgate_user_trigrams"} {
		if got := value[int](t, direct, `SELECT COUNT(*) FROM pg_class WHERE relnamespace = '"Shop"'::regnamespace AND relname = '`+name+"'"); got != 1 {
			t.Errorf("%d of %s in the schema", got, name)
		}
	}
	_, err = postgres.Open(t.Context(), direct, postgrestest.Limits(postgres.Options{Schema: store.Schema{Users: "Shop.Users"}}))
	if err == nil || !strings.Contains(err.Error(), "?search_path=") {
		t.Error(err)
	}
}

// Behind a pooler a schema that does not take effect is an error, not other
// tables of the same names.
func TestSchemaBehindPooler(t *testing.T) {
	direct := pgtest.Database(t)
	execute(t, direct, "CREATE SCHEMA other")
	bouncer := pgtest.Bounce(t, direct, "transaction", 2)
	for _, query := range []string{"schema=other", "search_path=other,public", "options=-csearch_path%3Dother"} {
		s, err := postgres.Open(t.Context(), with(t, bouncer.DSN(direct), query), postgrestest.Options)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "ALTER ROLE") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// The doctor names the version of the server, and what is between, and its mode.
func TestDoctorNamesThePooler(t *testing.T) {
	direct := pgtest.Database(t)
	version, _, _ := strings.Cut(value[string](t, direct, "SHOW server_version"), " ")
	for mode, want := range map[string]string{
		"": "directly to PostgreSQL " + version + " at 127.0.0.1:", "transaction": "through PgBouncer 1.", "session": "through PgBouncer 1.",
	} {
		dsn := direct
		if mode != "" {
			dsn = pgtest.Bounce(t, direct, mode, 10).DSN(direct)
		}
		s := postgrestest.OpenAt(t, dsn)
		untilFirst(t, s, mode, func(f store.Fact) bool {
			return f.About == "connection" && strings.Contains(f.Found, want) && (mode == "" || strings.Contains(f.Found, ", in "+mode+" mode, at 127.0.0.1:") && strings.HasSuffix(f.Found, " (PostgreSQL "+version+")"))
		})
	}
}

// Without a pooler the doctor waits for its connection as long as the options say.
func TestDoctorWaitsForItsConnection(t *testing.T) {
	var opened atomic.Bool
	var slow atomic.Int64
	s := postgrestest.OpenAt(t, relay(t, postgrestest.Database(t), func([]byte) {
		if opened.Load() {
			slow.Add(1)
			time.Sleep(2500 * time.Millisecond) // the doctor looks for a pooler's second connection for 2 s
		}
	}))
	opened.Store(true)
	facts, err := s.Facts(t.Context())
	if err != nil || !strings.HasPrefix(facts[0].Found, "directly to PostgreSQL ") || slow.Load() == 0 {
		t.Errorf("%+v %v, %d slow connections", facts, err, slow.Load())
	}
}

// untilFirst waits until the first of the doctor's facts is as it should be: it says something else, or
// nothing, if a connection takes more than two seconds.
func untilFirst(t *testing.T, s *store.Store, what string, good func(store.Fact) bool) {
	t.Helper()
	var facts []store.Fact
	var err error
	defer func() {
		if t.Failed() {
			t.Logf("the doctor's facts: %+v %v", facts, err)
		}
	}()
	wait.Until(t, "the doctor sees: "+what, func() bool {
		facts, err = s.Facts(t.Context())
		return err == nil && good(facts[0])
	})
}

// Timeouts hold behind a pooler as well: they are set in the transaction.
func TestTimeoutsThroughPgBouncer(t *testing.T) {
	direct := postgrestest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 5)
	o := postgrestest.Options
	o.LockTimeout = 100 * time.Millisecond
	s, err := postgres.Open(t.Context(), bouncer.DSN(direct), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := account("ada")
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	release := holdRow(t, direct)
	defer release()
	err = s.Accounts().Change(t.Context(), a.ID, record.Change{FirstName: new("x")})
	if err == nil || !strings.Contains(err.Error(), "55P03") {
		t.Errorf("%v, want lock_not_available", err)
	}
}

// Six nodes that start together, on a new and on a migrated database, directly
// and through PgBouncer: all start, and no lock is left.
func TestSimultaneousStarts(t *testing.T) {
	direct := pgtest.Database(t)
	bouncer := pgtest.Bounce(t, direct, "transaction", 5)
	for name, through := range map[string]func(string) string{
		"direct": func(dsn string) string { return dsn }, "PgBouncer": bouncer.DSN,
	} {
		for round := range rounds.Of(2, 20) {
			t.Run(fmt.Sprintf("%s/%d", name, round), func(t *testing.T) {
				dsn := pgtest.Database(t)
				for _, state := range []string{"new", "migrated"} {
					var starts sync.WaitGroup
					for range 6 {
						starts.Go(func() {
							s, err := postgres.Open(t.Context(), through(dsn), postgrestest.Options)
							if err != nil {
								t.Errorf("on a %s database: %v", state, err)
								return
							}
							s.Close()
						})
					}
					starts.Wait()
					if n := value[int](t, dsn, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'"); n != 0 {
						t.Errorf("%d locks are left on a %s database", n, state)
					}
				}
				if n := value[int](t, dsn, "SELECT COUNT(*) FROM pg_index WHERE indexrelid = 'jotgate_user_email'::regclass AND indisvalid"); n != 1 {
					t.Error("there is no index jotgate_user_email")
				}
			})
		}
	}
}
