package jotgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// headerOf returns the header of a token, as JSON text.
func headerOf(t testing.TB, token string) jwt.Raw {
	t.Helper()
	header, _, err := jwt.DecodeUnverified(token)
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func TestKeyRotation(t *testing.T) {
	for _, alg := range []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256} {
		t.Run(string(alg), func(t *testing.T) {
			b := newGate(t, nil)
			b.user(t, "alice", nil)
			old := b.login(t, "alice") // HS256
			key, err := b.Keys().Add(t.Context(), alg)
			if err != nil || key.State != record.KeyNext || key.Sealed != nil {
				t.Fatalf("%+v %v", key, err)
			}
			if b.login(t, "alice"); headerOf(t, b.login(t, "alice").Access) != `{"alg":"HS256","typ":"JWT"}` {
				t.Error("the next key signs already")
			}
			if err := b.Keys().Switch(t.Context(), key.ID); err != nil {
				t.Fatal(err)
			}
			fresh := b.login(t, "alice")
			want := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, key.ID)
			if got := headerOf(t, fresh.Access); string(got) != want {
				t.Errorf("header %s, want %s", got, want)
			}
			for name, token := range map[string]string{"old": old.Access, "new": fresh.Access} {
				if _, err := b.VerifyAccess(token); err != nil {
					t.Errorf("%s token: %v", name, err)
				}
			}
			next, err := b.Refresh(t.Context(), old.Refresh, jotgate.Client{})
			if err != nil || !strings.Contains(string(headerOf(t, next.Refresh)), key.ID) {
				t.Errorf("refresh over the switch: %v", err)
			}
			if err := b.Keys().Retire(t.Context(), key.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.VerifyAccess(fresh.Access); err != nil {
				t.Errorf("a retired key must verify: %v", err)
			}
			if err := b.Keys().Delete(t.Context(), key.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.VerifyAccess(fresh.Access); err == nil {
				t.Error("a deleted key verifies")
			}
		})
	}
}

// A key that one node creates is used by another on the same database, and by
// a verifier that has only the published keys; none rejects a valid token.
func TestKeyRotationUnderLoad(t *testing.T) {
	one := newGate(t, nil)
	two := gateOn(t, one.db, func(s *jotgate.Settings) { s.Now = one.clock.Now })
	for _, b := range []*bench{one, two} {
		go func() { _ = b.Run(t.Context()) }()
	}
	one.user(t, "alice", nil)
	published := &published{gate: one.Gate}
	far, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: published, Now: one.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	first, err := one.Keys().Add(t.Context(), jwt.ES256)
	if err != nil {
		t.Fatal(err)
	}
	follow(t, two, 1)
	if err := one.Keys().Switch(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	follow(t, two, 1)
	published.refresh()

	var stop atomic.Bool
	var verified atomic.Int64
	var verifiers sync.WaitGroup
	for range 2 {
		verifiers.Go(func() {
			for !stop.Load() {
				access := one.login(t, "alice").Access
				for name, guard := range map[string]*jotgate.Guard{"one": one.Guard, "two": two.Guard, "far": far} {
					if _, err := guard.VerifyAccess(access); err != nil {
						t.Errorf("%s refused a good token: %v", name, err)
						return
					}
					verified.Add(1)
				}
			}
		})
	}
	for _, alg := range []jwt.Algorithm{jwt.EdDSA, jwt.ES256} {
		key, err := one.Keys().Add(t.Context(), alg)
		if err != nil {
			t.Error(err)
			break
		}
		published.refresh()
		followKey(t, two, key.ID)
		if err := one.Keys().Switch(t.Context(), key.ID); err != nil {
			t.Error(err)
		}
		more := verified.Load() + 100 // with the new key
		eventually(t, func() bool { return t.Failed() || verified.Load() > more })
	}
	stop.Store(true)
	verifiers.Wait()
	t.Logf("%d tokens verified", verified.Load())
}

// lateKeys is a store in which the list of keys arrives late once.
type lateKeys struct {
	*store.Store
	late          atomic.Bool
	read, arrives chan struct{}
}

func (s *lateKeys) Keys() record.Keys { return lateList{s.Store.Keys(), s} }

type lateList struct {
	record.Keys
	of *lateKeys
}

func (l lateList) List(ctx context.Context) ([]record.Key, error) {
	list, err := l.Keys.List(ctx)
	if l.of.late.CompareAndSwap(true, false) {
		close(l.of.read)
		<-l.of.arrives
	}
	return list, err
}

// A list of keys that was read before a key was deleted, and arrives after it, does not bring the
// key back.
func TestKeysThatArriveLate(t *testing.T) {
	db := &lateKeys{Store: sqlitetest.Open(t), read: make(chan struct{}), arrives: make(chan struct{})}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: fast(t), Logger: slog.New(slog.DiscardHandler)}, db)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	key, err := gate.Keys().Add(ctx, jwt.ES256)
	if err == nil {
		err = gate.Keys().Retire(ctx, key.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	db.late.Store(true)
	ended := make(chan error, 2)
	go func() { ended <- gate.Sync(ctx) }()
	wait.For(t, "the keys are read", db.read)
	go func() { ended <- gate.Keys().Delete(ctx, key.ID) }()
	wait.Until(t, "the key is deleted in the database", func() bool {
		list, err := db.Store.Keys().List(ctx)
		return err == nil && len(list) == 0
	})
	time.Sleep(50 * time.Millisecond) // for the list that was read after the deletion
	close(db.arrives)
	for range 2 {
		if err := wait.For(t, "Sync and Delete return", ended); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(gate.Keys().Public()); n != 0 {
		t.Errorf("%d keys are published after the only one was deleted", n)
	}
}

// published is the view of a verifier outside the gate: a copy of its public
// keys, fetched at intervals.
type published struct {
	gate *jotgate.Gate
	set  atomic.Pointer[jwt.KeySet]
}

func (p *published) refresh() {
	if set, err := jwt.NewKeySet(p.gate.Keys().Public()...); err == nil {
		p.set.Store(set)
	}
}

func (p *published) KeySet() *jwt.KeySet {
	return p.set.Load()
}

// follow waits until the gate has this many keys.
func follow(t *testing.T, b *bench, n int) {
	t.Helper()
	eventually(t, func() bool { return len(b.Keys().Public()) >= n })
}

func followKey(t *testing.T, b *bench, id string) {
	t.Helper()
	eventually(t, func() bool {
		for _, key := range b.Keys().Public() {
			if key.ID() == id {
				return true
			}
		}
		return false
	})
}

// eventually waits until another goroutine has made the condition true.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	wait.Until(t, "another goroutine has done its work", done)
}

// Sync reads what another node wrote, without waiting for Run.
func TestSyncReadsKeys(t *testing.T) {
	b := newGate(t, nil)
	other := gateOn(t, b.db, nil)
	key, err := other.Keys().Add(t.Context(), jwt.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := b.Keys().Public(); len(keys) != 1 || keys[0].ID() != key.ID {
		t.Errorf("%v, want the key that the other node made", keys)
	}
}

// If the keys cannot be read, the log says so and the gate keeps those that
// it has.
func TestKeysOutliveTheDatabase(t *testing.T) {
	var said capture.Output
	b := newGate(t, func(s *jotgate.Settings) { s.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
	key, err := b.Keys().Add(t.Context(), jwt.ES256)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(said.String(), "WARN") {
		t.Errorf("complains of keys that were read: %s", said.String())
	}
	b.db.Close()
	if err := b.Keys().Retire(t.Context(), key.ID); err == nil {
		t.Error("retired without a database")
	}
	if err := b.Sync(t.Context()); err == nil {
		t.Error("in step without a database")
	}
	go func() { _ = b.Run(t.Context()) }()
	eventually(t, func() bool { return strings.Contains(said.String(), "signing keys could not be read") })
	if keys := b.Keys().Public(); len(keys) != 1 || keys[0].ID() != key.ID {
		t.Errorf("%v is left", keys)
	}
}

// A key in the database cannot be opened without the secret, nor moved to
// another row, and a published key contains nothing private.
func TestKeysAreSealed(t *testing.T) {
	b := newGate(t, nil)
	key, err := b.Keys().Add(t.Context(), jwt.ES256)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := b.db.Keys().List(t.Context())
	if err != nil || len(stored) != 1 || stored[0].ID != key.ID || len(stored[0].Sealed) < 50 {
		t.Fatalf("%+v %v", stored, err)
	}
	for _, public := range b.Keys().Public() {
		text, err := json.Marshal(public)
		if err != nil || strings.Contains(string(text), `"d"`) || strings.Contains(string(text), `"k"`) {
			t.Errorf("%s %v", text, err)
		}
	}
	if n := len(b.Keys().Public()); n != 1 {
		t.Errorf("%d keys are published, the secret among them?", n)
	}
	stranger := gateOn(t, b.db, func(s *jotgate.Settings) {
		s.SecretKey = "another-secret-key-another-secret-key-another-secret-key-9876"
	})
	_ = stranger.Sync(t.Context()) // reads the keys
	if n := len(stranger.Keys().Public()); n != 0 {
		t.Error("a gate with another secret opened the key")
	}
	heir := gateOn(t, b.db, func(s *jotgate.Settings) {
		s.SecretKey, s.SecretKeyFallbacks = "another-secret-key-another-secret-key-another-secret-key-9876", []jotgate.Secret{secret}
	})
	go func() { _ = heir.Run(t.Context()) }()
	followKey(t, heir, key.ID)
}
