package jotgate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// The first key of a new database signs from the first token on, so that a Guard
// with the published keys accepts it.
func TestFirstKeySignsImmediately(t *testing.T) {
	for name, start := range map[string]func(*bench, context.Context) error{
		"Sync":       func(b *bench, ctx context.Context) error { return b.Sync(ctx) },
		"RotateKeys": func(b *bench, ctx context.Context) error { return b.Keys().Rotate(ctx) },
		"a key that was added and not switched to": func(b *bench, ctx context.Context) error {
			_, err := b.Keys().Add(ctx, jwt.ES256)
			return errors.Join(err, b.Keys().Rotate(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, func(s *jotgate.Settings) { s.KeyRotation = 30 * 24 * time.Hour })
			b.user(t, "alice", nil)
			if err := start(b, t.Context()); err != nil {
				t.Fatal(err)
			}
			keys, err := jwt.NewKeySet(b.Keys().Public()...)
			if err != nil {
				t.Fatal(err)
			}
			guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: keys, Now: b.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := guard.VerifyAccess(b.login(t, "alice").Access); err != nil {
				t.Errorf("the first token: %v", err)
			}
			if all, err := b.Keys().List(t.Context()); err != nil || len(all) != 1 || all[0].State != record.KeyCurrent {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

// Nodes that start at the same moment agree on one current key.
func TestFirstKeyOnManyNodes(t *testing.T) {
	schedule := func(s *jotgate.Settings) { s.KeyRotation = 30 * 24 * time.Hour }
	b := newGate(t, schedule)
	var all sync.WaitGroup
	for range 4 {
		node := gateOn(t, b.db, func(s *jotgate.Settings) { schedule(s); s.Now = b.clock.Now })
		all.Go(func() {
			if err := node.Sync(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, err := b.Keys().List(t.Context())
	current := 0
	for _, key := range keys {
		if key.State == record.KeyCurrent {
			current++
		}
	}
	if err != nil || current != 1 {
		t.Errorf("%d current keys of %d, %v", current, len(keys), err)
	}
}

// Without a schedule no key is created, and a published key of the settings
// is not replaced: verifiers may have a copy of the set without the new one.
func TestFirstKeyThatWaits(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*jotgate.Settings)
		keys   int
	}{
		"no schedule":        {nil, 0},
		"an own signing key": {func(s *jotgate.Settings) { jotgatetest.ES256(s); s.KeyRotation = time.Hour }, 1},
		"a published other key": {func(s *jotgate.Settings) {
			jotgatetest.ES256(s)
			s.VerifyingKeys, s.SigningKey = []*jwt.Key{s.SigningKey}, nil
			s.KeyRotation = time.Hour
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, row.change)
			if err := b.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			keys, err := b.Keys().List(t.Context())
			if err != nil || len(keys) != row.keys || row.keys == 1 && keys[0].State != record.KeyNext {
				t.Errorf("%+v, %v", keys, err)
			}
		})
	}
}

func TestWarnsIfRunIsNotStarted(t *testing.T) {
	for name, row := range map[string]struct {
		rotation time.Duration
		start    func(*bench)
		after    time.Duration
		warned   bool
	}{
		"not started":            {time.Hour, func(*bench) {}, time.Minute, true},
		"synced only":            {time.Hour, func(b *bench) { _ = b.Sync(t.Context()) }, time.Minute, true},
		"just made":              {time.Hour, func(*bench) {}, time.Minute - time.Second, false},
		"nothing to do":          {0, func(*bench) {}, time.Hour, false},
		"rotated by the program": {time.Hour, func(b *bench) { _ = b.Keys().Rotate(t.Context()) }, time.Minute, false},
		"started": {time.Hour, func(b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = b.Run(ctx)
		}, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			var said capture.Output
			b := newGate(t, func(s *jotgate.Settings) {
				s.KeyRotation, s.Logger = row.rotation, slog.New(slog.NewTextHandler(&said, nil))
			})
			b.user(t, "alice", nil)
			row.start(b)
			b.clock.Advance(row.after)
			b.login(t, "alice")
			b.login(t, "alice")
			if got := strings.Count(said.String(), "Gate.Run was not started"); (got == 1) != row.warned || got > 1 {
				t.Errorf("warned %d times: %s", got, said.String())
			}
		})
	}
}
