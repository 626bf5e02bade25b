// Package scale measures how costs grow with the number of users, sessions, revocations and guards.
//
//	make scale SCALE=1000000
//
// Without SCALE it runs at a small size, which shows that it works and no figure that means anything.
package scale

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

const (
	secret   = "the secret of a measurement, long enough 0123456789"
	password = "correct horse battery"
	few      = 10_000 // sessions that the others are compared with
)

// size is SCALE, or usual.
func size(t testing.TB, usual int) int {
	t.Helper()
	text := os.Getenv("SCALE")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SCALE=%s", text)
	}
	return n
}

// databases are those that are measured: that of SCALE_DATABASE, or both, without SCALE
// the one that needs no server.
func databases() []string {
	if name := os.Getenv("SCALE_DATABASE"); name != "" {
		return []string{name}
	}
	if os.Getenv("SCALE") == "" {
		return []string{"sqlite"}
	}
	return []string{"sqlite", "postgres"}
}

var began = time.Now()

// progress says what is done now.
func progress(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "[%4.0fs] %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, values...))
}

// site is a database with rows in it and a gate over it.
type site struct {
	*testing.T
	name   string // of the database
	raw    *sql.DB
	gate   *jotgate.Gate
	tokens []jotgate.Tokens
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newSite opens a new database. Passwords are hashed as setting says.
func newSite(t *testing.T, name, setting string) *site {
	t.Helper()
	s := &site{T: t, name: name}
	var db *store.Store
	var err error
	if name == "sqlite" {
		file := filepath.Join(t.TempDir(), "scale.db")
		db, err = sqlite.Open(t.Context(), file, sqlitetest.Options)
		check(t, err)
		s.raw, err = sql.Open("sqlite", file+"?_pragma=busy_timeout(180000)&_pragma=cache_size(-2000000)&_pragma=synchronous(OFF)")
	} else {
		dsn := database(t)
		db, err = postgres.Open(t.Context(), dsn, postgrestest.Options)
		check(t, err)
		s.raw, err = sql.Open("pgx", dsn)
	}
	check(t, err)
	t.Cleanup(func() { check(t, s.raw.Close()); check(t, db.Close()) })
	hasher, err := passwd.New(setting)
	check(t, err)
	s.gate, err = jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: hasher, AccessTokenLifetime: 24 * time.Hour, ServeRevocations: true, Logger: slog.New(slog.DiscardHandler)}, db)
	check(t, err)
	check(t, s.gate.Sync(t.Context()))
	return s
}

// database returns a PostgreSQL database, with SCALE on the disk as in production.
func database(t *testing.T) string {
	if os.Getenv("SCALE") == "" {
		return pgtest.Database(t)
	}
	return pgtest.Start(t, pgtest.Options{Durable: true}).Database(t)
}

func (s *site) exec(sqlite, postgres string) {
	s.Helper()
	text := sqlite
	if s.name == "postgres" {
		text = postgres
	}
	_, err := s.raw.ExecContext(s.Context(), text)
	check(s, err)
}

// bytes is the size of the database, or on PostgreSQL of a table with its indexes.
func (s *site) bytes(table string) (n float64) {
	s.Helper()
	text := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if s.name == "postgres" {
		text = "SELECT pg_total_relation_size('" + table + "')"
	}
	check(s, s.raw.QueryRowContext(s.Context(), text).Scan(&n))
	return n
}

// batches calls fill for the first and the last of the numbers from 1 to n, a million at a time. Each is a transaction;
// SQLite's log is written back after each, without waiting for the disk.
func (s *site) batches(n int, fill func(first, last int) (sqlite, postgres string)) {
	s.Helper()
	const size = 1_000_000
	for first := 1; first <= n; first += size {
		last := min(first+size-1, n)
		s.exec(fill(first, last))
		s.exec("PRAGMA wal_checkpoint(TRUNCATE)", "CHECKPOINT")
		if n > size {
			progress("%s: %d of %d", s.name, last, n)
		}
	}
}

// users makes n users, and returns the bytes that each takes.
func (s *site) users(n int) float64 {
	s.Helper()
	before := s.bytes("auth_user")
	hash, err := new(passwd.Hasher).Make(password)
	check(s, err)
	const insert = `INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) SELECT '%s', false,
'person' || n, 'First', 'Last', 'person' || n || '@example.com', false, true, '2026-11-23 12:00:00' FROM `
	s.batches(n, func(first, last int) (string, string) {
		return fmt.Sprintf(numbers+insert+"c", first, last, hash), fmt.Sprintf(insert+"generate_series(%d, %d) AS c (n)", hash, first, last)
	})
	return (s.bytes("auth_user") - before) / float64(n)
}

// numbers is the table c of the numbers n from the first to the last.
const numbers = "WITH RECURSIVE c (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) "

