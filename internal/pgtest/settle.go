package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/internal/wait"
)

// Settle returns when nobody else is connected to the database at dsn. The server carries out what
// a client has sent, also if the client was killed before the response.
func Settle(tb testing.TB, dsn string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx)
	const others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
	wait.Until(tb, "the connections of a killed client are closed", func() bool {
		var n int
		if err := conn.QueryRow(ctx, others).Scan(&n); err != nil {
			tb.Fatal(err)
		}
		return n == 0
	})
}
