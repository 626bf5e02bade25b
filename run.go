package jotgate

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// The intervals of Run.
const (
	pollEvery  = 500 * time.Millisecond // revocations: two nodes differ by less than a second
	keysEvery  = 2 * time.Second
	sweepEvery = 30 * time.Second
	purgeEvery = 10 * time.Minute
)

// watcher is a Store that reports changes of the feed (with PostgreSQL's
// LISTEN). Watch calls changed until the context ends; polling continues in
// parallel.
type watcher interface {
	Watch(ctx context.Context, changed func()) error
}

// Run keeps the gate synchronized with the database until the context ends, and returns
// the context's error: it reads the revocations and keys that other nodes have written,
// rotates keys and deletes expired rows. Without it the gate works, but knows only its
// own changes.
func (g *Gate) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	g.runs.Store(true)
	if g.RevocationAge() > pollEvery { // otherwise Sync has just read them
		g.pullRevocations(ctx)
	}
	g.reloadKeys(ctx)
	g.rotateDue(ctx)
	if w, ok := g.db.(watcher); ok {
		go g.watch(ctx, w, changed)
	}
	if names := g.db.Names(); names != nil && !g.ownUsers() {
		go g.indexNames(ctx, names)
	}
	poll, keys := time.NewTicker(pollEvery), time.NewTicker(keysEvery)
	sweep, purge := time.NewTicker(sweepEvery), time.NewTicker(purgeEvery)
	defer poll.Stop()
	defer keys.Stop()
	defer sweep.Stop()
	defer purge.Stop()
	for {
		select {
		case <-ctx.Done():
			g.flushEvents(context.WithoutCancel(ctx), true)
			return ctx.Err()
		case <-changed:
			g.pullRevocations(ctx)
			g.reloadKeys(ctx)
		case <-poll.C:
			g.pullRevocations(ctx)
		case <-keys.C:
			g.reloadKeys(ctx)
		case <-sweep.C:
			g.revoked.Sweep(g.now())
			g.flushEvents(ctx, false)
			g.rotateDue(ctx)
		case <-purge.C:
			if _, err := g.Purge(ctx); err != nil {
				g.log.WarnContext(ctx, "expired rows were not deleted", "cause", err)
			}
		}
	}
}

// watch waits for changes of the feed, and starts again after each failure.
func (g *Gate) watch(ctx context.Context, w watcher, changed chan<- struct{}) {
	for ctx.Err() == nil {
		err := w.Watch(ctx, func() {
			select {
			case changed <- struct{}{}:
			default: // one is waiting already
			}
		})
		if ctx.Err() == nil {
			g.log.WarnContext(ctx, "listening for revocations stopped, polling continues", "cause", err)
			pause(ctx, time.Second)
		}
	}
}

// indexNames looks for usernames that jotgate did not write.
func (g *Gate) indexNames(ctx context.Context, names record.Names) {
	for ; ctx.Err() == nil; pause(ctx, purgeEvery) {
		if err := names.Index(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "usernames were not indexed", "cause", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// rotateDue is Keys.Rotate for Run, which tries again later.
func (g *Gate) rotateDue(ctx context.Context) {
	if err := g.Keys().Rotate(ctx); err != nil && ctx.Err() == nil {
		g.log.WarnContext(ctx, "keys were not rotated", "cause", err)
	}
}

// warnIdle logs a warning once, at a login or a refresh, if
// Settings.KeyRotation has no effect because neither Run nor Keys.Rotate was
// called.
func (g *Gate) warnIdle(ctx context.Context) {
	if g.settings.KeyRotation > 0 && !g.runs.Load() && g.now().Sub(g.made) >= idleTime && g.runs.CompareAndSwap(false, true) {
		g.log.WarnContext(ctx, "KeyRotation is set but Gate.Run was not started: keys do not rotate, revocations of other nodes are not read, expired rows are not deleted")
	}
}

// Sync reads once what Run reads regularly: the revocations and the signing keys. With
// Settings.KeyRotation it also creates the first key of a new database. Call it before
// the first request: a process that has just started would otherwise accept tokens that
// were revoked before. Errors: ErrUnavailable, or an error that names a key that cannot
// be decrypted.
func (g *Gate) Sync(ctx context.Context) error {
	if err := g.readRevocations(ctx); err != nil {
		return err
	}
	if err := g.readKeys(ctx); err != nil || g.settings.KeyRotation <= 0 || len(g.keys.Stored()) > 0 {
		return err
	}
	runs := g.runs.Load()
	defer g.runs.Store(runs) // this was not Run
	return g.Keys().Rotate(ctx)
}

// pullRevocations reads the new revocations from the feed. If that fails, it
// logs a warning and the gate keeps those that it has.
func (g *Gate) pullRevocations(ctx context.Context) {
	if err := g.readRevocations(ctx); err != nil {
		g.log.WarnContext(ctx, "revocations could not be read", "cause", err, "age", g.RevocationAge())
	}
}

func (g *Gate) readRevocations(ctx context.Context) error {
	began := g.now()
	if g.revoked.Age(began) < 0 {
		// The clock was set back: what Sweep dropped may be needed again.
		g.revoked.Rewind()
	}
	cursor := g.revoked.Cursor()
	keep, _ := g.revoked.ReadBack()
	for more := true; more; {
		page, err := g.db.Revocations().List(ctx, cursor, began, keep)
		if err != nil {
			return err
		}
		g.setLead(page.Clock)
		g.revoked.AddPage(page)
		cursor, more = page.Next, page.More
	}
	g.revoked.SetComplete(began)
	return nil
}

// The clock of this node may be ahead of the database's by up to maxLead, and by at
// least minLead to count.
const minLead, maxLead = 100 * time.Millisecond, time.Minute

// setLead compares the clocks; there is the database's, which was read just now.
func (g *Gate) setLead(there time.Time) {
	lead := g.now().Sub(there)
	if lead < minLead || lead > min(maxLead, g.settings.AccessTokenLifetime/2) {
		lead = 0
	}
	g.lead.Store(int64(lead))
}

// dated returns the time that a token has as its iat if it is issued for what was
// read at t: by the clock of the database, if that of this node is ahead. Otherwise
// another node could remove a right and revoke the tokens that were issued before,
// but not those that this node has dated later.
func (g *Guard) dated(t time.Time) time.Time { return t.Add(-time.Duration(g.lead.Load())) }

func (g *Gate) revocationsStale() bool { return g.RevocationAge() > g.settings.RevocationMaxAge }
