package jotgate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// A schedule runs over three months on two nodes; at every step every token
// that has not expired is valid, and old keys do not accumulate.
func TestRotationSchedule(t *testing.T) {
	schedule := func(s *jotgate.Settings) {
		s.KeyRotation, s.KeyAlgorithm, s.SessionLifetime = 30*24*time.Hour, jwt.EdDSA, -1
	}
	b := newGate(t, schedule)
	other := gateOn(t, b.db, func(s *jotgate.Settings) {
		schedule(s)
		s.Now = b.clock.Now
	})
	b.user(t, "alice", nil)
	living := b.login(t, "alice")
	var seen []string
	for step := range 100 * 4 {
		b.clock.Advance(6 * time.Hour)
		for _, node := range []*bench{b, other} {
			if err := node.Keys().Rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		keys, err := b.Keys().List(t.Context())
		if err != nil || len(keys) > 3 {
			t.Fatalf("step %d: %d keys, %v", step, len(keys), err)
		}
		for _, key := range keys {
			if key.State == record.KeyCurrent && !slices.Contains(seen, key.ID) {
				seen = append(seen, key.ID)
			}
		}
		if living, err = b.Refresh(t.Context(), living.Refresh, jotgate.Client{}); err != nil {
			t.Fatalf("step %d: a living session was refused: %v", step, err)
		}
	}
	if len(seen) < 3 || len(seen) > 5 {
		t.Errorf("%d keys have signed in 100 days", len(seen))
	}
}

// A new key signs only after it has been published long enough, if another public
// key was published before it.
func TestNextKeyWaits(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) {
		jotgatetest.ES256(s)
		s.KeyRotation = 24 * time.Hour
	})
	state := func() (state record.KeyState) {
		if err := b.Keys().Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys, err := b.Keys().List(t.Context())
		if err != nil || len(keys) != 1 {
			t.Fatalf("%+v %v", keys, err)
		}
		return keys[0].State
	}
	if got := state(); got != record.KeyNext {
		t.Errorf("at first: %s", got)
	}
	b.clock.Advance(jotgate.KeyPublishTime - time.Second)
	if got := state(); got != record.KeyNext {
		t.Errorf("a second too early: %s", got)
	}
	b.clock.Advance(time.Second)
	if state(); state() != record.KeyCurrent {
		t.Errorf("in time: %s", state())
	}
}

// A key that was published early waits until the current one is due.
func TestEarlyKeyWaits(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.KeyRotation, s.KeyAlgorithm = 24*time.Hour, jwt.EdDSA })
	current := func() (id string) {
		if err := b.Keys().Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys, err := b.Keys().List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if key.State == record.KeyCurrent {
				id = key.ID
			}
		}
		return id
	}
	first := current() // the first one signs immediately
	early, err := b.Keys().Add(t.Context(), jwt.EdDSA)
	if err != nil || first == "" {
		t.Fatal(first, err)
	}
	b.clock.Advance(24*time.Hour - time.Second)
	if got := current(); got != first {
		t.Errorf("%s signs a second too early", got)
	}
	b.clock.Advance(time.Second)
	if got := current(); got != early.ID {
		t.Errorf("%s signs when %s is due", got, early.ID)
	}
}

// A retired key is deleted an hour and the leeway after the last refresh
// token that it can have signed; all such keys are deleted in one call, and
// no other key is.
func TestRetiredKeysStay(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.RefreshTokenLifetime, s.Leeway = 48*time.Hour, time.Minute })
	var ids []string
	for range 4 {
		key, err := b.Keys().Add(t.Context(), jwt.EdDSA)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, key.ID)
		b.clock.Advance(time.Second)
	}
	if err := b.Keys().Switch(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[1:3] {
		if err := b.Keys().Retire(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		later time.Duration
		left  int
	}{{49*time.Hour + time.Minute - time.Second, 4}, {time.Second, 2}, {1000 * time.Hour, 2}} {
		b.clock.Advance(c.later)
		if err := b.Keys().Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if keys, err := b.Keys().List(t.Context()); err != nil || len(keys) != c.left {
			t.Errorf("%d keys are left, %v, want %d", len(keys), err, c.left)
		}
	}
}

// Counters of failures are kept for two days.
func TestFailuresAreKept(t *testing.T) {
	b := newGate(t, nil)
	if err := b.db.Failures().Add(t.Context(), []string{"x"}, noon, noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		later time.Duration
		left  int
	}{{48*time.Hour - time.Second, 1}, {2 * time.Second, 0}} {
		b.clock.Advance(c.later)
		if _, err := b.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := b.db.Failures().Find(t.Context(), []string{"x"}); err != nil || len(got) != c.left {
			t.Errorf("%v later: %v, %v", c.later, got, err)
		}
	}
}
