package jotgate

// Deleting expired rows.

import (
	"context"
	"errors"
	"time"

	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
)

const (
	purgeBatch = 500                 // rows per transaction, so that other writers do not wait
	keepEnded  = 30 * 24 * time.Hour // how long an ended session stays in the session list
	// keepFailures is longer than any delay that a failed login can cause.
	keepFailures = 48 * time.Hour
)

// Purge deletes expired rows, in small batches, and returns their number: sessions and
// revocations at least 30 days after their end, events after Settings.EventRetention,
// and counters of failures after two days. It also deletes the accounts whose deletion
// is due (Accounts.DeleteLater). Run calls it regularly, and `jotgate purge` calls it
// once.
func (g *Gate) Purge(ctx context.Context) (rows int, err error) {
	now := g.now()
	// A revocation is read again at each start, for as long as a token may live.
	_, users := g.revoked.ReadBack()
	keep := max(keepEnded, users)
	type step struct {
		table string
		purge func() (int, error)
	}
	steps := []step{{"jotgate_session", func() (int, error) { return g.db.Sessions().Purge(ctx, now, now.Add(-keep), purgeBatch) }}}
	if events := g.db.Events(); events != nil {
		keep := now.Add(-g.settings.EventRetention)
		steps = append(steps, step{"jotgate_event", func() (int, error) { return events.Purge(ctx, keep, purgeBatch) }})
	}
	if failures := g.db.Failures(); failures != nil {
		keep := now.Add(-keepFailures)
		steps = append(steps, step{"jotgate_failure", func() (int, error) { return failures.Purge(ctx, keep, purgeBatch) }})
	}
	rows, err = g.purgeDeleted(ctx, now)
	if err != nil {
		return rows, err
	}
	for _, step := range steps {
		for {
			n, err := step.purge()
			rows += n
			g.settings.Metrics.Add(metrics.PurgedRows, n, step.table)
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

// purgeDeleted deletes the accounts that are due, and returns how many. An account
// to which other tables refer is reported and tried again at the next purge.
func (g *Gate) purgeDeleted(ctx context.Context, now time.Time) (deleted int, err error) {
	store, ok := g.db.(record.Deletions)
	if !ok || g.ownUsers() {
		return 0, nil
	}
	for after := record.UserID(""); ; {
		due, err := store.DueDeletions(ctx, now, after, purgeBatch)
		if err != nil || len(due) == 0 {
			return deleted, err
		}
		for _, p := range due {
			after = p.User
			done, err := g.deleteDue(ctx, store, p)
			var refused *Error
			switch {
			case errors.As(err, &refused) && refused.Status == 409:
				g.log.WarnContext(ctx, "an account is not deleted", "user_id", p.User, "cause", err)
			case err != nil:
				return deleted, err
			case done:
				deleted++
				g.settings.Metrics.Count(metrics.PurgedRows, "account")
			}
		}
	}
}

func (g *Gate) deleteDue(ctx context.Context, store record.Deletions, p record.Pending) (done bool, err error) {
	e := record.Event{Name: "delete", User: p.User, Detail: "after the time to restore it"}
	err = g.recorded(ctx, &e, Client{}, func(ctx context.Context) error {
		if done, err = store.DeleteDue(ctx, p); err == nil && !done {
			err = errNotDue
		}
		return err
	})
	if errors.Is(err, errNotDue) {
		err = nil
	}
	return done, err
}

// errNotDue says that another process has deleted the account, or it was restored.
var errNotDue = errors.New("the account is not to be deleted any more")
