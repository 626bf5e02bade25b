package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/wait"
)

// begin runs serve at an address without waiting until it is ready.
func begin(t *testing.T, database string, args ...string) (base string, s *server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	address := freeport.Address(t)
	s = &server{base: "http://" + address, stop: stop, status: make(chan int, 1)}
	args = append([]string{"serve", "--addr", address, "--database", database}, args...)
	go func() {
		s.status <- run(ctx, args, append([]string{"SECRET_KEY=" + goodSecret}, program.Limits...), strings.NewReader(""), &s.stdout, &s.stderr)
	}()
	t.Cleanup(stop)
	wait.Until(t, "serve accepts connections", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil || len(s.status) > 0
	})
	return s.base, s
}

// probe returns the status and the body of a path.
func probe(t *testing.T, base, path string) (int, string) {
	t.Helper()
	return ask(t, http.DefaultClient, "GET", base+path, "")
}

// Requests that arrive during a usual start are held and then handled; probes and,
// after two seconds, every request are answered meanwhile.
func TestRequestsDuringTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		path  string
		after time.Duration // until the server is ready
		want  int
	}{
		"held":                    {"/api/token/", time.Second, http.StatusTeapot},
		"held until the end":      {"/prefix/livezz", startupHold - 1, http.StatusTeapot},
		"a long start":            {"/api/token/", startupHold + 1, http.StatusServiceUnavailable},
		"a probe, alive":          {"/prefix/livez", time.Second, http.StatusOK},
		"a probe, not yet ready":  {"/prefix/readyz", time.Second, http.StatusServiceUnavailable},
		"a request when it began": {"/prefix/readyz", 0, http.StatusTeapot},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStartup("/prefix")
				w := httptest.NewRecorder()
				ready := func() {
					s.finish(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
				}
				if c.after == 0 {
					ready()
				} else {
					time.AfterFunc(c.after, ready)
				}
				s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", c.path, nil))
				if w.Code != c.want {
					t.Errorf("status %d, want %d", w.Code, c.want)
				}
				time.Sleep(2 * startupHold)
			})
		})
	}
}

// A node that waits for the database, or for another node that migrates it,
// responds from the first moment, says why it is not ready, and starts when it
// can.
func TestWaitingNodeResponds(t *testing.T) {
	for name, c := range map[string]struct {
		reason  string
		prevent func(t *testing.T, cluster *pgtest.Cluster, dsn string) (end func())
	}{
		"database": {"waiting for the database", func(t *testing.T, cluster *pgtest.Cluster, _ string) func() {
			cluster.Stop(t)
			return func() { cluster.Resume(t) }
		}},
		"migration": {"waiting for another node that migrates the database", func(t *testing.T, _ *pgtest.Cluster, dsn string) func() {
			db, err := sql.Open("pgx", dsn)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("SELECT pg_advisory_xact_lock(x'6a6f7467617465'::bigint)"); err != nil {
				t.Fatal(err)
			}
			return func() { _ = tx.Rollback(); db.Close() }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := pgtest.Start(t, pgtest.Options{})
			dsn := cluster.Database(t)
			end := c.prevent(t, cluster, dsn)
			base, s := begin(t, dsn, "--startup-timeout", "10m")
			wait.Until(t, "the reason is known", func() bool {
				status, body := probe(t, base, "/readyz")
				if status != 503 {
					t.Fatalf("/readyz of a node that waits: %d %s", status, body)
				}
				return strings.Contains(body, `"reason":"`+c.reason+`"`)
			})
			if status, body := probe(t, base, "/livez"); status != 200 || body != "ok\n" {
				t.Errorf("/livez: %d %s", status, body)
			}
			if status, _ := probe(t, base, "/api/token/"); status != 503 {
				t.Errorf("an endpoint: %d", status)
			}
			end()
			wait.Until(t, "the node is ready", func() bool { status, _ := probe(t, base, "/readyz"); return status == 200 })
			if status := s.end(t); status != statusDone {
				t.Errorf("status %d: %s", status, s.stderr.String())
			}
		})
	}
}

// What a node waits for is logged, and the wait has an end; a node that waits
// can be stopped.
func TestWaitHasAnEnd(t *testing.T) {
	dead := "postgres://nobody@" + freeport.Address(t) + "/none?sslmode=disable"
	_, s := begin(t, dead, "--startup-timeout", "10ms")
	if status := wait.For(t, "serve gives up", s.status); status != statusRefused || !strings.Contains(s.stderr.String(), "cannot be used now") {
		t.Errorf("status %d: %s", status, s.stderr.String())
	}
	_, s = begin(t, dead, "--startup-timeout", "10m")
	wait.Until(t, "the wait is logged", func() bool { return strings.Contains(s.stderr.String(), "waiting for the database") })
	if status := s.end(t); status != statusDone {
		t.Errorf("status %d: %s", status, s.stderr.String())
	}
}

// Readiness follows the ability to write, and says why it is missing.
func TestReadinessFollowsWrites(t *testing.T) {
	cluster := pgtest.Start(t, pgtest.Options{})
	dsn := cluster.Database(t)
	base, _ := begin(t, dsn)
	becomes := func(want int, reason string) {
		t.Helper()
		wait.Until(t, fmt.Sprintf("/readyz is %d %s", want, reason), func() bool {
			status, body := probe(t, base, "/readyz")
			return status == want && strings.Contains(body, reason)
		})
	}
	set := func(statement string) {
		t.Helper()
		db, err := sql.Open("pgx", dsn+"&default_transaction_read_only=off")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	becomes(200, "ok")
	set("ALTER SYSTEM SET default_transaction_read_only = on")
	set("SELECT pg_reload_conf()")
	becomes(503, `"reason":"the database is read-only"`)
	set("ALTER SYSTEM RESET default_transaction_read_only")
	set("SELECT pg_reload_conf()")
	becomes(200, "ok")
	cluster.Stop(t)
	becomes(503, `"reason":"the database cannot be reached"`)
	cluster.Resume(t)
	becomes(200, "ok")
	set("ALTER TABLE jotgate_epoch RENAME TO elsewhere")
	becomes(503, `"reason":"a table is missing"`)
	if status, _ := probe(t, base, "/livez"); status != 200 {
		t.Errorf("/livez: %d", status)
	}
}
