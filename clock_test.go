package jotgate_test

// Clocks that jump and clocks far in the future. A token is checked against
// the current time; revoked, used and ended tokens remain so whatever the
// clock says.

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// dead fails the test if either token of a session works.
func (b *bench) dead(t *testing.T, what string, tokens jotgate.Tokens) {
	t.Helper()
	if _, err := b.VerifyAccess(tokens.Access); err == nil {
		t.Errorf("at %v: the access token of a session that %s opens the gate", b.clock.Now(), what)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err == nil {
		t.Errorf("at %v: the refresh token of a session that %s works", b.clock.Now(), what)
	}
}

func TestClockSteps(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, nil)
		b.user(t, "alice", nil)
		out, stolen, ended, live := b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice")
		if err := b.Logout(t.Context(), out.Refresh, jotgate.Client{}); err != nil {
			t.Fatal(err)
		}
		used, err := b.Refresh(t.Context(), stolen.Refresh, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(time.Minute)
		b.dead(t, "is not ended, but whose token is used up", jotgate.Tokens{Refresh: stolen.Refresh})
		for _, step := range []time.Duration{0, time.Hour, -time.Hour, -time.Hour, 2 * time.Hour, -30 * time.Minute, 25 * time.Hour, -25 * time.Hour} {
			b.clock.Advance(step)
			b.dead(t, "was logged out", out)
			b.dead(t, "was used twice", used)
			b.dead(t, "was used twice", stolen)
			if step == 25*time.Hour { // everything has expired, and is purged
				b.dead(t, "has expired", ended)
				b.dead(t, "has expired", live)
				if _, err := b.Purge(t.Context()); err != nil {
					t.Fatal(err)
				}
				break
			}
			if _, err := b.Refresh(t.Context(), live.Refresh, jotgate.Client{}); step >= 0 && err != nil {
				t.Errorf("after a step of %v a good session is refused: %v", step, err)
			}
			again := b.login(t, "alice") // a new login works
			if _, err := b.VerifyAccess(again.Access); err != nil {
				t.Errorf("after a step of %v a new token is refused: %v", step, err)
			}
			if live, err = b.Refresh(t.Context(), again.Refresh, jotgate.Client{}); err != nil {
				t.Errorf("after a step of %v a new session is refused: %v", step, err)
			}
		}
	})
}

// A clock that was set forward makes the gate drop its revocations. When it
// is set back, the tokens of that time are valid again by their times, and
// must still be rejected.
func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqlitetest.Open(t)
		b := gateOn(t, db, nil)
		b.user(t, "alice", nil)
		out, other := b.login(t, "alice"), b.login(t, "alice")
		for _, tokens := range []jotgate.Tokens{out, other} { // only the later one is in the overlap of the feed
			if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Minute)
		}
		live := b.login(t, "alice")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		for _, step := range []time.Duration{time.Hour, -time.Hour, time.Hour, -time.Hour} {
			b.clock.Advance(step)
			time.Sleep(2 * time.Minute) // Run has swept and purged
			if _, err := b.VerifyAccess(out.Access); err == nil {
				t.Errorf("after a step of %v a token that was logged out opens the gate", step)
			}
			if _, err := b.VerifyAccess(live.Access); (err == nil) != (step < 0) {
				t.Errorf("after a step of %v a good token: %v", step, err)
			}
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// Years in which counters of seconds overflow: 2038 with 31 bits, 2106 with
// 32, and 9999, the last year in the databases' own times.
func TestClockFarAhead(t *testing.T) {
	for _, year := range []time.Time{
		time.Date(2038, 1, 19, 3, 13, 0, 0, time.UTC),
		time.Date(2106, 2, 7, 6, 27, 0, 0, time.UTC),
		time.Date(9999, 12, 30, 23, 58, 0, 0, time.UTC),
	} {
		t.Run(year.Format("2006-01-02"), func(t *testing.T) {
			onBoth(t, func(t *testing.T, db *store.Store) {
				b := gateOn(t, db, func(s *jotgate.Settings) { s.UpdateLastLogin = true })
				b.forward(year)
				farAhead(t, b)
			})
		})
	}
}

// forward sets the clock; a Duration holds 292 years.
func (b *bench) forward(to time.Time) {
	for b.clock.Now().Before(to) {
		b.clock.Advance(min(to.Sub(b.clock.Now()), 200*365*24*time.Hour))
	}
}

// The last representable day: a token that would end in the year 10000 cannot
// be issued, so the gate rejects logins, without a panic.
func TestClockLastDay(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, nil)
		b.user(t, "alice", nil)
		b.forward(time.Date(9999, 12, 31, 23, 58, 0, 0, time.UTC))
		tokens, err := b.Login(t.Context(), "alice", password, jotgate.Client{})
		if err != nil && jotgate.AsError(err).Status >= 500 {
			t.Errorf("a login was answered %v", err)
		}
		if _, err := b.VerifyAccess(tokens.Access); !errors.Is(err, jotgate.ErrTokenInvalid) && jotgate.AsError(err).Status != 401 {
			t.Errorf("the token of the last day was answered %v", err)
		}
		b.clock.Advance(10 * time.Minute) // the year 10000
		b.dead(t, "began before the year 10000", tokens)
	})
}

func farAhead(t *testing.T, b *bench) {
	now := b.clock.Now()
	alice := b.user(t, "alice", func(a *record.Account) { a.DateJoined = now })
	tokens := b.login(t, "alice")
	for range 3 { // across the second at which the counter ends
		user, err := b.VerifyAccess(tokens.Access)
		if err != nil || user.ID != alice.ID {
			t.Fatalf("%v: %v", b.clock.Now(), err)
		}
		if tokens, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
			t.Fatalf("%v: %v", b.clock.Now(), err)
		}
		b.clock.Advance(50 * time.Second)
	}
	stored, err := b.db.Accounts().ByID(t.Context(), alice.ID)
	if err != nil || !stored.DateJoined.Equal(now) || !stored.LastLogin.Equal(now) {
		t.Errorf("the account came back with %v and %v, %v; it was %v", stored.DateJoined, stored.LastLogin, err, now)
	}
	sessions, err := b.Sessions().List(t.Context(), alice.ID)
	if err != nil || len(sessions) != 1 || !sessions[0].Created.Equal(now) || sessions[0].Expires.Before(now.Add(23*time.Hour)) {
		t.Fatalf("%+v, %v", sessions, err)
	}
	b.clock.Advance(5 * time.Minute)
	if _, err := b.VerifyAccess(tokens.Access); !errors.Is(err, jotgate.ErrTokenExpired) && err == nil {
		t.Errorf("an expired access token: %v", err)
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Error(err)
	}
	b.dead(t, "was logged out", tokens)
	b.clock.Advance(25 * time.Hour)
	b.dead(t, "was logged out", tokens)
	if _, err := b.Purge(t.Context()); err != nil {
		t.Error(err)
	}
}
