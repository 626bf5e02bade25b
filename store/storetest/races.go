package storetest

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/record"
)

// clients is the number of concurrent clients of a race.
const clients = 50

// raceRounds returns how often a race is run.
func raceRounds() int { return rounds.Of(12, 200) }

var racesParts = []part{
	// However many clients send one refresh token concurrently, the session
	// gets one new jti, and every client that gets a response gets that one.
	{"one winner", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		user := b.account().ID
		for round := range raceRounds() {
			session := b.session(user)
			grace := time.Duration(round%2) * 10 * time.Second
			var wg sync.WaitGroup
			var outs [clients]record.Rotated
			var errs [clients]error
			for i := range clients {
				wg.Go(func() {
					r := rotation(session)
					r.Next, r.Grace = "next"+strconv.Itoa(i)+session.ID, grace
					outs[i], errs[i] = b.Sessions().Rotate(b.ctx, r)
				})
			}
			wg.Wait()
			checkRace(b, grace > 0, outs[:], errs[:])
		}
	}},
	// Refresh, logout and deactivation run concurrently; afterwards no token
	// of the session works.
	{"refresh against logout against deactivation", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		for round := range raceRounds() {
			user := b.account().ID
			session := b.session(user)
			var wg sync.WaitGroup
			tokens := []string{session.JTI}
			wg.Go(func() {
				r := rotation(session)
				for i := range 5 { // refreshes until one is refused
					r.Next = "next" + strconv.Itoa(i) + session.ID
					if _, err := b.Sessions().Rotate(b.ctx, r); err != nil {
						break
					}
					tokens = append(tokens, r.Next)
					r.Presented = r.Next
				}
			})
			if round%3 != 0 {
				wg.Go(func() {
					_, err := b.Sessions().End(b.ctx, record.Ending{ID: session.ID, Reason: record.EndedByLogout, Now: start.Add(time.Minute)})
					if err != nil {
						t.Errorf("logout: %v", err)
					}
				})
			}
			if round%3 != 1 {
				wg.Go(func() {
					if err := b.Accounts().Change(b.ctx, user, record.Change{IsActive: new(false), At: start.Add(time.Minute)}); err != nil {
						t.Errorf("deactivation: %v", err)
					}
				})
			}
			wg.Wait()
			for _, token := range tokens {
				r := rotation(session)
				r.Presented, r.Next = token, "after"
				if _, err := b.Sessions().Rotate(b.ctx, r); err == nil {
					t.Fatalf("round %d: a token works after the session ended", round)
				}
			}
			if len(b.revoked(session.ID, "")) == 0 {
				t.Fatalf("round %d: no revocation", round)
			}
		}
	}},
	// A login concurrent with a deactivation (or a change of password) leaves
	// no live session behind.
	{"login against deactivation", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		for round := range raceRounds() {
			user := b.account().ID
			session := newSession(user)
			change := record.Change{IsActive: new(false), At: start}
			if round%2 == 0 {
				change = record.Change{Password: new("second"), EndSessions: record.EndedByPassword, At: start}
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := b.Sessions().Create(b.ctx, session, "first"); err != nil && !errors.Is(err, jotgate.ErrNotFound) {
					t.Errorf("login: %v", err)
				}
			})
			wg.Go(func() {
				if err := b.Accounts().Change(b.ctx, user, change); err != nil {
					t.Errorf("change: %v", err)
				}
			})
			wg.Wait()
			list, err := b.Sessions().List(b.ctx, user, start)
			b.must(err)
			if len(list) != 0 {
				t.Fatalf("round %d: a session outlived the change", round)
			}
		}
	}},
}

func checkRace(b *bench, grace bool, outs []record.Rotated, errs []error) {
	b.Helper()
	winners, jti := 0, ""
	for i, err := range errs {
		switch {
		case err == nil && !outs[i].Retry:
			winners++
			jti = outs[i].Session.JTI
		case err == nil && !grace:
			b.Fatal("a retry was answered without grace")
		case err != nil && (grace || !errors.Is(err, jotgate.ErrTokenReused) && !errors.Is(err, jotgate.ErrTokenBlacklisted)):
			b.Fatalf("a loser got %v", err)
		}
	}
	if winners != 1 {
		b.Fatalf("%d winners", winners)
	}
	for i := range outs {
		if errs[i] == nil && outs[i].Session.JTI != jti {
			b.Fatalf("two tokens are valid: %s and %s", jti, outs[i].Session.JTI)
		}
	}
}