// sessions makes n sessions of users that do not log in, and returns the bytes that each takes. Those of a
// transaction are in the order of their ids, which are random: each page is written once, and not for every row.
func (s *site) sessions(n int) float64 {
	s.Helper()
	before := s.bytes("jotgate_session")
	now := time.Now()
	expires := now.Add(30 * 24 * time.Hour)
	const insert = `INSERT INTO jotgate_session (id, user_id, created, last_seen, address, user_agent, jti, previous_jti, rotated, expires, expires_day, password_digest, token_expires)
SELECT id, %[1]d + n, %[2]d, %[2]d, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64)', id, id, %[2]d, %[3]d, %[4]d, id, %[3]d FROM (SELECT n, %[5]s AS id FROM `
	values := func(random string) string {
		return fmt.Sprintf(insert, len(s.tokens), now.UnixMicro(), expires.UnixMicro(), expires.Unix()/86400, random)
	}
	s.batches(n, func(first, last int) (string, string) {
		return fmt.Sprintf(numbers, first, last) + values("lower(hex(randomblob(16)))") + "c ORDER BY id)",
			values("md5(random()::text || n)") + fmt.Sprintf("generate_series(%d, %d) AS c (n) ORDER BY id) AS s", first, last)
	})
	s.exec("ANALYZE", "VACUUM ANALYZE jotgate_session")
	return (s.bytes("jotgate_session") - before) / float64(n)
}

// begin logs n users in.
func (s *site) begin(n int) {
	s.Helper()
	for i := range n {
		account, err := s.gate.Register(s.Context(), jotgate.Registration{Username: fmt.Sprintf("client%d-%d", i, i*7919), Password: password}, jotgate.Client{})
		check(s, err)
		tokens, err := s.gate.Login(s.Context(), account.Username, password, jotgate.Client{})
		check(s, err)
		s.tokens = append(s.tokens, tokens)
	}
}

// refresh refreshes the session of a client, and returns the time that it took.
func (s *site) refresh(client int) time.Duration {
	s.Helper()
	start := time.Now()
	tokens, err := s.gate.Refresh(s.Context(), s.tokens[client].Refresh, jotgate.Client{})
	took := time.Since(start)
	check(s, err)
	s.tokens[client] = tokens
	return took
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// TestSessions compares a refresh among many sessions of as many users with one among 10,000, in turns. The clients are
// many, so that the pages of their sessions do not stay in the memory of a connection.
func TestSessions(t *testing.T) {
	many, base, clients, turns := size(t, 2000), few, 1000, 4
	if many < few {
		base, clients, turns = many/2, 3, 3
	}
	for _, name := range databases() {
		small, large := newSite(t, name, "pbkdf2_sha256:1"), newSite(t, name, "pbkdf2_sha256:1")
		small.begin(clients)
		large.begin(clients)
		progress("%s: %d users", name, many)
		small.users(base)
		user := large.users(many)
		progress("%s: %d sessions", name, many)
		small.sessions(base)
		session := large.sessions(many)
		progress("%s: refreshes", name)
		var one, other []time.Duration
		for turn := range turns * clients {
			one, other = append(one, small.refresh(turn%clients)), append(other, large.refresh(turn%clients))
		}
		a, b := median(one), median(other)
		t.Logf("%-8s a user %.0f bytes, a session %.0f bytes; a refresh among %d sessions %v, among %d %v: %.2f times",
			name, user, session, base, a.Round(time.Microsecond), many, b.Round(time.Microsecond), float64(b)/float64(a))
	}
}

// TestMemory measures what a process holds in memory of rows: nothing of users and
// sessions, and the revocations in force.
func TestMemory(t *testing.T) {
	n := size(t, 2000)
	s := newSite(t, "sqlite", "pbkdf2_sha256:1")
	s.begin(1)
	progress("%d users and sessions", n)
	before := heap()
	s.users(n)
	s.sessions(n)
	s.refresh(0)
	rows := float64(heap()-before) / float64(n)
	progress("%d revocations", n)
	insert := fmt.Sprintf(`INSERT INTO jotgate_revocation (session, made) SELECT lower(hex(randomblob(16))), %d FROM
(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c)`, time.Now().UnixMicro(), n)
	s.exec(insert, insert)
	before = heap()
	start := time.Now()
	check(t, s.gate.Sync(t.Context()))
	took := time.Since(start)
	t.Logf("memory: %.1f bytes for a user and a session, %.0f for a revocation; %d revocations were read in %v", rows, float64(heap()-before)/float64(n), n, took.Round(time.Millisecond))
	runtime.KeepAlive(s)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestRates measures what one goroutine does in a second.
func TestRates(t *testing.T) {
	limit := time.Duration(size(t, 100)) * time.Microsecond * 5
	limit = min(max(limit, 50*time.Millisecond), 5*time.Second)
	rate := func(do func()) float64 {
		start, n := time.Now(), 0
		for n == 0 || time.Since(start) < limit {
			do()
			n++
		}
		return float64(n) / time.Since(start).Seconds()
	}
	for _, name := range databases() {
		s := newSite(t, name, "argon2")
		progress("%s: logins, refreshes, verifications", name)
		_, err := s.gate.Register(t.Context(), jotgate.Registration{Username: "client", Password: password}, jotgate.Client{})
		check(t, err)
		var tokens jotgate.Tokens
		login := rate(func() {
			tokens, err = s.gate.Login(t.Context(), "client", password, jotgate.Client{})
			check(t, err)
		})
		refresh := rate(func() {
			tokens, err = s.gate.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
			check(t, err)
		})
		verify := rate(func() {
			_, err = s.gate.VerifyAccess(tokens.Access)
			check(t, err)
		})
		t.Logf("%-8s one goroutine: %.0f logins/s (argon2), %.0f refreshes/s, %.0f verified tokens/s", name, login, refresh, verify)
	}
}
