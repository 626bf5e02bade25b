package jotgate_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Codes of every second from one minute before to one minute after the login are
// accepted exactly in the documented window: the current step, and the previous
// one for TOTPGrace after its end. Each is accepted once.
func TestWindowOfCodes(t *testing.T) {
	for _, c := range []struct {
		setting, grace time.Duration
	}{{0, 15 * time.Second}, {-1, 0}, {30 * time.Second, 30 * time.Second}, {time.Hour, 30 * time.Second}} {
		t.Run(c.setting.String(), func(t *testing.T) {
			secret := totp.NewSecret()
			for _, second := range []int{0, 1, 14, 15, 16, 29} { // of the current step
				now := noon.Add(time.Duration(second) * time.Second)
				for offset := -60; offset <= 60; offset++ {
					code, err := totp.Code(secret, totp.Step(now.Add(time.Duration(offset)*time.Second)))
					if err != nil {
						t.Fatal(err)
					}
					at := second + offset // of the code's moment, in the current step if 0 to 29
					want := at >= 0 && at < 30 || at >= -30 && at < 0 && time.Duration(second)*time.Second < c.grace
					step, ok := totp.Match(secret, code, now, c.grace, 0)
					if ok != want {
						t.Errorf("second %d, code of %+d s: accepted %v", second, offset, ok)
					}
					if ok {
						if _, twice := totp.Match(secret, code, now, c.grace, step); twice {
							t.Errorf("second %d, code of %+d s: accepted twice", second, offset)
						}
					}
				}
			}
			b := newGate(t, func(s *jotgate.Settings) { s.TOTPGrace = c.setting })
			if got := b.Settings().TOTPGrace; got != c.grace {
				t.Errorf("TOTPGrace %v means %v, want %v", c.setting, got, c.grace)
			}
		})
	}
}

// The same through a whole login, in steps of one second, for the default.
func TestWindowOfCodesAtLogin(t *testing.T) {
	b := newGate(t, nil)
	phone, _ := b.enrol(t, b.user(t, "alice", nil))
	accepted := 0
	for offset := -60; offset <= 60; offset++ {
		b.clock.Advance(15 * time.Minute) // no delay, a new step
		at := b.clock.Now().Add(time.Duration(offset) * time.Second)
		_, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, at)), jotgate.Client{})
		b.clock.Advance(time.Second)
		second := int(b.clock.Now().Unix()-1) % 30
		want := second+offset >= 0 && second+offset < 30 || second < 15 && second+offset >= -30 && second+offset < 0
		if got := err == nil; got != want || err != nil && !errors.Is(err, jotgate.ErrCodeNotValid) {
			t.Errorf("second %d, code of %+d s: %v", second, offset, err)
		}
		if err == nil {
			accepted++
			if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, at)), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
				t.Errorf("code of %+d s again: %v", offset, err)
			}
		}
	}
	if accepted == 0 {
		t.Error("no code was accepted")
	}
}

