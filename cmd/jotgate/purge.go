package main

// `purge`: does immediately what serve does every ten minutes.

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/store"
)

type purgeCommand struct {
	databaseFlags
	Keep time.Duration `default:"30d" placeholder:"TIME" help:"How long ended sessions and events are kept."`
}

// Help is shown below the usage line.
func (purgeCommand) Help() string {
	return `Deletes expired sessions, old events and, if SimpleJWT's token_blacklist exists,
its expired tokens, in small batches. flushexpiredtokens is an alias.

    jotgate purge`
}

// purgeBatch is how many rows one transaction deletes, so that other writers
// do not wait long.
const purgeBatch = 500

// Run deletes and prints the number of rows.
func (c *purgeCommand) Run(a *app) error {
	return c.with(a, func(db *store.Store) error {
		now := time.Now()
		keep := now.Add(-c.Keep)
		for _, kind := range []struct {
			noun   string
			delete func(context.Context) (int, error)
		}{
			{"row of sessions and tokens", func(ctx context.Context) (int, error) { return db.Sessions().Purge(ctx, now, keep, purgeBatch) }},
			{"event", func(ctx context.Context) (int, error) { return db.Events().Purge(ctx, keep, purgeBatch) }},
			{"counter of failed logins", func(ctx context.Context) (int, error) { return db.Failures().Purge(ctx, keep, purgeBatch) }},
		} {
			total := 0
			for {
				n, err := kind.delete(a.ctx)
				if err != nil {
					return err
				}
				if n == 0 {
					break
				}
				total += n
			}
			a.printf("deleted %d (%s)\n", total, kind.noun)
		}
		return nil
	})
}
