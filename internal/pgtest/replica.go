package pgtest

// Streaming replication: a standby, its promotion, and the way back.

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// Standby starts a standby that streams from c. It is removed when tb ends.
func (c *Cluster) Standby(tb testing.TB) *Cluster {
	tb.Helper()
	s := &Cluster{password: c.password, programs: c.programs}
	var err error
	if s.folder, err = c.programs.tempFolder(filepath.Dir(c.folder)); err != nil {
		tb.Fatal(err)
	}
	if s.guard, err = c.programs.startGuard(s.folder); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.remove(tb) })
	if err := c.programs.run(filepath.Join(c.programs.folder, "pg_basebackup"), "-h", c.folder, "-p", fmt.Sprint(c.port),
		"-U", superuser, "-D", s.data(), "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	s.set(tb, "unix_socket_directories", s.folder)
	if err := s.findPortAndRun(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// Synchronous makes commits of c wait for one standby.
func (c *Cluster) Synchronous(tb testing.TB) {
	tb.Helper()
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()"} {
		if err := c.exec(statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// Asynchronous ends Synchronous, so that a promoted server does not wait for a standby that it does not have.
func (c *Cluster) Asynchronous(tb testing.TB) {
	tb.Helper()
	for _, statement := range []string{"ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"} {
		if err := c.exec(statement); err != nil {
			tb.Fatal(err)
		}
	}
}

// Promote turns a standby into a primary, and returns when it accepts writes.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	if err := c.control("promote"); err != nil {
		tb.Fatal(err)
	}
}

// Follow starts a cluster that was stopped cleanly as a standby of another one that was promoted since.
func (c *Cluster) Follow(tb testing.TB, primary *Cluster) {
	tb.Helper()
	signal := filepath.Join(c.data(), "standby.signal")
	if err := os.WriteFile(signal, nil, 0o600); err != nil {
		tb.Fatal(err)
	}
	if owner := c.programs.owner; owner != nil {
		if err := os.Chown(signal, int(owner.Uid), int(owner.Gid)); err != nil {
			tb.Fatal(err)
		}
	}
	c.follows = true
	c.set(tb, "primary_conninfo", fmt.Sprintf("host=%s port=%d user=%s", primary.folder, primary.port, superuser))
	c.Resume(tb)
}

// Replicated waits until a standby has replayed what c has committed.
func (c *Cluster) Replicated(tb testing.TB, standby *Cluster) {
	tb.Helper()
	lsn := c.query(tb, "SELECT pg_current_wal_lsn()::text")
	wait.Until(tb, "the standby has replayed it", func() bool {
		return standby.query(tb, "SELECT (pg_last_wal_replay_lsn() >= '"+lsn+"')::text") == "true"
	})
}

// set appends a setting to the configuration of a stopped cluster.
func (c *Cluster) set(tb testing.TB, name, value string) {
	tb.Helper()
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprintf(file, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	if err := file.Close(); err != nil {
		tb.Fatal(err)
	}
}
