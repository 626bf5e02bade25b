// Package shared applies one rate to all nodes of a service together, by counting
// requests in the database that the nodes share.
//
// Create a Counter with [New], call [Counter.Run] in a goroutine, and pass the
// Counter to the HTTP layer:
//
//	counter := shared.New(store.Rates(db), shared.Options{Logger: logger})
//	go counter.Run(ctx)
//	handler, err := api.New(gate, api.Settings{SharedRates: counter})
//
// A program with its own HTTP layer calls [Counter.Allow] for each request that a
// [throttle.Limiter] of the same rate accepts. The Counter does not replace that
// limiter: while the database does not respond, the limiter alone decides, and each
// node accepts at most the rate.
//
// # How exact it is
//
// A node may accept a sixtieth of a rate before it reports to the database. Thus with
// a rate of 60/min and two nodes, at most 62 requests are accepted in any minute.
// A node reports four times a second, and immediately if a request has to wait for the
// decision. One report has the requests of many keys. A key that has reached its rate
// is rejected from memory, without a query, until some of its requests have expired.
package shared

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/jotgate/jotgate/throttle"
)

// Claim is the report of a node about one key, and its request for more.
type Claim struct {
	Key  string        // 32 hexadecimal digits: a digest of the key, its scope and its rate
	Rate throttle.Rate // the rate of the key
	Made int           // number of requests that the node has accepted since its last report
	Want int           // number of requests that wait for the decision
}

// Grant is the response to a Claim.
type Grant struct {
	Granted int           // how many of the requests in Claim.Want are accepted
	Wait    time.Duration // until another request can be accepted; 0: one can be accepted now
}

// Store keeps the counters that nodes share. Its methods may be called concurrently.
// store.Rates returns that of a database; only a program that keeps its data elsewhere
// implements one.
type Store interface {
	// Borrow calls Apply for each claim, in one transaction, and returns a Grant for
	// each, in the same order. No two claims have the same key. Claims of several
	// nodes for one key take effect one after another, and the time passed to Apply
	// is that of one clock for all nodes, such as the database's.
	Borrow(ctx context.Context, claims []Claim) ([]Grant, error)
	// Purge deletes at most limit keys whose requests have all expired, and returns
	// how many it deleted.
	Purge(ctx context.Context, limit int) (int, error)
}

// Options configure a Counter. The zero value has the defaults.
type Options struct {
	// Timeout is how long a request waits for the database. After that it is accepted,
	// since the node's own limiter has accepted it. Default: 500 milliseconds.
	Timeout time.Duration
	// Logger receives a warning when the database stops responding. Default:
	// slog.Default().
	Logger *slog.Logger
}

const (
	reportEvery = 250 * time.Millisecond
	purgeEvery  = time.Minute
	maxKeys     = 100_000 // in memory; further ones are counted by the node alone
	batch       = 200     // keys of a transaction
	outage      = time.Second
)

// Counter counts the requests of all nodes. Create one with New. It accepts every
// request while Run is not running. It is safe for concurrent use.
type Counter struct {
	store   Store
	timeout time.Duration
	log     *slog.Logger
	wake    chan struct{}

	mu      sync.Mutex
	running bool
	failing bool      // the last request to the Store failed
	down    time.Time // no request waits until then
	keys    map[string]*entry
	changed []string // the keys of which something is to be reported
}

// entry is what a node knows of a key.
type entry struct {
	rate      throttle.Rate
	made      int // accepted, not reported
	reporting int // accepted, being reported
	waiting   []chan time.Duration
	refused   time.Time // no request is accepted until then
	changed   bool      // it is in Counter.changed
}

// New returns a Counter that keeps its counts in the Store.
func New(store Store, o Options) *Counter {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Counter{
		store: store, timeout: cmp.Or(o.Timeout, 500*time.Millisecond), log: o.Logger,
		wake: make(chan struct{}, 1), keys: map[string]*entry{},
	}
}

// keyOf names a key of a scope and a rate in the Store, which does not learn the key.
func keyOf(scope, key string, rate throttle.Rate) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + rate.String() + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

// Refused returns how long to wait until a request of the key can be accepted, as far
// as this node knows without a query; zero if it may be accepted now. It counts
// nothing: call it before the node's own limiter, so that a request that will be
// rejected does not count there.
func (c *Counter) Refused(scope, key string, rate throttle.Rate) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.keys[keyOf(scope, key, rate)]; e != nil {
		return max(0, time.Until(e.refused))
	}
	return 0
}

// Allow counts a request and returns zero, or rejects it and returns how long to wait
// until the next one can be accepted. Call it only for a request that the node's own
// limiter accepts. scope separates the keys of different purposes, such as "login". It
// may wait for the database, for at most Options.Timeout.
func (c *Counter) Allow(scope, key string, rate throttle.Rate) time.Duration {
	answer, wait := c.begin(keyOf(scope, key, rate), rate)
	if answer == nil {
		return wait
	}
	c.wakeUp()
	late := time.NewTimer(c.timeout)
	defer late.Stop()
	select {
	case wait := <-answer:
		return wait
	case <-late.C:
		return 0
	}
}

