package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jotgate/jotgate/throttle/shared"
)

// The counters of rates that nodes share: the table jotgate_rate.

type rates struct{ db *Store }

var _ shared.Store = rates{}

// Rates returns the storage of package throttle/shared in the database: the counters
// that the nodes of a service share.
func Rates(s *Store) shared.Store { return rates{s} }

// rateRow is a row of jotgate_rate.
type rateRow struct{ id, window string }

func scanRate(rows rowScanner) (r rateRow, err error) {
	err = rows.Scan(&r.id, &r.window)
	return r, err
}

// rowsOf returns n rows of parameters for VALUES: ($1, $2), ($3, $4).
func rowsOf(n, columns int) string {
	var b strings.Builder
	for i := range n * columns {
		switch {
		case i%columns > 0:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("), (")
		default:
			b.WriteString("(")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String() + ")"
}

// Borrow implements shared.Store, with four statements for any number of claims.
func (rs rates) Borrow(ctx context.Context, claims []shared.Claim) ([]shared.Grant, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	ids, empty := make([]any, len(claims)), make([]any, 0, 3*len(claims))
	for i, c := range claims {
		ids[i], empty = c.Key, append(empty, c.Key, "", 0)
	}
	return act(ctx, rs.db, func(ctx context.Context, q Queryer) ([]shared.Grant, error) {
		if _, err := run(ctx, q, "INSERT INTO jotgate_rate (id, slots, expires) VALUES "+rowsOf(len(claims), 3)+" ON CONFLICT DO NOTHING", empty...); err != nil {
			return nil, err
		}
		rows, err := all(ctx, q, scanRate, "SELECT id, slots FROM jotgate_rate WHERE id IN "+rowsOf(1, len(ids))+" ORDER BY id"+rs.db.driver.lock("UPDATE"), ids...)
		if err != nil {
			return nil, err
		}
		var now int64
		if _, err := one(ctx, q, []any{&now}, "SELECT "+rs.db.driver.Clock); err != nil { // after the rows are locked
			return nil, err
		}
		windows := make(map[string]string, len(rows))
		for _, r := range rows {
			windows[r.id] = r.window
		}
		grants, changed := make([]shared.Grant, len(claims)), make([]any, 0, 3*len(claims))
		for i, c := range claims {
			window, until, grant, err := shared.Apply(windows[c.Key], c, time.UnixMicro(now))
			if err != nil {
				return nil, err
			}
			grants[i], changed = grant, append(changed, c.Key, window, until.UnixMicro())
		}
		_, err = run(ctx, q, "INSERT INTO jotgate_rate (id, slots, expires) VALUES "+rowsOf(len(claims), 3)+
			" ON CONFLICT (id) DO UPDATE SET slots = excluded.slots, expires = excluded.expires", changed...)
		return grants, err
	})
}

// Purge implements shared.Store.
func (rs rates) Purge(ctx context.Context, limit int) (int, error) {
	return act(ctx, rs.db, func(ctx context.Context, q Queryer) (int, error) {
		return run(ctx, q, "DELETE FROM jotgate_rate WHERE id IN (SELECT id FROM jotgate_rate WHERE expires < "+rs.db.driver.Clock+" LIMIT $1"+rs.db.driver.lock("UPDATE SKIP LOCKED")+")", limit)
	})
}
