package jotgate_test

// What nodes seal and date while their clocks differ.

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A login that waits for its second step and a trusted browser end with all sessions,
// and those that come after it do not, whichever node's clock is ahead.
func TestSealedWhateverTheClocks(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		with := func(s *jotgate.Settings) { s.TrustedBrowser = 14 * 24 * time.Hour }
		for i, skew := range []time.Duration{0, 5 * time.Second, -5 * time.Second, 3 * time.Minute, -3 * time.Minute} {
			sealer, ender := gateOn(t, db, with), gateOn(t, db, with)
			sealer.clock.Advance(skew)
			name := fmt.Sprint("alice", i)
			alice := sealer.user(t, name, nil)
			phone, _ := sealer.enrol(t, alice)
			trusted := func() string {
				t.Helper()
				sealer.clock.Advance(time.Minute)
				state, err := sealer.Logins().Continue(t.Context(), sealer.pending(t, name), jotgate.TOTP(phone.at(t, sealer.clock.Now())), jotgate.Client{})
				if err != nil || state.TrustedBrowser == "" {
					t.Fatalf("%v: %+v, %v", skew, state, err)
				}
				return state.TrustedBrowser
			}
			sealer.clock.Advance(-time.Minute)
			ender.clock.Advance(time.Minute) // as enrol has advanced the other one
			for round := range 3 {
				browser, pending := trusted(), sealer.pending(t, name)
				if round == 1 {
					ender.clock.Advance(-time.Hour) // it steps back between two endings
				}
				if err := ender.Sessions().EndAll(t.Context(), alice.ID, "", jotgate.Client{}); err != nil {
					t.Fatal(err)
				}
				client := jotgate.Client{TrustedBrowser: browser}
				if state, err := ender.Logins().Begin(t.Context(), jotgate.Password(name, password), client); err != nil || state.Next != jotgate.StepSecond {
					t.Errorf("sealed %v ahead, round %d: a browser trusted before leads to %q, %v", skew, round, state.Next, err)
				}
				sealer.clock.Advance(time.Minute)
				if _, err := sealer.Logins().Continue(t.Context(), pending, jotgate.TOTP(phone.at(t, sealer.clock.Now())), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
					t.Errorf("sealed %v ahead, round %d: a login from before goes on: %v", skew, round, err)
				}
			}
			client := jotgate.Client{TrustedBrowser: trusted()}
			if state, err := sealer.Logins().Begin(t.Context(), jotgate.Password(name, password), client); err != nil || state.Next != jotgate.StepDone {
				t.Errorf("sealed %v ahead: a browser trusted afterwards leads to %q, %v", skew, state.Next, err)
			}
		}
	})
}

// skewedNode is a node on the database at dsn whose clock differs from the database's.
func skewedNode(t *testing.T, dsn string, skew time.Duration) *jotgate.Gate {
	t.Helper()
	now := func() time.Time { return time.Now().Add(skew) }
	o := postgrestest.Options
	o.Now = now
	db, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: fast(t), Now: now, Claims: []string{"groups"}}, db)
	if err != nil {
		t.Fatal(err)
	}
	if err := gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	return gate
}

