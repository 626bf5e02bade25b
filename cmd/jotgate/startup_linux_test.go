package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// A database server that hangs does not hang the probes: /readyz says after its limit
// what is missing, for all that ask meanwhile, and is ready again afterwards without
// a restart.
func TestReadinessOfAServerThatHangs(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	base, _ := begin(t, cluster.Database(t))
	becomes := func(want int, reason string) {
		t.Helper()
		wait.Until(t, fmt.Sprintf("/readyz is %d %s", want, reason), func() bool {
			status, body := probe(t, base, "/readyz")
			return status == want && strings.Contains(body, reason)
		})
	}
	becomes(200, "ok")
	thaw := cluster.Freeze(t)
	becomes(503, `"reason":"the database did not respond in time"`)
	var probes sync.WaitGroup
	for range 20 {
		probes.Go(func() {
			if status, body := probe(t, base, "/readyz"); status != 503 || !strings.Contains(body, "reason") {
				t.Errorf("/readyz: %d %s", status, body)
			}
		})
	}
	for _, path := range []string{"/livez", "/.well-known/jwks.json", "/account/login"} {
		if status, body := probe(t, base, path); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	probes.Wait()
	thaw()
	becomes(200, "ok")
}
