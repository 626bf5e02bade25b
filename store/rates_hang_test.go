//go:build linux

package store_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// responding counts the transactions that end.
type responding struct {
	shared.Store
	begun, ended atomic.Int64
}

func (r *responding) Borrow(ctx context.Context, claims []shared.Claim) ([]shared.Grant, error) {
	r.begun.Add(1)
	defer r.ended.Add(1)
	return r.Store.Borrow(ctx, claims)
}

// The processes of PostgreSQL hang under load: connections stay open, and nothing is
// answered. Each node accepts 60 of a client meanwhile, and never more; when PostgreSQL
// continues, both together do.
func TestSharedRatesWhilePostgresHangs(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	var thaw func()
	ratesInAnOutage(t, func() shared.Store { return store.Rates(postgrestest.OpenAsProgram(t, dsn)) }, shared.Options{Timeout: wait.Limit, Logger: slog.New(slog.DiscardHandler)},
		func() { thaw = cluster.Freeze(t) }, func() { thaw() })
}

// A request does not wait for the transaction of a PostgreSQL that hangs: it is accepted
// after shared.Options.Timeout, while the transaction is still open. TestHang in
// throttle/shared has the exact time.
func TestRequestsDoNotWaitForPostgres(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	db := &responding{Store: store.Rates(openPostgres(t, cluster.Database(t)))} // its operations do not end before the test
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	counter := shared.New(db, shared.Options{Timeout: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	go func() { ended <- counter.Run(ctx) }()
	none := throttle.Rate{Period: time.Hour} // rejects all, if the database decides
	wait.Until(t, "the database decides", func() bool { return counter.Allow("x", "before", none) > 0 })
	thaw := cluster.Freeze(t)
	wait.Until(t, "a request is accepted during a transaction that hangs", func() bool {
		done := db.ended.Load()
		return counter.Allow("x", "during", none) == 0 && db.ended.Load() == done && db.begun.Load() == done+1
	})
	thaw()
	wait.Until(t, "the database decides again", func() bool { return counter.Allow("x", "after", none) > 0 })
	cancel()
	<-ended
}
