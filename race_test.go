package jotgate_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, db *store.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		db := sqlitetest.Open(t)
		test(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		db, err := postgres.Open(t.Context(), postgrestest.Database(t), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		test(t, db)
	})
}

// raceRounds returns how often a race is run.
func raceRounds() int { return rounds.Of(20, 200) }

// atOnce calls f n times concurrently.
func atOnce(n int, f func(i int)) {
	var ready, wait sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		wait.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	wait.Wait()
}

// Fifty clients send one refresh token concurrently: there is one new token.
// Within the grace time all of them get it; without a grace time exactly one
// does.
func TestOneWinner(t *testing.T) {
	for name, grace := range map[string]time.Duration{"grace": 10 * time.Second, "no grace": -1} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, db *store.Store) {
				b := gateOn(t, db, func(s *jotgate.Settings) { s.RefreshGrace = grace })
				b.user(t, "alice", nil)
				for range raceRounds() {
					tokens := b.login(t, "alice")
					b.clock.Advance(time.Second)
					var got [50]string
					atOnce(len(got), func(i int) {
						if next, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err == nil {
							got[i] = next.Refresh
						} else if code := jotgate.AsError(err); code.Status != 401 {
							t.Errorf("refused by %v", err)
						}
					})
					winners, answered := map[string]bool{}, 0
					for _, token := range got {
						if token != "" {
							winners[token] = true
							answered++
						}
					}
					if len(winners) != 1 || grace > 0 && answered != 50 || grace < 0 && answered != 1 {
						t.Fatalf("%d new tokens, %d of 50 answered", len(winners), answered)
					}
				}
			})
		})
	}
}

// A refresh, a logout and a deactivation run concurrently: after the later of
// them has returned, no token works.
func TestNothingOvertakes(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, nil)
		on, off := true, false
		alice := b.user(t, "alice", nil)
		shut := map[string]func(context.Context, string) error{
			"logout": func(ctx context.Context, token string) error { return b.Logout(ctx, token, jotgate.Client{}) },
			"deactivation": func(ctx context.Context, _ string) error {
				return b.db.Accounts().Change(ctx, alice.ID, record.Change{IsActive: &off, At: b.clock.Now()})
			},
		}
		for name, end := range shut {
			for round := range raceRounds() / 2 {
				b.clock.Advance(time.Second)
				tokens := b.login(t, "alice")
				var next jotgate.Tokens
				atOnce(2, func(i int) {
					if i == 0 {
						next, _ = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
					} else if err := end(t.Context(), tokens.Refresh); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				})
				for kind, token := range map[string]string{"old": tokens.Refresh, "new": next.Refresh} {
					if token == "" {
						continue
					}
					if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); err == nil {
						t.Fatalf("round %d: the %s refresh token works after %s", round, kind, name)
					}
				}
				if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{IsActive: &on}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A login that began before a deactivation does not leave a session.
func TestLoginAgainstDeactivation(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, nil)
		on, off := true, false
		alice := b.user(t, "alice", nil)
		for range raceRounds() / 2 {
			b.clock.Advance(time.Second)
			atOnce(5, func(i int) {
				if i > 0 {
					_, _ = b.Login(t.Context(), "alice", password, jotgate.Client{})
				} else if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{IsActive: &off, At: b.clock.Now()}); err != nil {
					t.Error(err)
				}
			})
			live, err := b.Sessions().List(t.Context(), alice.ID)
			if err != nil || len(live) > 0 {
				t.Fatalf("%d sessions of a deactivated account, %v", len(live), err)
			}
			if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{IsActive: &on}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
