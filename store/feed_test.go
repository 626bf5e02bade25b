package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// receives reads the feed after the cursor and advances the cursor.
func (w *world) receives(s *store.Store, cursor *record.RevocationCursor) (sessions []string) {
	w.Helper()
	for more := true; more; {
		page, err := s.Revocations().List(w.ctx, *cursor, time.Now(), time.Hour)
		w.must(err)
		for _, r := range page.Entries {
			sessions = append(sessions, r.Session)
		}
		*cursor, more = page.Next, page.More
	}
	return sessions
}

// begin is a transaction of another node that has revoked the session, with the
// time that its clock shows.
func (w *world) begin(session string, made time.Time) *sql.Tx {
	w.Helper()
	tx, err := w.raw.BeginTx(w.ctx, nil)
	w.must(err)
	w.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(w.ctx, "INSERT INTO jotgate_revocation (session, made) VALUES ($1, $2)", session, made.UnixMicro())
	w.must(err)
	return tx
}

// The numbers of entries are assigned before their transactions commit, and
// the commits come in any order. Whatever the clocks show, each entry is
// listed once, at the first reading after its commit.
func TestRevocationsThatCommitLate(t *testing.T) {
	for _, ahead := range []time.Duration{0, 5 * time.Second, 15 * time.Second, time.Hour, -time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			w := postgresWorld(t)
			s := w.open()
			var cursor, idle record.RevocationCursor
			w.receives(s, &cursor)
			w.receives(s, &idle)
			a := w.begin("a", time.Now())
			b := w.begin("b", time.Now().Add(ahead))
			w.must(b.Commit())
			c := w.begin("c", time.Now().Add(2*ahead))
			gone := w.begin("gone", time.Now().Add(ahead))
			for _, step := range []struct {
				does func() error
				want []string
			}{
				{func() error { return nil }, []string{"b"}},
				{func() error { return nil }, nil},
				{c.Commit, []string{"c"}},
				{gone.Rollback, nil},
				{a.Commit, []string{"a"}},
				{func() error { return nil }, nil},
			} {
				w.must(step.does())
				if got := w.receives(s, &cursor); !slices.Equal(got, step.want) {
					t.Errorf("received %q, want %q", got, step.want)
				}
			}
			if got := w.receives(s, &idle); !slices.Equal(got, []string{"a", "b", "c"}) {
				t.Errorf("a reader that was away receives %q", got)
			}
		})
	}
}

// A transaction that stays open for a long time delays no other entry and
// makes none appear twice; its own revocations are listed when it commits.
func TestRevocationsBesideALongTransaction(t *testing.T) {
	w := postgresWorld(t)
	s := w.open()
	var cursor record.RevocationCursor
	w.receives(s, &cursor)
	long := w.begin("long", time.Now().Add(-30*time.Minute))
	for i := range 50 {
		name := fmt.Sprint("s", i)
		w.must(w.begin(name, time.Now()).Commit())
		if got := w.receives(s, &cursor); !slices.Equal(got, []string{name}) {
			t.Fatalf("round %d: received %q", i, got)
		}
	}
	w.must(long.Commit())
	if got := w.receives(s, &cursor); !slices.Equal(got, []string{"long"}) {
		t.Errorf("after the long transaction: received %q", got)
	}
}

// A feed of several pages lists each entry once, even if others commit during
// the reading, also with lower numbers.
func TestRevocationsOfSeveralPages(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		const n = 2*record.MaxRevocations + 1
		for _, first := range []bool{true, false} {
			var cursor record.RevocationCursor
			if !first {
				w.receives(s, &cursor)
			}
			var late *sql.Tx
			if w.name == "postgres" {
				late = w.begin("late", time.Now())
			}
			w.exec(w.on(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO jotgate_revocation (session, made) SELECT 'bulk' || i, $2 FROM n`,
				`INSERT INTO jotgate_revocation (session, made) SELECT 'bulk' || i, $2 FROM generate_series(1, $1::int) AS i`), n, time.Now().UnixMicro())
			received := map[string]int{}
			for page, more := 1, true; more; page++ {
				p, err := s.Revocations().List(w.ctx, cursor, time.Now(), time.Hour)
				w.must(err)
				for _, r := range p.Entries {
					received[r.Session]++
				}
				if cursor, more = p.Next, p.More; page == 1 && late != nil {
					w.must(late.Commit())
				}
				if page == 1 {
					w.exec("INSERT INTO jotgate_revocation (session, made) VALUES ('after', $1)", time.Now().UnixMicro())
				}
			}
			for _, session := range w.receives(s, &cursor) {
				received[session]++
			}
			want := n + 1
			if late != nil {
				want++
			}
			for session, times := range received {
				if times != 1 {
					w.Fatalf("first reading %v: %s is listed %d times", first, session, times)
				}
			}
			if len(received) != want {
				w.Errorf("first reading %v: %d entries, want %d", first, len(received), want)
			}
			w.exec("DELETE FROM jotgate_revocation")
		}
	})
}

// The doctor compares the clocks of the node and of the database.
func TestClockFact(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		for _, c := range []struct {
			skew  time.Duration
			ok    bool
			found string
		}{
			{0, true, "agrees with the database's"},
			{time.Hour, false, "1h0m0s ahead of the database's"},
			{-time.Hour, false, "1h0m0s behind the database's"},
			{15 * time.Minute, false, "15m0s ahead of the database's"},
		} {
			s := w.openAt(func() time.Time { return time.Now().Add(c.skew) })
			facts := w.facts(s)
			i := slices.IndexFunc(facts, func(f store.Fact) bool { return f.About == "clock" })
			if f := facts[i]; f.OK != c.ok || f.Fatal || !found(f.Found, c.found) || (f.Fix == "") != c.ok {
				t.Errorf("%v ahead: %+v", c.skew, f)
			}
		}
	})
}

// found compares two findings about the clock, in which the difference may be a
// minute more or less: the database answers when it can.
func found(got, want string) bool {
	gotDifference, gotRest, _ := strings.Cut(got, " ")
	wantDifference, wantRest, _ := strings.Cut(want, " ")
	g, err := time.ParseDuration(gotDifference)
	w, wantErr := time.ParseDuration(wantDifference)
	if err != nil || wantErr != nil {
		return got == want
	}
	return gotRest == wantRest && (g-w).Abs() < time.Minute
}
