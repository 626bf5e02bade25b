package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// With --database-timeout an operation waits longer than the usual five seconds for another process.
func TestDatabaseTimeout(t *testing.T) {
	t.Parallel()
	server := pgtest.Database(t)
	file := filepath.Join(t.TempDir(), "jotgate.db")
	for name, c := range map[string]struct{ address, driver, dsn, lock string }{
		"SQLite":     {"sqlite:" + file, "sqlite", "file:" + file, "BEGIN IMMEDIATE"},
		"PostgreSQL": {server, "pgx", server, "BEGIN; LOCK TABLE auth_user IN ACCESS EXCLUSIVE MODE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"DATABASE_URL=" + c.address, "SECRET_KEY=" + goodSecret, "JOTGATE_USER_PASSWORD=correct-horse-1", cheapHasher}
			if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
				t.Fatal(stderr)
			}
			db, err := sql.Open(c.driver, c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			if _, err := db.Exec(c.lock); err != nil {
				t.Fatal(err)
			}
			created := make(chan string, 1)
			go func() {
				_, _, stderr := try(t, env, "", "user", "create", "alice")
				created <- stderr
			}()
			time.Sleep(6 * time.Second)
			if len(created) > 0 {
				t.Fatalf("the database is locked, and the command has ended: %s", <-created)
			}
			if _, err := db.Exec("COMMIT"); err != nil {
				t.Fatal(err)
			}
			if stderr := wait.For(t, "the user is created", created); stderr != "" {
				t.Error(stderr)
			}
		})
	}
	for _, command := range []string{"serve", "migrate", "doctor", "config check"} {
		for _, value := range []string{"4999ms", "0s", "-1s", "10m1s"} {
			args := append(strings.Fields(command), "--database", "sqlite:"+filepath.Join(t.TempDir(), "a.db"), "--database-timeout="+value)
			if status, _, stderr := try(t, nil, "", args...); status != statusUsage || !strings.Contains(stderr, "--database-timeout is ") {
				t.Errorf("%s --database-timeout=%s: %d %s", command, value, status, stderr)
			}
		}
	}
}