// wakeUp makes Run report.
func (c *Counter) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default: // it will
	}
}

// begin decides from memory, or returns the channel of the decision.
func (c *Counter) begin(id string, rate throttle.Rate) (answer chan time.Duration, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(id, rate)
	if e == nil {
		return nil, 0
	}
	now := time.Now()
	switch {
	case now.Before(e.refused):
		return nil, e.refused.Sub(now)
	case len(e.waiting) == 0 && e.made+e.reporting < ahead(rate), now.Before(c.down):
		e.made++
		c.change(id, e)
		return nil, 0
	}
	answer = make(chan time.Duration, 1)
	e.waiting = append(e.waiting, answer)
	c.change(id, e)
	return answer, 0
}

// change notes that something of a key is to be reported. The caller holds the lock.
func (c *Counter) change(id string, e *entry) {
	if !e.changed {
		e.changed, c.changed = true, append(c.changed, id)
	}
}

// entry returns the entry of a key, or nil if it is not to be counted. The caller holds
// the lock.
func (c *Counter) entry(id string, rate throttle.Rate) *entry {
	e := c.keys[id]
	if !c.running || e == nil && len(c.keys) >= maxKeys {
		return nil
	}
	if e == nil {
		e = &entry{rate: rate}
		c.keys[id] = e
	}
	return e
}

// Run reports the node's requests to the Store until the context ends, and returns
// the context's error.
func (c *Counter) Run(ctx context.Context) error {
	c.setRunning(true)
	defer c.setRunning(false)
	report, purge := time.NewTicker(reportEvery), time.NewTicker(purgeEvery)
	defer report.Stop()
	defer purge.Stop()
	for {
		select {
		case <-ctx.Done():
			c.report(context.WithoutCancel(ctx))
			return ctx.Err()
		case <-c.wake:
		case <-report.C:
		case <-purge.C:
			c.forget()
			if _, err := c.store.Purge(ctx, 1000); err != nil && ctx.Err() == nil {
				c.log.WarnContext(ctx, "counters of rates were not deleted", "cause", err)
			}
		}
		c.report(ctx)
	}
}

func (c *Counter) setRunning(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = is
}

// claimed is a claim and the requests that wait for it.
type claimed struct {
	Claim
	entry   *entry
	waiting []chan time.Duration
}

// report sends what is not reported yet, and decides what waits.
func (c *Counter) report(ctx context.Context) {
	list := c.take()
	// In one order, so that nodes do not wait for each other's rows in a circle.
	sort.Slice(list, func(i, j int) bool { return list[i].Key < list[j].Key })
	for part := range slices.Chunk(list, batch) {
		grants, err := c.store.Borrow(ctx, claimsOf(part))
		c.note(ctx, err)
		c.settle(part, grants, err)
	}
}

func claimsOf(part []claimed) []Claim {
	claims := make([]Claim, len(part))
	for i := range part {
		claims[i] = part[i].Claim
	}
	return claims
}

// note notes whether the Store responds.
func (c *Counter) note(ctx context.Context, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !c.failing {
		c.log.WarnContext(ctx, "rates are counted by this node alone: the shared counters cannot be reached", "cause", err)
	}
	c.down = time.Time{}
	if c.failing = err != nil; c.failing {
		c.down = time.Now().Add(outage)
	}
}

// take removes what is to be reported.
func (c *Counter) take() (list []claimed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.changed {
		e := c.keys[id]
		list = append(list, claimed{Claim{id, e.rate, e.made, len(e.waiting)}, e, e.waiting})
		e.made, e.reporting, e.waiting, e.changed = 0, e.made, nil, false
	}
	c.changed = nil
	return list
}

// forget removes the keys of which nothing is to be known.
func (c *Counter) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.keys, func(_ string, e *entry) bool {
		return !e.changed && e.reporting == 0 && !time.Now().Before(e.refused)
	})
}

// settle applies the response to claims.
func (c *Counter) settle(part []claimed, grants []Grant, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range part {
		if err != nil {
			part[i].fail()
			c.change(part[i].Key, part[i].entry)
		} else {
			part[i].settle(grants[i])
		}
	}
}

// fail accepts every request that waits, and reports all with the next claim.
func (p *claimed) fail() {
	e := p.entry
	e.made, e.reporting = min(e.made+p.Made+p.Want, e.rate.Count), 0
	p.respond(0)
}

// settle accepts as many requests as are granted, and refuses the others.
func (p *claimed) settle(g Grant) {
	rest := *p
	p.waiting, rest.waiting = p.waiting[:g.Granted], p.waiting[g.Granted:]
	p.entry.reporting = 0
	if g.Wait > 0 {
		p.entry.refused = time.Now().Add(g.Wait)
	}
	p.respond(0)
	rest.respond(g.Wait)
}

// respond responds to the requests that wait.
func (p *claimed) respond(wait time.Duration) {
	for _, answer := range p.waiting {
		answer <- wait
	}
}
