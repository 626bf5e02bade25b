package jotgate

// Deleting expired rows.

import (
	"context"
	"time"
)

const (
	purgeBatch = 500                 // rows per transaction, so that other writers do not wait
	keepEnded  = 30 * 24 * time.Hour // how long an ended session stays in the session list
	// keepFailures is longer than any delay that a failed login can cause.
	keepFailures = 48 * time.Hour
)

// Purge deletes expired rows, in small batches, and returns how many:
// sessions and revocations, events after Settings.EventRetention, counters of
// failures after two days. Run calls it regularly; `jotgate purge` calls it
// immediately.
func (g *Gate) Purge(ctx context.Context) (rows int, err error) {
	now := g.now()
	// A revocation is read again at each start, for as long as a token may live.
	_, users := g.revoked.ReadBack()
	keep := max(keepEnded, users)
	steps := []func() (int, error){
		func() (int, error) { return g.db.Sessions().Purge(ctx, now, now.Add(-keep), purgeBatch) },
	}
	if events := g.db.Events(); events != nil {
		keep := now.Add(-g.settings.EventRetention)
		steps = append(steps, func() (int, error) { return events.Purge(ctx, keep, purgeBatch) })
	}
	if failures := g.db.Failures(); failures != nil {
		keep := now.Add(-keepFailures)
		steps = append(steps, func() (int, error) { return failures.Purge(ctx, keep, purgeBatch) })
	}
	for _, step := range steps {
		for {
			n, err := step()
			rows += n
			if err != nil {
				return rows, err
			}
			if n == 0 {
				break
			}
		}
	}
	return rows, nil
}
