package store_test

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// rated is a node with a limiter of its own before the shared counter, as package web
// has them, under load: its clients send requests until one is rejected, and go on as the
// next client address.
type rated struct {
	*shared.Counter
	limiter *throttle.Limiter
	client  atomic.Int64 // the number of the current address
	mu      sync.Mutex
	passed  map[int64]int // by address
}

// ofAWindow is 60 requests in a time in which none expires while the test runs: all
// requests of a client are in one window, on a machine of any speed.
var ofAWindow = throttle.Rate{Count: 60, Period: 24 * time.Hour}

func (n *rated) request(client int64) bool {
	key := strconv.FormatInt(client, 10)
	if n.Refused("login", key, ofAWindow) > 0 {
		return false
	}
	if _, ok := n.limiter.Allow(key); !ok {
		return false
	}
	if n.Allow("login", key, ofAWindow) > 0 {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.passed[client]++
	return true
}

func (n *rated) of(client int64) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.passed[client]
}

// load sends requests until the address last is done.
func (n *rated) load(last *atomic.Int64) {
	for client := n.client.Load(); client <= last.Load(); client = n.client.Load() {
		if !n.request(client) {
			n.client.CompareAndSwap(client, client+1)
		}
	}
}

// usesDatabase waits until the node counts in the database.
func (n *rated) usesDatabase(t *testing.T, key string) {
	t.Helper()
	wait.Until(t, "a node counts in the database", func() bool {
		return n.Allow("x", key, throttle.Rate{Period: time.Hour}) > 0 // a rate of 0 rejects all
	})
}

// Two nodes accept at most 63 of a rate of 60 together. When PostgreSQL is killed under
// load, each of them accepts 60 of a client, and never more; when it runs again, both
// together do.
func TestSharedRatesWithoutPostgres(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	open := func() shared.Store { return store.Rates(openPostgres(t, dsn)) }
	ratesInAnOutage(t, open, shared.Options{Timeout: wait.Limit, Logger: slog.New(slog.DiscardHandler)},
		func() { cluster.Kill(t) }, func() { cluster.Resume(t) })
}

// ratesInAnOutage puts two nodes under load, before, during and after an outage.
func ratesInAnOutage(t *testing.T, open func() shared.Store, options shared.Options, begin, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running, clients sync.WaitGroup
	defer running.Wait()
	defer cancel()
	var last atomic.Int64 // the last address
	last.Store(1 << 40)
	var nodes []*rated
	for i := range 2 {
		limiter, err := throttle.NewLimiter(ofAWindow, throttle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n := &rated{Counter: shared.New(open(), options), limiter: limiter, passed: map[int64]int{}}
		running.Go(func() { _ = n.Run(ctx) })
		n.usesDatabase(t, "before "+strconv.Itoa(i))
		nodes = append(nodes, n)
	}
	load := func() {
		for _, n := range nodes {
			for range 4 {
				clients.Go(func() { n.load(&last) })
			}
		}
	}
	reached := func() int64 { return min(nodes[0].client.Load(), nodes[1].client.Load()) }
	later := func() int64 { return max(nodes[0].client.Load(), nodes[1].client.Load()) }

	load()
	wait.Until(t, "seven clients are done", func() bool { return reached() >= 7 })
	before := reached() - 2 // requests of the last ones may still wait for the database
	begin()
	outage := later() + 1 // the first client whose requests all come in the outage
	last.Store(outage + 3)
	clients.Wait()

	end()
	for i, n := range nodes {
		n.usesDatabase(t, "after "+strconv.Itoa(i))
	}
	again := last.Add(5) - 4
	load()
	clients.Wait()

	for client := range last.Load() + 1 {
		one, two := nodes[0].of(client), nodes[1].of(client)
		switch {
		case one > 60 || two > 60:
			t.Errorf("client %d: the nodes accepted %d and %d", client, one, two)
		case (client < before || client >= again) && (one+two < 60 || one+two > 63):
			t.Errorf("client %d: both nodes accepted %d, want 60 to 63", client, one+two)
		case client >= outage && client < again && (one != 60 || two != 60):
			t.Errorf("client %d: the nodes accepted %d and %d in the outage, want 60 each", client, one, two)
		}
	}
	t.Logf("%d clients before the outage, %d when it began, %d in the outage, %d after it", before, outage-before, again-outage, last.Load()+1-again)
}
