//go:build !race

// The same calls of the same code run under the race detector in TestStore.

package postgres_test

import (
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/storetest"
)

// The contract holds on a hostile engine.
func TestHostileEngine(t *testing.T) {
	p := refuse(t)
	storetest.Run(t, func(t *testing.T) record.Store { return postgrestest.OpenAt(t, hostileMigrated(t, p)) })
}

// Everything works through PgBouncer in transaction mode with nothing but its
// address, also if it gives all clients two connections in turn.
func TestStoreThroughPgBouncer(t *testing.T) {
	empty := pgtest.Database(t)
	bouncer := pgtest.Bounce(t, empty, "transaction", 2)
	postgrestest.OpenAt(t, bouncer.DSN(empty)) // migrates
	storetest.Run(t, func(t *testing.T) record.Store { return postgrestest.OpenAt(t, bouncer.DSN(postgrestest.Database(t))) })
}