// 200 wrong codes from 50 networks: at most 20 are compared within 15 minutes.
// The e-mail is written once, and the owner's passkey is still accepted, by itself and as
// the second factor.
func TestWrongCodesAreLimited(t *testing.T) {
	b := newGate(t, withPasskeys)
	alice := b.user(t, "alice", nil)
	b.enrol(t, alice)
	k := newSoftKey(alice.ID)
	b.addPasskey(t, alice, k)
	compared, slowed := 0, 0
	pending := b.pending(t, "alice")
	for i := range 200 {
		client := jotgate.Client{Address: fmt.Sprintf("192.0.2.%d", i%50)}
		proof := jotgate.TOTP(fmt.Sprintf("%06d", i))
		if i%3 == 0 {
			proof = jotgate.RecoveryCode(fmt.Sprintf("%d-ABCDE-%05d", i%10, i))
		}
		_, err := b.Logins().Continue(t.Context(), pending, proof, client)
		switch {
		case errors.Is(err, jotgate.ErrCodeNotValid):
			compared++
		case errors.Is(err, jotgate.ErrLoginNotValid): // ten of one pending login
			pending = b.pending(t, "alice")
		case jotgate.AsError(err).Status == 429 && jotgate.AsError(err).RetryAfter > 0:
			slowed++
		default:
			t.Fatalf("%d: %v", i, err)
		}
		b.clock.Advance(4500 * time.Millisecond) // 200 in 15 minutes
	}
	t.Logf("%d compared, %d rejected without a comparison", compared, slowed)
	if compared > 20 || compared < 10 {
		t.Errorf("%d codes were compared in 15 minutes", compared)
	}
	for name, pending := range map[string]string{"alone": "", "as the second factor": b.pending(t, "alice")} {
		c := b.beginPasskey(t, pending)
		if state, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(k.get(t, c)), jotgate.Client{}); err != nil || state.Next != jotgate.StepDone {
			t.Errorf("the owner's passkey %s: %+v, %v", name, state, err)
		}
	}
	messages, err := b.db.Outbox().Due(t.Context(), b.clock.Now(), 100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range messages {
		if l.Kind == record.MessageWrongCodes {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d e-mails about wrong codes", n)
	}
}

// After 100 wrong codes in a row a kind rests until another factor is used.
func TestFactorRests(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	phone, codes := b.enrol(t, alice)
	for range 100 {
		if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP("000000"), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
			t.Fatal(err)
		}
		b.clock.Advance(16 * time.Minute)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Errorf("the right code after 100 wrong ones: %v", err)
	}
	if _, err := b.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(100 * 24 * time.Hour)
	if _, err := b.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Errorf("the right code after 100 days: %v", err)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.RecoveryCode(codes[9]), jotgate.Client{}); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	b.clock.Advance(time.Minute)
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{}); err != nil {
		t.Errorf("the right code after another factor: %v", err)
	}
}

// factorNodes returns gates that share a database: one process on SQLite, two nodes on
// PostgreSQL.
func factorNodes(t *testing.T) map[string][]*bench {
	t.Helper()
	all := map[string][]*bench{}
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "race.db"), sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	all["sqlite"] = []*bench{gateOn(t, file, nil)}
	dsn := postgrestest.Database(t)
	for range 2 {
		db, err := postgres.Open(t.Context(), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		b := gateOn(t, db, nil)
		if n := len(all["postgres"]); n > 0 {
			b.clock = all["postgres"][0].clock
			b.Gate, err = jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: fast(t), Now: b.clock.Now}, db)
			if err != nil {
				t.Fatal(err)
			}
		}
		all["postgres"] = append(all["postgres"], b)
	}
	return all
}

// One code, one recovery code and one pending login, each presented eight times
// concurrently: one of them wins, on any node.
func TestOneWinnerOfFactors(t *testing.T) {
	for name, nodes := range factorNodes(t) {
		t.Run(name, func(t *testing.T) {
			b := nodes[0]
			alice := b.user(t, "alice", nil)
			phone, _ := b.enrol(t, alice)
			for round := range rounds.Of(3, 200) {
				b.clock.Advance(20 * time.Minute)
				codes, err := b.Factors().NewRecoveryCodes(t.Context(), alice, jotgate.Client{})
				if err != nil {
					t.Fatal(err)
				}
				code := phone.at(t, b.clock.Now())
				one := func(what string, proof func(i int) (string, jotgate.Proof)) {
					before := b.sessions(t, alice)
					var won atomic.Int32
					var group sync.WaitGroup
					for i := range 8 {
						pending, p := proof(i)
						group.Go(func() {
							_, err := nodes[i%len(nodes)].Logins().Continue(t.Context(), pending, p, jotgate.Client{})
							if err == nil {
								won.Add(1)
							} else if e := jotgate.AsError(err); e.Status != 401 && e.Status != 429 {
								t.Errorf("%s: %v", what, err)
							}
						})
					}
					group.Wait()
					if n, after := won.Load(), b.sessions(t, alice); n != 1 || after != before+1 {
						t.Errorf("%s, round %d: %d winners, %d new sessions", what, round, n, after-before)
					}
					b.clock.Advance(20 * time.Minute)
				}
				one("a code", func(int) (string, jotgate.Proof) { return b.pending(t, "alice"), jotgate.TOTP(code) })
				one("a recovery code", func(int) (string, jotgate.Proof) {
					return b.pending(t, "alice"), jotgate.RecoveryCode(codes[0])
				})
				pending, next := b.pending(t, "alice"), phone.at(t, b.clock.Now())
				one("a pending login", func(i int) (string, jotgate.Proof) {
					if i%2 == 0 {
						return pending, jotgate.RecoveryCode(codes[9])
					}
					return pending, jotgate.TOTP(next)
				})
			}
		})
	}
}
