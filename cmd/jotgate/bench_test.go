package main

// `bench`: plausible figures, and nothing is left afterwards.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// emptyTemp sets an empty folder as the one for temporary files.
func emptyTemp(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	t.Setenv("TMPDIR", folder)
	return folder
}

// isEmpty fails the test if the folder contains anything.
func isEmpty(t *testing.T, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
}

func TestBenchForPrograms(t *testing.T) {
	folder := emptyTemp(t)
	status, stdout, stderr := try(t, nil, "", "bench", "--time", "1s", "--hasher", "pbkdf2_sha256:20000", "--json")
	if status != statusDone {
		t.Fatal(stderr)
	}
	isEmpty(t, folder)
	var figures map[string]any
	if err := json.Unmarshal([]byte(stdout), &figures); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	for _, name := range []string{"go", "platform", "database", "processors", "hashes", "verify", "checks", "refreshes", "reads", "floods", "advice"} {
		if figures[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	positive(t, "", figures)
	if lines := strings.Count(stderr, "\n"); lines < 6 || !strings.HasPrefix(stderr, "  0 % hashing passwords\n") {
		t.Errorf("progress: %s", stderr)
	}
}

// positive requires every number in a tree to be above 0, except those that
// may be zero.
func positive(t *testing.T, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if name != "memory_mib" && name != "refused_per_second" {
				positive(t, path+"."+name, member)
			}
		}
	case []any:
		for i, member := range value {
			positive(t, fmt.Sprint(path, "[", i, "]"), member)
		}
		if len(value) == 0 {
			t.Errorf("%s is empty", path)
		}
	case float64:
		if value <= 0 {
			t.Errorf("%s is %v", path, value)
		}
	}
}

// Nothing changes in a PostgreSQL database that is in use.
func TestBenchLeavesADatabaseAlone(t *testing.T) {
	dsn := pgtest.Database(t)
	env := []string{"JOTGATE_USER_PASSWORD=correct-horse-1", "DATABASE_URL=" + dsn}
	if status, _, stderr := try(t, env, "", "user", "create", "alice"); status != statusDone {
		t.Fatal(stderr)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	state := func() (text string) {
		t.Helper()
		err := conn.QueryRow(t.Context(), `SELECT (SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_') || ': ' ||
(SELECT string_agg(oid::regclass::text, ' ' ORDER BY 1) FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace <> 'pg_catalog'::regnamespace) || ': ' ||
(SELECT COUNT(*) FROM auth_user) || ' ' || (SELECT COUNT(*) FROM jotgate_session) || ' ' || (SELECT COUNT(*) FROM jotgate_event)`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := state()
	status, stdout, stderr := try(t, env, "", "bench", "--time", "1s", "--database", dsn)
	if status != statusDone {
		t.Fatal(stderr)
	}
	for _, part := range []string{"database: PostgreSQL, postgres://127.0.0.1:", "argon2 ", "refresh with rotation", "login: the flood, concurrency 1 ", "--hash-concurrency=", "In the proxy: "} {
		if !strings.Contains(stdout, part) {
			t.Errorf("no %q in\n%s", part, stdout)
		}
	}
	if after := state(); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// Nor in the folder of a SQLite database, nor in the database.
func TestBenchLeavesAFileAlone(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "jotgate.db")
	if err := os.WriteFile(file, []byte("not even a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := try(t, nil, "", "bench", "--time", "1s", "--database", "sqlite:"+file); status != statusDone {
		t.Fatal(stderr)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "not even a database" {
		t.Errorf("the database holds %q, %v", text, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}

// An interrupt ends it at any point, and nothing is left.
func TestBenchIsInterrupted(t *testing.T) {
	for _, at := range []string{"hashing", "refreshing", "flood"} {
		for length := 4 * time.Second; !benchIsInterrupted(t, at, length); length *= 2 {
			if length > 4*time.Minute {
				t.Fatalf("a bench of %v ended before it was interrupted at %q", length, at)
			}
		}
	}
}

// benchIsInterrupted interrupts a bench that takes this long when it begins a part. It reports false
// if the bench had ended by then.
func benchIsInterrupted(t *testing.T, at string, length time.Duration) bool {
	t.Helper()
	folder := t.TempDir()
	bench := exec.CommandContext(t.Context(), filepath.Join(programs(t), "jotgate"), "bench", "--time", length.String())
	bench.Env = []string{"TMPDIR=" + folder}
	var stderr capture.Output
	var stdout bytes.Buffer
	bench.Stdout, bench.Stderr = &stdout, &stderr
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "begins "+at, func() bool { return strings.Contains(stderr.String(), at) })
	if err := bench.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := bench.Wait()
	status := bench.ProcessState.ExitCode()
	if status == statusDone {
		return false
	}
	if status != statusRefused || stdout.Len() > 0 || !strings.HasSuffix(stderr.String(), "jotgate: interrupted; the data for measuring was deleted\n") {
		t.Errorf("%s: %v, %s%s", at, err, stdout.String(), stderr.String())
	}
	isEmpty(t, folder)
	return true
}

func TestBenchUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--time", "0s"},
		{"--time", "11m"},
		{"--hasher", "md5000"},
		{"--database", "mysql://localhost/a"},
		{"--database", "postgres://u:hidden@%zz/a"},
	} {
		if status, _, stderr := try(t, nil, "", append([]string{"bench"}, args...)...); status != statusUsage || strings.Contains(stderr, "hidden") {
			t.Errorf("%v: %d %s", args, status, stderr)
		}
	}
}

func TestBar(t *testing.T) {
	for passed, want := range map[float64]string{
		0:   "[........................]  0 % reading",
		0.5: "[############............] 50 % reading",
		7:   "[#######################.] 99 % reading",
	} {
		if got := bar(passed, "reading"); got != want {
			t.Errorf("%v: %q, want %q", passed, got, want)
		}
	}
	for _, s := range []string{"reading during a login flood, more concurrency"} {
		if n := len(bar(0.5, s)); n > 80 {
			t.Errorf("%q takes %d columns", s, n)
		}
	}
}

// A part that took longer than planned does not move the bar back.
func TestBenchBarGoesForward(t *testing.T) {
	var shown bytes.Buffer
	p := &benchBar{out: &shown, whole: time.Hour, terminal: true, stop: func() {}}
	p.step(0.5, "long")
	p.step(0.3, "next")
	p.end()
	if text := shown.String(); !strings.Contains(text, "50 % long") || !strings.Contains(text, "50 % next") {
		t.Errorf("%q", text)
	}
}
