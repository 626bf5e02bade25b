package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func query[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestDatabasesAreSeparateAndDropped(t *testing.T) {
	var names []string
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, Database(t))
			execute(t, conn, "CREATE TABLE mine (id int)") // fails if the first table is visible
			names = append(names, query[string](t, conn, "SELECT current_database()"))
		})
	}
	conn := connect(t, Database(t))
	left := query[int](t, conn, "SELECT count(*) FROM pg_database WHERE datname = ANY($1)", names)
	if left != 0 {
		t.Errorf("%d of %v are still there after their tests", left, names)
	}
}

func TestServerIsPrivate(t *testing.T) {
	dsn := Database(t)
	conn := connect(t, dsn)
	if got := query[string](t, conn, "SHOW listen_addresses"); got != "127.0.0.1" {
		t.Errorf("listen_addresses = %q", got)
	}
	if got := query[string](t, conn, "SHOW fsync"); got != "off" {
		t.Errorf("fsync = %q, want off by default", got)
	}
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(superuser, "wrong")
	if _, err := pgx.Connect(t.Context(), address.String()); err == nil {
		t.Error("a wrong password opens the database")
	}
}

func TestClusterSurvivesStopKillAndRestart(t *testing.T) {
	cluster := Start(t, Options{Durable: true})
	dsn := cluster.Database(t)
	conn := connect(t, dsn)
	if got := query[string](t, conn, "SHOW fsync"); got != "on" {
		t.Errorf("fsync = %q, want on", got)
	}
	execute(t, conn, "CREATE TABLE kept (id int)")
	steps := []struct {
		name string
		step func()
	}{
		{"stop", func() { cluster.Stop(t); refuses(t, dsn); cluster.Resume(t) }},
		{"kill", func() { cluster.Kill(t); refuses(t, dsn); cluster.Resume(t) }},
		{"restart", func() { cluster.Restart(t) }},
	}
	for i, s := range steps {
		execute(t, connect(t, dsn), "INSERT INTO kept VALUES (1)")
		s.step()
		if got, want := query[int](t, connect(t, dsn), "SELECT count(*) FROM kept"), i+1; got != want {
			t.Errorf("after %s: %d rows, want %d", s.name, got, want)
		}
	}
}

// The clusters of a run are copies of one, and each has its own databases.
func TestClustersOfARunAreCopies(t *testing.T) {
	shared := tempdir.New(t)
	if err := os.Chmod(shared, 0o711); err != nil { // as tools/runtests has it
		t.Fatal(err)
	}
	t.Setenv("TESTS_SHARED", shared)
	var systems [2]int64
	for i := range systems {
		conn := connect(t, Start(t, Options{}).Database(t))
		execute(t, conn, "CREATE TABLE mine (id int)")
		systems[i] = query[int64](t, conn, "SELECT system_identifier FROM pg_control_system()")
	}
	if systems[0] != systems[1] {
		t.Errorf("%d and %d: initdb ran twice", systems[0], systems[1])
	}
}

// A server starts although the temporary folder, the one that packages share, and new files
// are for the user of the tests alone, as with pam_tmpdir, or its path is too long for a socket.
func TestTemporaryFolders(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	open := tempdir.ForSockets(t)
	long := filepath.Join(open, "my folder", strings.Repeat("a", 60))
	if err := errors.Join(os.Chmod(open, 0o755), os.MkdirAll(long, 0o755)); err != nil {
		t.Fatal(err)
	}
	syscall.Umask(0o077)
	for name, folder := range map[string]string{"private": tempdir.ForSockets(t), "long": long} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", folder)
			t.Setenv("TESTS_SHARED", folder)
			dsn := Start(t, Options{Durable: true}).Database(t) // Durable: not in memory
			if got := query[int](t, connect(t, dsn), "SELECT 1"); got != 1 {
				t.Errorf("%d, want 1", got)
			}
			if got := query[int](t, connect(t, Bounce(t, dsn, "session", 1).DSN(dsn)), "SELECT 1"); got != 1 {
				t.Errorf("through PgBouncer: %d, want 1", got)
			}
		})
	}
}

// What the shell has for other programs of PostgreSQL changes nothing.
func TestVariablesOfTheShell(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSettle$", "-test.v")
	cmd.Env = append(os.Environ(), "PGSERVICE=none", "PGOPTIONS=-c default_transaction_read_only=on", "PGTARGETSESSIONATTRS=standby", "PGSSLMODE=require")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestSettle") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A statement is carried out although its client has gone.
func TestSettle(t *testing.T) {
	dsn := Database(t)
	client := connect(t, dsn)
	execute(t, client, "CREATE TABLE kept (id int)")
	client.PgConn().Frontend().SendQuery(&pgproto3.Query{String: "INSERT INTO kept SELECT 1 FROM pg_sleep(0.2)"})
	if err := client.PgConn().Frontend().Flush(); err != nil {
		t.Fatal(err)
	}
	client.PgConn().Conn().Close()
	other := Database(t)
	connect(t, other) // another database does not matter
	Settle(t, dsn)
	if got := query[int](t, connect(t, dsn), "SELECT count(*) FROM kept"); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func refuses(t *testing.T, dsn string) {
	t.Helper()
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a stopped server accepts a connection")
	}
}

func TestSocketOpensWithoutPassword(t *testing.T) {
	cluster := Start(t, Options{})
	_, port, _ := net.SplitHostPort(cluster.Address())
	conn := connect(t, "host="+cluster.Socket()+" port="+port+" user="+superuser+" dbname=postgres")
	if got := query[int](t, conn, "SELECT 1"); got != 1 {
		t.Errorf("SELECT 1 = %d", got)
	}
}

func TestMissingPostgreSQLSaysHowToInstallIt(t *testing.T) {
	installed := t.TempDir()
	if err := os.WriteFile(filepath.Join(installed, "initdb"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", installed)
	if got, err := programFolder(t.TempDir()); err != nil || got != installed {
		t.Errorf("with initdb in PATH: %q, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	_, err := programFolder(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("without PostgreSQL: %v", err)
	}
}

func TestVersion(t *testing.T) {
	if got := version("/usr/lib/postgresql/15/bin/initdb"); got != 15 {
		t.Errorf("version = %d, want 15", got)
	}
}

func TestNothingIsLeftWhenTheTestProcessIsKilled(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), "TESTS_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the victim said %q: %v", line, err)
	}
	address, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
	if conn, err := net.Dial("tcp", address); err != nil {
		t.Fatalf("the victim's server does not accept a connection: %v", err)
	} else {
		_ = conn.Close()
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	waitUntilGone(t, folder)
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the server is still running after its test process was killed")
	}
}

func waitUntilGone(t *testing.T, folder string) {
	t.Helper()
	wait.Until(t, "the folder of the killed test process is gone", func() bool {
		_, err := os.Stat(folder)
		return os.IsNotExist(err)
	})
}

// TestVictim is the process that the test above kills: it starts a cluster, prints its place, and waits.
func TestVictim(t *testing.T) {
	if os.Getenv("TESTS_VICTIM") == "" {
		return
	}
	cluster := Start(t, Options{})
	fmt.Println(cluster.Address(), cluster.folder)
	time.Sleep(wait.Limit)
}

// A cluster whose durability is tested is on a disk.
func TestFolder(t *testing.T) {
	if got := parent(Options{Durable: true}); got != "" {
		t.Errorf("a durable cluster is in %q", got)
	}
	if got := parent(Options{}); got != tempdir.Parent() {
		t.Errorf("another cluster is in %q", got)
	}
}
