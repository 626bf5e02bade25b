package store_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// Nodes that start together on an empty database all start, and migrate once.
func TestManyOpenTogether(t *testing.T) {
	both(t, func(w *world) {
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				var s *store.Store
				if s, errs[i] = w.dial(store.Schema{}, false); errs[i] == nil {
					errs[i] = s.Accounts().Create(w.ctx, &record.Account{Username: string(rune('a' + i)), IsActive: true})
					s.Close()
				}
			})
		}
		wg.Wait()
		for i, err := range errs {
			if err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		}
		for text, want := range map[string]int{
			"SELECT COUNT(*) FROM auth_user":                                     6,
			"SELECT COUNT(*) FROM auth_permission":                               16,
			"SELECT COUNT(*) FROM django_migrations":                             32,
			"SELECT COUNT(*) FROM jotgate_migrations WHERE version_id > 0":       len(golden(t, "../sqlite/schema/0*.sql")),
			"SELECT COUNT(*) FROM jotgate_session WHERE id = 'there is a table'": 0,
		} {
			if n := w.count(text); n != want {
				t.Errorf("%s: %d, want %d", text, n, want)
			}
		}
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		w.exec("INSERT INTO jotgate_migrations (version_id, is_applied) VALUES (999, true)")
		if _, err := w.dial(store.Schema{}, false); err == nil || !strings.Contains(err.Error(), "migrated by a newer jotgate (to 999") {
			t.Errorf("opened: %v", err)
		}
	})
}

// A migration of Django's that rebuilds auth_user drops foreign indexes; the
// next start makes the one by e-mail again.
func TestLostIndexIsMadeAgain(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		w.account(s, "ada")
		index := func() int {
			return w.count(w.on("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'jotgate_user_email'", "SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'jotgate_user_email'"))
		}
		w.exec("DROP INDEX jotgate_user_email")
		list, err := s.Accounts().ByEmail(w.ctx, "ADA@example.com")
		w.must(err)
		if len(list) != 1 || index() != 0 {
			t.Errorf("without the index: %d accounts, %d indexes", len(list), index())
		}
		w.open()
		if index() != 1 {
			t.Error("the index was not made again")
		}
	})
}

// A column dropped while the store is open is one sentence for the operator
// and a 503 for the client, and the store recovers when the column is back.
func TestColumnThatGoes(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		w.account(s, "ada")
		w.exec("ALTER TABLE auth_user RENAME COLUMN last_name TO surname")
		_, err := s.Accounts().ByLogin(w.ctx, "ada")
		e := jotgate.AsError(err)
		if e.Status != 503 || e.RetryAfter == 0 || !strings.Contains(err.Error(), "last_name") || strings.Contains(e.Detail, "last_name") {
			t.Errorf("without the column: %v", err)
		}
		if _, err := w.dial(store.Schema{}, false); err != nil {
			t.Errorf("an optional column is missed at start: %v", err)
		}
		w.exec("ALTER TABLE auth_user RENAME COLUMN surname TO last_name")
		if _, err := s.Accounts().ByLogin(w.ctx, "ada"); err != nil {
			t.Errorf("with the column again: %v", err)
		}
	})
}

// Two nodes on one database: a refresh token still has one winner, and a
// revocation by one node is in the other's feed.
func TestTwoNodes(t *testing.T) {
	both(t, func(w *world) {
		nodes := []*store.Store{w.open(), w.open()}
		user := w.account(nodes[0], "ada").ID
		var cursor record.RevocationCursor
		for round := range 30 {
			session := login(w, nodes[round%2], user, fmt.Sprint("sid", round))
			var winners atomic.Int32
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					r := use(session, session.JTI, fmt.Sprint("next", round, "-", i))
					switch out, err := nodes[i%2].Sessions().Rotate(w.ctx, r); {
					case err != nil:
						t.Errorf("round %d: %v", round, err)
					case !out.Retry:
						winners.Add(1)
					}
				})
			}
			wg.Wait()
			if winners.Load() != 1 {
				t.Fatalf("round %d: %d winners", round, winners.Load())
			}
			_, err := nodes[0].Sessions().End(w.ctx, record.Ending{ID: session.ID, Reason: record.EndedByLogout, Now: noon})
			w.must(err)
			feed, err := nodes[1].Revocations().List(w.ctx, cursor, noon, 3600e9)
			w.must(err)
			if len(feed.Entries) != 1 || feed.Entries[0].Session != session.ID {
				t.Fatalf("round %d: the other node's feed: %v", round, feed)
			}
			cursor = feed.Next
		}
	})
}

// Where the statistics speak of many accounts they are believed.
func TestCountIsEstimated(t *testing.T) {
	w := postgresWorld(t)
	s := w.open()
	w.account(s, "ada")
	for _, c := range []struct {
		tuples, want int64
		estimated    bool
	}{{-1, 1, false}, {100_000, 1, false}, {100_001, 100_001, true}} {
		w.exec("UPDATE pg_class SET reltuples = $1 WHERE relname = 'auth_user'", c.tuples)
		n, estimated, err := s.Transfer().Count(w.ctx)
		if err != nil || n != c.want || estimated != c.estimated {
			t.Errorf("%d rows in the statistics: %d, %v, %v", c.tuples, n, estimated, err)
		}
	}
}
