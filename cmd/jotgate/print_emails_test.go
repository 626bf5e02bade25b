package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// Finding A14: a link that works is printed only if --print-emails or --demo asks
// for it; without, each message is dropped and one warning says so.
func TestLinksAreNotPrinted(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   []string
		printed bool
	}{
		{"by default", nil, false},
		{"debug log", []string{"--log-level", "debug"}, false},
		{"--print-emails", []string{"--print-emails"}, true},
		{"--demo", []string{"--demo"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "jotgate.db")
			env := []string{"DATABASE_URL=sqlite:" + file, "SECRET_KEY=" + goodSecret}
			s := startServer(t, "", env, c.flags...)
			s.curl(t, "-d", "username=alice", "-d", "email=alice@example.com", "-d", "password=correct-horse-1", "BASE/auth/users/")
			if got := s.curl(t, "-i", "-d", "email=alice@example.com", "BASE/auth/users/reset_password/"); !strings.Contains(got, "204") {
				t.Fatal(got)
			}
			db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(180000)")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			wait.Until(t, "the outbox is empty", func() bool {
				var n int
				return db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM jotgate_outbox").Scan(&n) == nil && n == 0
			})
			all := s.stdout.String() + s.stderr.String()
			if strings.Contains(all, "/account/reset/confirm?uid=") != c.printed {
				t.Errorf("printed a link: %v\n%s", !c.printed, all)
			}
			if n := strings.Count(all, "no e-mail is sent"); (n == 1) == c.printed || n > 1 {
				t.Errorf("%d warnings\n%s", n, all)
			}
		})
	}
}
