package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
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

// lookups are what must not grow with the number of users.
var lookups = map[string]func(w *world, s *store.Store, n int) error{
	"name": func(w *world, s *store.Store, n int) error {
		_, err := s.AccountByLogin(w.ctx, "user"+strconv.Itoa(n))
		return err
	},
	"id": func(w *world, s *store.Store, n int) error {
		_, err := s.AccountByID(w.ctx, record.UserID(strconv.Itoa(n)))
		return err
	},
	"e-mail": func(w *world, s *store.Store, n int) error {
		list, err := s.AccountsByEmail(w.ctx, "USER"+strconv.Itoa(n)+"@example.com")
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d accounts", len(list))
		}
		return err
	},
	"page": func(w *world, s *store.Store, n int) error {
		_, err := s.ListAccounts(w.ctx, record.UserID(strconv.Itoa(n*49/50)), 20) // a full one
		return err
	},
}

// TestManyUsers compares lookups among many users with lookups among a
// thousand. JOTGATE_USERS says how many are many: 1,000,000 in make scale,
// 20,000 here. What a client waits for, a request or a login, may take 20 %
// longer there, and here twice as long, since a machine may be busy. A bare
// lookup may too, or 25 µs longer: that is what reading two or three pages costs
// that the database has in its cache when there are a thousand.
func TestManyUsers(t *testing.T) {
	many, limit := 20_000, 2.0
	if text := os.Getenv("JOTGATE_USERS"); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		limit = 1.2
	}
	hash, err := new(passwd.Hasher).Make(scalePassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(*testing.T) *world{"sqlite": sqliteWorld, "postgres": postgresWorld} {
		t.Run(name, func(t *testing.T) {
			small, large := make(t), make(t)
			few, lot := small.open(), large.open()
			small.fill(1000, hash)
			large.fill(many, hash)
			for by, look := range lookups {
				c := comparison{"by " + by, many, 1000, 25 * time.Microsecond, limit}
				c.hold(t, func() error { return look(small, few, rand.IntN(1000)+1) },
					func() error { return look(large, lot, rand.IntN(many)+1) })
			}
			from, among := newSite(small, few), newSite(large, lot)
			for what, ask := range requests {
				c := comparison{what, many, ask.turns, 0, limit}
				c.hold(t, func() error { return ask.do(from, rand.IntN(1000)+1) },
					func() error { return ask.do(among, rand.IntN(many)+1) })
			}
		})
	}
}

// A comparison holds that something takes at most limit times as long among many
// users, or no more than the leeway longer.
type comparison struct {
	what        string
	many, turns int
	leeway      time.Duration
	limit       float64
}

// hold measures up to three times: other work on the machine can disturb one.
func (c comparison) hold(t *testing.T, few, lot func() error) {
	t.Helper()
	if testing.Short() { // the race detector looks for races, not for time
		c.turns, c.limit = min(c.turns, 20), 10
	}
	for range 3 {
		before, after := compare(c.turns, few, lot)
		ratio := float64(after) / float64(before)
		t.Logf("%-20s among 1,000: %v, among %d: %v, ratio %.2f", c.what, before, c.many, after, ratio)
		if ratio <= c.limit || after-before <= c.leeway {
			return
		}
	}
	t.Errorf("%s takes more than %.1f times as long among %d users", c.what, c.limit, c.many)
}

// compare takes the two turns about and returns their medians, of the quietest
// of some blocks: other work on the machine disturbs a block, not all.
func compare(turns int, a, b func() error) (first, second time.Duration) {
	const blocks = 5
	first, second = time.Hour, time.Hour
	for range blocks {
		var took [2][]time.Duration
		for i := range 2 * turns {
			do := a
			if i%2 == 1 {
				do = b
			}
			began := time.Now()
			if err := do(); err != nil {
				panic(err)
			}
			took[i%2] = append(took[i%2], time.Since(began))
		}
		slices.Sort(took[0])
		slices.Sort(took[1])
		first, second = min(first, took[0][turns/2]), min(second, took[1][turns/2])
	}
	return first, second
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
			"SELECT id FROM jotgate_session WHERE ended < 1 LIMIT 1":                        "jotgate_session_ended",
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
func (w *world) plan(text string) (plan string) {
	w.Helper()
	w.raw.SetMaxOpenConns(1)
	if w.name == "postgres" {
		w.exec("SET enable_seqscan = off") // tables are empty here
		w.exec("SET enable_sort = off")
	}
	rows, err := w.raw.Query(w.on("EXPLAIN QUERY PLAN ", "EXPLAIN ") + text)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var line string
		if w.name == "sqlite" {
			w.must(rows.Scan(new(int), new(int), new(int), &line))
		} else {
			w.must(rows.Scan(&line))
		}
		plan += line + "\n"
	}
	return plan
}

// An open SQLite store is small: what the process holds grows little by it.
func TestIdleMemory(t *testing.T) {
	w := sqliteWorld(t)
	before := resident(t)
	s := w.open()
	for i := range 50 {
		w.account(s, "user"+strconv.Itoa(i))
	}
	runtime.GC()
	if grown := resident(t) - before; grown > 12<<20 {
		t.Errorf("the store took %d KiB", grown>>10)
	}
}

// resident is the process's resident memory in bytes.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
