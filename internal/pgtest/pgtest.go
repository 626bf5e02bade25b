// Package pgtest starts a real PostgreSQL server for tests: a new cluster in a temporary folder, created with
// initdb, on a free port of 127.0.0.1, run by an unprivileged user.
//
// Most tests only need an empty database:
//
//	dsn := pgtest.Database(t) // postgres://…, dropped when t ends
//
// All tests of a process share one cluster. The first call starts it, which takes about a second, and it is removed
// when the process ends, also if it is killed. A test that stops, crashes or restarts the server starts another one:
//
//	cluster := pgtest.Start(t, pgtest.Options{Durable: true})
//	dsn := cluster.Database(t)
//	cluster.Kill(t)
//	cluster.Resume(t)
//
// If PostgreSQL is not installed, the test fails and says how to install it. It is never skipped.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/internal/wait"
)

const superuser = "jotgate"

// init removes variables such as PGSERVICE and PGOPTIONS, which the shell of a developer may have: they are defaults of
// each address.
func init() {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") {
			_ = os.Unsetenv(name)
		}
	}
}

// Options configure a cluster. The zero value is the fastest.
type Options struct {
	// Durable keeps fsync on, as in production, so that every commit waits for the disk, and the files on a disk. A
	// test that kills the server and checks what has survived needs it. Without it the files are in memory if there
	// is enough.
	Durable bool
}

// A Cluster is a PostgreSQL server with its files and its port. Its methods may be called concurrently, except Stop,
// Kill, Resume and Restart.
type Cluster struct {
	folder   string // holds data/, log and the socket; removed at the end
	password string
	port     int
	programs programs
	guard    *guard
	running  atomic.Bool
	follows  bool         // is a standby now, in which nothing can be dropped
	made     atomic.Int64 // databases so far, for their names
	strategy string       // of CREATE DATABASE

	mu        sync.Mutex
	templates map[string]string // names of databases, by what they contain

	admin admin
}

// shared is the cluster of the test process; see Database.
var shared struct {
	sync.Mutex
	cluster *Cluster
}

// Database creates an empty database in the cluster of the test process and returns its postgres:// URL. The
// database is dropped when tb ends.
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

// Start starts a cluster for one test. It is removed when tb ends.
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
	c := &Cluster{programs: programs}
	if c.folder, err = programs.tempFolder(parent(options)); err != nil {
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
	if number, _ := strconv.Atoi(c.query(tb, "SHOW server_version_num")); number >= 150_000 && !options.Durable {
		c.strategy = " STRATEGY file_copy" // without the write-ahead log: a third of the processor time
	}
	return c
}

// Database creates an empty database and returns its postgres:// URL. The database is dropped when tb ends.
func (c *Cluster) Database(tb testing.TB) string { tb.Helper(); return c.create(tb, "") }

// Copy creates a database in the cluster of the test process with the content of the given name, and returns its
// URL. The first call creates that content: fill gets the URL of an empty database, and closes its connections. A
// copy takes a tenth of the processor time of jotgate's migrations. It is dropped when tb ends.
func Copy(tb testing.TB, content string, fill func(dsn string)) string {
	tb.Helper()
	c := sharedCluster(tb)
	return c.create(tb, " TEMPLATE "+c.template(tb, content, fill))
}

// template returns the name of the database with the content, which exists as long as the cluster.
func (c *Cluster) template(tb testing.TB, content string, fill func(dsn string)) string {
	tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if name := c.templates[content]; name != "" {
		return name
	}
	name := "template_" + strconv.FormatInt(c.made.Add(1), 10)
	if err := c.exec("CREATE DATABASE " + name + c.strategy); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	fill(c.dsn(name))
	if c.templates == nil {
		c.templates = map[string]string{}
	}
	c.templates[content] = name
	return name
}

func (c *Cluster) create(tb testing.TB, options string) string {
	tb.Helper()
	name := "test_" + strconv.FormatInt(c.made.Add(1), 10)
	if err := c.exec("CREATE DATABASE " + name + options + c.strategy); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if !c.running.Load() || c.follows {
			return
		}
		if err := c.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return c.dsn(name)
}

// Stop closes all connections and shuts the server down cleanly (mode "fast").
func (c *Cluster) Stop(tb testing.TB) { tb.Helper(); c.stop(tb, "fast") }

// Kill stops the server as a crash does (mode "immediate"). The next Resume recovers from the write-ahead log.
func (c *Cluster) Kill(tb testing.TB) { tb.Helper(); c.stop(tb, "immediate") }

// Resume starts a stopped server again, with the same port and data.
func (c *Cluster) Resume(tb testing.TB) {
	tb.Helper()
	if err := c.run(); err != nil {
		tb.Fatal(err)
	}
}

// Restart calls Stop and Resume.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	c.Stop(tb)
	c.Resume(tb)
}

// Socket returns the folder of the server's Unix socket, for clients that accept it as a host.
func (c *Cluster) Socket() string { return c.folder }

// Address returns the host and port on which the server listens.
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

// admin is a connection to the database postgres that is kept: opening one takes the server longer than most statements.
type admin struct {
	sync.Mutex
	conn *pgx.Conn
}

// exec runs one statement.
func (c *Cluster) exec(statement string) error {
	return c.administer(statement, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}

// query returns the only value of a query, a text.
func (c *Cluster) query(tb testing.TB, query string) (text string) {
	tb.Helper()
	err := c.administer(query, func(ctx context.Context, conn *pgx.Conn) error { return conn.QueryRow(ctx, query).Scan(&text) })
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return text
}

func (c *Cluster) administer(statement string, do func(ctx context.Context, conn *pgx.Conn) error) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait.Limit)
	defer cancel()
	c.admin.Lock()
	defer c.admin.Unlock()
	if c.admin.conn == nil || c.admin.conn.Ping(ctx) != nil { // the server was stopped meanwhile, or ended the connection
		c.admin.conn, err = pgx.Connect(ctx, c.dsn("postgres"))
	}
	if err == nil {
		err = do(ctx, c.admin.conn)
	}
	if err != nil {
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

// remove stops the server and removes its files, also after a failed test.
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
