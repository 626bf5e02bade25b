package store_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/alone"
	"github.com/jotgate/jotgate/passwd"
)

// fill makes the users user1 … userN past the store, in one statement, all
// with the same password hash.
func (w *world) fill(n int, password string) {
	w.Helper()
	w.exec(`INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ` + strconv.Itoa(n) + `)
SELECT '` + password + `', false, 'user' || n, 'First', 'Last',
'User' || n || '@Example.com', false, true, '2026-11-23 12:00:00' FROM c`)
	w.exec(w.on("ANALYZE auth_user", "VACUUM ANALYZE auth_user"))
}

// TestManyUsers compares the work of lookups and requests among many users with
// that among a thousand: as many statements, and at most two pages more for each,
// the levels by which a B-tree may be deeper. JOTGATE_USERS says how many are
// many: 1,000,000 in make scale, 20,000 here. BenchmarkManyUsers has the times.
func TestManyUsers(t *testing.T) {
	const few = 1000
	many := number(t, "JOTGATE_USERS", 20_000)
	hash, err := new(passwd.Hasher).Make(scalePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(testing.TB) *world{"sqlite": sqliteWorld, "postgres": postgresWorld} {
		t.Run(name, func(t *testing.T) {
			small, large := newSite(make(t), few, hash), newSite(make(t), many, hash)
			for what, do := range questions {
				statements, pages := small.most(do)
				statementsMany, pagesMany := large.most(do)
				t.Logf("%-20s %d statements; among %d users %d pages, among %d %d", what, statements, few, pages, many, pagesMany)
				if statements == 0 || pages == 0 || statementsMany != statements || pagesMany > pages+2*statements {
					t.Errorf("%s: %d statements that visit %d pages among %d users, %d and %d among %d",
						what, statements, pages, few, statementsMany, pagesMany, many)
				}
			}
		})
	}
}

// most is the work of do for the first, a middle and the last user: the most of
// it, since a page may be split just where one of them is.
func (s *site) most(do func(s *site, n int) error) (statements, pages int) {
	s.Helper()
	for _, n := range []int{1, s.users / 2, s.users} {
		several, visited := s.seen.work(func() error { return do(s, n) })
		statements, pages = max(statements, several), max(pages, visited)
	}
	return statements, pages
}

// number is the value of an environment variable, or usual.
func number(t testing.TB, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLookupsUseIndexes asks SQLite how it will look, which no busy machine
// disturbs.
func TestLookupsUseIndexes(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		for text, want := range map[string]string{
			"SELECT * FROM auth_user WHERE UPPER(email) = UPPER(CAST('a@b.c' AS text))":     "jotgate_user_email",
			"SELECT * FROM jotgate_session WHERE user_id = '1' AND ended IS NULL":           "jotgate_session_user",
			"SELECT id FROM jotgate_session WHERE expires_day <= 1 AND expires < 1 LIMIT 1": "jotgate_session_expires",
			"SELECT seq FROM jotgate_revocation WHERE made < 1 LIMIT 1":                     "jotgate_revocation_made",
			"SELECT * FROM jotgate_event WHERE user_id = '1' AND id < 5 ORDER BY id DESC":   "jotgate_event_user",
			"SELECT id FROM jotgate_outbox WHERE due <= 1 ORDER BY due, id LIMIT 1":         "jotgate_outbox_due",
		} {
			if plan := w.plan(text); !strings.Contains(plan, want) {
				t.Errorf("%s\nis looked up by\n%s\nnot by %s", text, plan, want)
			}
		}
	})
}

// plan is how the database will run a query.
func (w *world) plan(text string) string {
	w.Helper()
	w.raw.SetMaxOpenConns(1)
	if w.name == "postgres" {
		w.exec("SET enable_seqscan = off") // tables are empty here
		w.exec("SET enable_sort = off")
	}
	return strings.Join(w.steps(w.on("EXPLAIN QUERY PLAN ", "EXPLAIN ")+text), "\n")
}

// An open SQLite store is small: what the process holds grows little by it. The first one
// of a process also loads code and makes the tables.
func TestIdleMemory(t *testing.T) { alone.Run(t, takesLittle) }

func takesLittle(t *testing.T) {
	openWithUsers(t)
	runtime.GC()
	before := anonymous(t)
	openWithUsers(t)
	runtime.GC()
	grown := anonymous(t) - before
	t.Logf("the store took %d KiB", grown)
	if grown > 12<<10 {
		t.Errorf("the store took %d KiB", grown)
	}
}

// openWithUsers opens a store that stays open.
func openWithUsers(t *testing.T) {
	w := sqliteWorld(t)
	s := w.open()
	for i := range 50 {
		w.account(s, "user"+strconv.Itoa(i))
	}
}

// anonymous is the memory of the process except for pages of files, in KiB.
func anonymous(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
