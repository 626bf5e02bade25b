package faults

// PostgreSQL itself restarts, or is killed, under the load of two nodes.

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
)

func TestPostgres(t *testing.T) {
	for name, lose := range map[string]func(*pgtest.Cluster, *testing.T){
		"restart": func(c *pgtest.Cluster, t *testing.T) { c.Stop(t) },
		"kill":    func(c *pgtest.Cluster, t *testing.T) { c.Kill(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := pgtest.Start(t, pgtest.Options{Durable: true})
			database := cluster.Database(t)
			l := newLoad(t, node(t, database).URL, node(t, database).URL)
			l.start()
			for range int(either(1, 10)) {
				time.Sleep(time.Second)
				lose(cluster, t)
				time.Sleep(time.Second)
				cluster.Resume(t)
				t.Logf("recovered after %v", l.recoversWithin(recovered).Round(time.Millisecond))
			}
			if all, _ := l.troubles(); all == 0 {
				t.Error("nobody noticed that PostgreSQL was away")
			}
			l.end()
			l.verify()
		})
	}
}