// A right that one node removes closes what another has issued, and a user whose tokens
// all end keeps none of Django's, although the clock of the first is behind the
// database's or that of the second ahead.
func TestRevocationsWhateverTheClocks(t *testing.T) {
	dsn := pgtest.Database(t)
	exact := skewedNode(t, dsn, 0)
	for i, skew := range []struct{ issuer, remover time.Duration }{
		{0, 0}, {10 * time.Second, 0}, {0, -10 * time.Second}, {10 * time.Second, -10 * time.Second}, {-10 * time.Second, 10 * time.Second},
	} {
		issuer, remover := skewedNode(t, dsn, skew.issuer), skewedNode(t, dsn, skew.remover)
		encoded, err := exact.Accounts().MakePassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		a := &record.Account{Username: fmt.Sprint("clerk", i), Password: encoded, IsActive: true, IsStaff: true, DateJoined: time.Now().Add(-time.Hour)}
		if err := issuer.Store().Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		tokens, err := issuer.Login(t.Context(), a.Username, password, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exact.VerifyAccess(tokens.Access); err != nil {
			t.Fatalf("%+v: before: %v", skew, err)
		}
		if err := remover.Store().Accounts().Change(t.Context(), a.ID, record.Change{IsStaff: new(false), At: remover.Settings().Now()}); err != nil {
			t.Fatal(err)
		}
		django := foreign(t, a, "access", time.Now().Truncate(time.Second), time.Now().Add(time.Hour))
		refresh := foreign(t, a, "refresh", time.Now().Truncate(time.Second), time.Now().Add(time.Hour))
		for _, node := range []*jotgate.Gate{exact, issuer, remover} {
			if err := node.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := node.VerifyAccess(tokens.Access); err == nil {
				t.Errorf("%+v: the token of a right that was removed opens a node", skew)
			}
		}
		if err := remover.Sessions().EndAll(t.Context(), a.ID, "", jotgate.Client{}); err != nil {
			t.Fatal(err)
		}
		for _, node := range []*jotgate.Gate{exact, issuer, remover} {
			if err := node.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := node.VerifyAccess(django); err == nil {
				t.Errorf("%+v: Django's access token from before opens a node", skew)
			}
			if _, err := node.Refresh(t.Context(), refresh, jotgate.Client{}); err == nil {
				t.Errorf("%+v: Django's refresh token from before is adopted", skew)
			}
		}
		eventually(t, func() bool {
			again, err := exact.Login(t.Context(), a.Username, password, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = exact.VerifyAccess(again.Access)
			return err == nil
		})
	}
}

// A user who must have a second factor now, and began a session without one, needs one at
// the next refresh and the next page, whatever changed: the account, its groups, the
// settings or the grace period.
func TestSessionsBelowTheDemandedLevel(t *testing.T) {
	staff := func(s *jotgate.Settings) { s.RequireMFA = jotgate.MFAStaff }
	for name, c := range map[string]struct {
		settings func(*jotgate.Settings)
		happens  func(t *testing.T, b *bench, a *record.Account)
		goesOn   bool
	}{
		"promoted to staff": {staff, func(t *testing.T, b *bench, a *record.Account) { promote(t, b, a, record.Change{IsStaff: new(true)}) }, false},
		"promoted to superuser": {staff, func(t *testing.T, b *bench, a *record.Account) {
			promote(t, b, a, record.Change{IsSuperuser: new(true)})
		}, false},
		"added to a group": {func(s *jotgate.Settings) { s.RequireMFAGroups = []string{"finance"} }, func(t *testing.T, b *bench, a *record.Account) {
			if _, err := b.db.Groups().Create(t.Context(), "finance"); err != nil {
				t.Fatal(err)
			}
			if err := b.db.Groups().AddMember(t.Context(), a.ID, "finance"); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the grace period is over": {func(s *jotgate.Settings) { s.RequireMFA, s.MFAGrace = jotgate.MFAAll, 10*time.Minute }, func(_ *testing.T, b *bench, _ *record.Account) {
			b.clock.Advance(11 * time.Minute)
		}, false},
		"in the grace period": {func(s *jotgate.Settings) { s.RequireMFA, s.MFAGrace = jotgate.MFAStaff, time.Hour }, func(t *testing.T, b *bench, a *record.Account) {
			promote(t, b, a, record.Change{IsStaff: new(true)})
		}, true},
		"promoted with a factor": {staff, func(t *testing.T, b *bench, a *record.Account) {
			b.enrol(t, a)
			promote(t, b, a, record.Change{IsStaff: new(true)})
		}, true},
		"promoted without a policy": {func(*jotgate.Settings) {}, func(t *testing.T, b *bench, a *record.Account) {
			promote(t, b, a, record.Change{IsStaff: new(true)})
		}, true},
		"nothing": {staff, func(*testing.T, *bench, *record.Account) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a refresh waits until the second of a revocation is over
			b := newGate(t, c.settings)
			alice := b.user(t, "alice", nil)
			tokens := b.login(t, "alice")
			page, err := b.Sessions().Pages().Begin(t.Context(), jotgate.Password("alice", password), jotgate.PageLogin{}, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			c.happens(t, b, alice)
			b.clock.Advance(6 * time.Minute)
			_, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
			if c.goesOn != (err == nil) || err != nil && !errors.Is(err, jotgate.ErrTokenBlacklisted) {
				t.Errorf("refresh: %v", err)
			}
			_, err = b.Sessions().Pages().Open(t.Context(), page.Page.Cookie)
			if c.goesOn != (err == nil) || err != nil && !errors.Is(err, jotgate.ErrNotAuthenticated) {
				t.Errorf("page: %v", err)
			}
			django := foreign(t, alice, "refresh", b.clock.Now(), b.clock.Now().Add(time.Hour))
			if name == "promoted with a factor" {
				return // never adopted
			}
			if _, err := b.Refresh(t.Context(), django, jotgate.Client{}); c.goesOn != (err == nil) {
				t.Errorf("a token of Django: %v", err)
			}
		})
	}
}

func promote(t *testing.T, b *bench, a *record.Account, change record.Change) {
	t.Helper()
	change.At = b.clock.Now()
	if err := b.db.Accounts().Change(t.Context(), a.ID, change); err != nil {
		t.Fatal(err)
	}
}

// A code that an application got before all sessions of the user ended logs in no more.
func TestAppCodeEndsWithSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		now := noon
		gate, alice := appSite(t, db, func() time.Time { return now })
		ps := gate.Logins().Providers()
		for _, c := range []struct {
			name string
			end  func() error
			want error
		}{
			{"nothing", func() error { return nil }, nil},
			{"log out everywhere", func() error { return gate.Sessions().EndAll(t.Context(), alice.ID, "", jotgate.Client{}) }, jotgate.ErrLoginNotValid},
			{"deactivated and activated", func() error {
				return errors.Join(db.Accounts().Change(t.Context(), alice.ID, record.Change{IsActive: new(false), At: now}),
					db.Accounts().Change(t.Context(), alice.ID, record.Change{IsActive: new(true), At: now}))
			}, jotgate.ErrLoginNotValid},
			{"a username", func() error {
				return db.Accounts().Change(t.Context(), alice.ID, record.Change{Username: new("alice2"), At: now})
			}, jotgate.ErrLoginNotValid},
			{"nothing again", func() error { return nil }, nil},
		} {
			code := appCode(t, ps)
			if err := c.end(); err != nil {
				t.Fatal(err)
			}
			l, err := ps.Exchange(t.Context(), code, appVerifier, appURI, jotgate.Client{})
			if err == nil {
				_, err = gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{})
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}
