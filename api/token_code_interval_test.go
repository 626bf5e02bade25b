package api

// How often a code is sent to an address.

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A second request within a minute is refused, in whatever spelling, with the same
// response for an address without an account, and leaves the code valid. Nothing is sent.
func TestTokenCodeTooSoon(t *testing.T) {
	s := newSite(t, codesOn)
	ask := func(email string) answer { return s.ask("POST", "/api/token/code/", object("email", email)) }
	pending := ask("alice@example.com").member("pending")
	for _, email := range []string{"nobody@example.com", "bob@example.com"} {
		want(t, email, ask(email), 202, "pending")
	}
	s.messages()
	for _, wait := range []string{"60", "1"} {
		refused := ask("Alice@example.com")
		want(t, "alice", refused, 429, wait+" second")
		if refused.Header.Get("Retry-After") != wait {
			t.Errorf("Retry-After %q, want %s", refused.Header.Get("Retry-After"), wait)
		}
		same(t, "unknown", ask("nobody@example.com"), refused)
		same(t, "inactive", ask("bob@example.com"), refused)
		s.now.turn(59 * time.Second)
	}
	if sent := s.told(); sent != "" {
		t.Errorf("wrote %q", sent)
	}
	want(t, "the first code", s.confirmCode(pending, s.sentCode("alice")), 200, "access")
	s.now.turn(-58 * time.Second)
	want(t, "after 60 seconds", ask("alice@example.com"), 202, "pending")
}

// Of concurrent requests for an address one sends a code, on both databases.
func TestTokenCodeOneRequest(t *testing.T) {
	race := func(t *testing.T, s *site) {
		alice := &record.Account{Username: "alice", Email: "alice@example.com", Password: "!", IsActive: true, DateJoined: s.now.Now()}
		if err := s.db.Accounts().Create(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		for _, email := range []string{"alice@example.com", "nobody@example.com"} {
			var sent atomic.Int64
			var all sync.WaitGroup
			for range 4 { // fewer than EmailLimit
				all.Go(func() {
					if s.ask("POST", "/api/token/code/", object("email", email)).Status == 202 {
						sent.Add(1)
					}
				})
			}
			if all.Wait(); sent.Load() != 1 {
				t.Errorf("%s: %d were accepted", email, sent.Load())
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { race(t, siteOn(t, sqlitetest.File(t), store.Schema{}, codesOn)) })
	t.Run("postgresql", func(t *testing.T) {
		db, err := postgres.Open(context.WithoutCancel(t.Context()), pgtest.Database(t), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		race(t, siteAt(t, db, codesOn))
	})
}
