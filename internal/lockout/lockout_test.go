package lockout

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// bare is a store that keeps no failures.
type bare struct{ record.Store }

func (bare) Failures() record.Failures { return nil }
func (bare) Events() record.Events     { return nil }
func (bare) Keys() record.Keys         { return nil }
func (bare) Factors() record.Factors   { return nil }
func (bare) Accounts() record.Accounts { return noAccounts{} }

type noAccounts struct{ record.Accounts }

func (noAccounts) ByLogin(context.Context, string) (*record.Account, error) {
	return nil, jotgate.ErrNotFound
}

func newLockout(t *testing.T) (*Lockout, *time.Time) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	gate, err := jotgate.New(jotgate.Settings{SecretKey: "a-secret-of-more-than-thirty-two-bytes", Now: func() time.Time { return now }}, bare{})
	if err != nil {
		t.Fatal(err)
	}
	return New(gate, throttle.Lockout{}), &now
}

func try(t *testing.T, l *Lockout, login, network string, outcome error) (admitted bool, err error) {
	t.Helper()
	_, err = l.Try(t.Context(), login, network, func() (record.UserID, error) {
		admitted = true
		return "1", outcome
	})
	return admitted, err
}

// A store without counters has them in memory: five tries, then a wait that
// doubles; a success forgets them.
func TestTry(t *testing.T) {
	l, now := newLockout(t)
	wrong := error(jotgate.ErrNoActiveAccount)
	for i := range 5 {
		if admitted, err := try(t, l, "alice", "192.0.2.1", wrong); !admitted || !errors.Is(err, wrong) {
			t.Fatalf("try %d: %v %v", i, admitted, err)
		}
	}
	admitted, err := try(t, l, " ALICE", "192.0.2.1", nil)
	if e := jotgate.AsError(err); admitted || e.Status != 429 || e.Detail != "Request was throttled. Expected available in 1 second." {
		t.Errorf("the sixth: %v %v", admitted, err)
	}
	for _, other := range [][2]string{{"carol", "192.0.2.1"}, {"alice", "192.0.2.2"}} {
		if admitted, err := try(t, l, other[0], other[1], nil); !admitted || err != nil {
			t.Errorf("%v: %v %v", other, admitted, err)
		}
	}
	*now = now.Add(time.Second)
	if admitted, err := try(t, l, "alice", "192.0.2.1", nil); !admitted || err != nil {
		t.Errorf("after the wait: %v %v", admitted, err)
	}
	for i := range 5 {
		if admitted, _ := try(t, l, "alice", "192.0.2.1", wrong); !admitted {
			t.Fatalf("after a success, try %d is not admitted", i)
		}
	}
}

// What is no answer about the password does not count.
func TestOnlyWrongPasswordsCount(t *testing.T) {
	l, _ := newLockout(t)
	for range 20 {
		if admitted, err := try(t, l, "alice", "192.0.2.1", jotgate.ErrBusy); !admitted || !errors.Is(err, jotgate.ErrBusy) {
			t.Fatalf("%v %v", admitted, err)
		}
	}
}

// Tries that are under way count as failures until they have ended.
func TestTriesUnderWayCount(t *testing.T) {
	l, _ := newLockout(t)
	hashing, done := make(chan bool), make(chan bool)
	ended := make(chan error, 5)
	for range 5 {
		go func() {
			_, err := l.Try(context.Background(), "alice", "192.0.2.1", func() (record.UserID, error) {
				hashing <- true
				<-done
				return "1", nil
			})
			ended <- err
		}()
	}
	for range 5 {
		<-hashing
	}
	if admitted, err := try(t, l, "alice", "192.0.2.1", nil); admitted {
		t.Errorf("a sixth at the same moment is admitted: %v", err)
	}
	close(done)
	for range 5 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if admitted, err := try(t, l, "alice", "192.0.2.1", nil); !admitted {
		t.Errorf("after they ended well: %v", err)
	}
	for i := range l.shards {
		if n := len(l.shards[i].trying); n != 0 {
			t.Errorf("%d tries are still under way", n)
		}
	}
}

// A stranger's share in an account's counter is bounded.
func TestOneClientCannotSlowOthers(t *testing.T) {
	l, now := newLockout(t)
	for range 200 {
		_, _ = try(t, l, "alice", "203.0.113.1", jotgate.ErrNoActiveAccount)
		*now = now.Add(20 * time.Minute)
	}
	if admitted, err := try(t, l, "alice", "198.51.100.1", nil); !admitted {
		t.Error(err)
	}
	for i := range 30 {
		for range 5 {
			_, _ = try(t, l, "bob", fmt.Sprintf("203.0.113.%d", i), jotgate.ErrNoActiveAccount)
		}
	}
	if admitted, _ := try(t, l, "bob", "198.51.100.1", nil); admitted {
		t.Error("guesses from thirty networks slow nobody")
	}
}

// A login forgives what was counted against its own account from its network,
// however often it is repeated, and nothing of an account whose name folds alike.
func TestSimilarNamesForgiveTheirOwn(t *testing.T) {
	for _, similar := range []string{"Boss", "BOSS", "\uff42oss", " boss"} {
		l, _ := newLockout(t)
		admitted := 0
		for range 20 {
			for range 4 {
				if ok, _ := try(t, l, "boss", "192.0.2.1", jotgate.ErrNoActiveAccount); ok {
					admitted++
				}
			}
			for range 3 {
				_, _ = try(t, l, similar, "192.0.2.1", nil)
			}
		}
		if admitted != 5 {
			t.Errorf("with logins of %q between them, %d guesses are admitted, want 5", similar, admitted)
		}
	}
}

// Failures and logins of a similar name, in turn, do not slow the owner elsewhere.
func TestATwinCannotSlowTheOwner(t *testing.T) {
	l, now := newLockout(t)
	for range 200 {
		for range 4 {
			_, _ = try(t, l, "Boss", "203.0.113.1", jotgate.ErrNoActiveAccount)
		}
		if ok, err := try(t, l, "Boss", "203.0.113.1", nil); !ok {
			t.Fatal(err)
		}
		*now = now.Add(time.Second)
	}
	if ok, err := try(t, l, "boss", "198.51.100.1", nil); !ok {
		t.Errorf("the owner, from a network of its own: %v", err)
	}
}

// The account that logs in has its own failures forgiven although a similar name failed, too.
func TestForgivenBesideATwin(t *testing.T) {
	l, _ := newLockout(t)
	for range 2 {
		_, _ = try(t, l, "Boss", "192.0.2.1", jotgate.ErrNoActiveAccount)
	}
	for range 30 { // one slip and one login at a time never add up
		_, _ = try(t, l, "boss", "192.0.2.1", jotgate.ErrNoActiveAccount)
		if ok, err := try(t, l, "boss", "192.0.2.1", nil); !ok {
			t.Fatal(err)
		}
	}
}
