// Package pgtest gives a test a real PostgreSQL that is nobody else's: a cluster in a temporary folder, made
// with initdb, on a free port of 127.0.0.1, run by an unprivileged user.
//
// Most tests want an empty database and nothing more:
//
//	dsn := pgtest.Database(t) // postgres://…, dropped when t ends
//
// All of a test process share one cluster, started by the first call (about a second) and gone with the process,
// however that ends. A test that stops, crashes or restarts the server starts one of its own:
//
//	cluster := pgtest.Start(t, pgtest.Options{Durable: true})
//	dsn := cluster.Database(t)
//	cluster.Kill(t)
//	cluster.Resume(t)
//
// Where PostgreSQL is not installed the test fails and says how to install it: nothing is skipped in silence.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const superuser = "jotgate"

// Options of a cluster. The zero value is the fast one.
type Options struct {
	// Durable keeps fsync on, as in production: needed where a test kills the server and asks what survived.
	// It makes every commit wait for the disk.
	Durable bool
}

// Cluster is one PostgreSQL server with its own files and port. Its methods may be called concurrently, except
// that Stop, Kill, Resume and Restart are for one goroutine at a time.
type Cluster struct {
	folder   string // holds data/, log and the socket; removed at the end
	password string
	port     int
	programs programs
	guard    *guard
	running  atomic.Bool
	made     atomic.Int64 // databases so far, for their names
}

// shared is the cluster of the whole test process, see Database.
var shared struct {
	sync.Mutex
	cluster *Cluster
}

// Database makes an empty database in the cluster that the test process shares, drops it when tb ends, and
// returns its address, a postgres:// URL.
func Database(tb testing.TB) string {
	tb.Helper()
	return sharedCluster(tb).Database(tb)
}

func sharedCluster(tb testing.TB) *Cluster {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		shared.cluster = start(tb, Options{})
	}
	return shared.cluster
}

// Start starts a cluster for tb alone and takes it away when tb ends.
func Start(tb testing.TB, options Options) *Cluster {
	tb.Helper()
	c := start(tb, options)
	tb.Cleanup(func() { c.remove(tb) })
	return c
}

func start(tb testing.TB, options Options) *Cluster {
	tb.Helper()
	programs, err := findPrograms()
	if err != nil {
		tb.Fatal(err)
	}
	c := &Cluster{password: rand.Text(), programs: programs}
	if c.folder, err = programs.tempFolder(); err != nil {
		tb.Fatal(err)
	}
	if c.guard, err = programs.startGuard(c.folder); err != nil {
		tb.Fatal(err)
	}
	if err := c.initialise(options); err != nil {
		tb.Fatal(err)
	}
	if err := c.findPortAndRun(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Database makes an empty database, drops it when tb ends, and returns its address.
func (c *Cluster) Database(tb testing.TB) string {
	tb.Helper()
	name := "test_" + strconv.FormatInt(c.made.Add(1), 10)
	if err := c.exec("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if !c.running.Load() {
			return
		}
		if err := c.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return c.dsn(name)
}

// Stop ends every connection and shuts the server down in good order ("fast").
func (c *Cluster) Stop(tb testing.TB) { tb.Helper(); c.stop(tb, "fast") }

// Kill ends the server at once, as a crash does ("immediate"): the next Resume has to recover from the log.
func (c *Cluster) Kill(tb testing.TB) { tb.Helper(); c.stop(tb, "immediate") }

// Resume starts a stopped server again, on the same port with the same data.
func (c *Cluster) Resume(tb testing.TB) {
	tb.Helper()
	if err := c.run(); err != nil {
		tb.Fatal(err)
	}
}

// Restart is Stop and Resume.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	c.Stop(tb)
	c.Resume(tb)
}

// Socket is the folder of the server's Unix socket, for clients that take one as their host.
func (c *Cluster) Socket() string { return c.folder }

// Address is the host and port the server listens on.
func (c *Cluster) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

func (c *Cluster) dsn(database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     c.Address(),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// exec runs one statement on a connection of its own.
func (c *Cluster) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.dsn("postgres"))
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func (c *Cluster) stop(tb testing.TB, mode string) {
	tb.Helper()
	c.running.Store(false)
	if err := c.control("stop", "-m", mode); err != nil {
		tb.Fatal(err)
	}
}

// remove leaves nothing behind, also after a failed test.
func (c *Cluster) remove(tb testing.TB) {
	tb.Helper()
	if c.running.Swap(false) {
		if err := c.control("stop", "-m", "immediate"); err != nil {
			tb.Error(err)
		}
	}
	if err := c.guard.release(); err != nil {
		tb.Errorf("pgtest: removing %s: %v", c.folder, err)
	}
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }
