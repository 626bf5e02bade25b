//go:build !race

// The same calls of the same code run under the race detector in TestStore.

package postgres_test

import (
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/storetest"
)

// The contract holds on a hostile engine.
func TestHostileEngine(t *testing.T) {
	p := refuse(t)
	storetest.Run(t, func(t *testing.T) record.Store { return open(t, hostile(t, p)) })
}

// Everything works through PgBouncer in transaction mode with nothing but its
// address, also if it gives all clients two connections in turn.
func TestStoreThroughPgBouncer(t *testing.T) {
	bouncer := pgtest.Bounce(t, pgtest.Database(t), "transaction", 2)
	storetest.Run(t, func(t *testing.T) record.Store { return open(t, bouncer.DSN(pgtest.Database(t))) })
}
