package main

// Commands next to a running server, on both databases: the server sees their
// changes soon, without a restart.

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// onBoth runs a test with a server on SQLite and on PostgreSQL, and with a
// function that runs commands on the same database.
func onBoth(t *testing.T, test func(t *testing.T, s *server, command func(args ...string) string)) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{"DATABASE_URL=" + database(t), "SECRET_KEY=" + goodSecret}
			s := startServer(t, "", env, "--log-level", "warn", "--rate=login=1000000/min") // wait.Until may log in often
			test(t, s, func(args ...string) string {
				t.Helper()
				status, stdout, stderr := try(t, env, "", args...)
				if status != 0 {
					t.Fatalf("%v: %s", args, stderr)
				}
				return stdout
			})
		})
	}
}

func TestSessionsEndOnARunningServer(t *testing.T) {
	onBoth(t, func(t *testing.T, s *server, command func(...string) string) {
		refused := func(access string) func() bool {
			return func() bool { return strings.Contains(s.me(t, access), `"code":"token_not_valid"`) }
		}
		first := s.login(t)
		if got := s.me(t, first.Access); !strings.Contains(got, `"username":"alice"`) {
			t.Fatal(got)
		}
		if got := command("session", "list", "alice"); strings.Count(got, "\n") != 2 {
			t.Errorf("not one session: %s", got)
		}
		if got := command("session", "end", "alice", "--all"); got != "ended 1 session\n" {
			t.Error(got)
		}
		wait.Until(t, "the ended session is refused", refused(first.Access))
		second := s.login(t)
		command("user", "deactivate", "alice")
		wait.Until(t, "the deactivated user is refused", refused(second.Access))
		if got := s.curl(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/api/token/"); !strings.Contains(got, "No active account") {
			t.Errorf("login of a deactivated user: %s", got)
		}
	})
}

func TestKeysRotateOnARunningServer(t *testing.T) {
	onBoth(t, func(t *testing.T, s *server, command func(...string) string) {
		before := s.login(t)
		command("key", "rotate", "--alg", "ES256", "--now")
		wait.Until(t, "logins are signed with the new key", func() bool {
			header, _, err := jwt.DecodeUnverified(s.login(t).Access)
			alg, _ := header.Member("alg")
			return err == nil && alg == `"ES256"`
		})
		if got := s.me(t, before.Access); !strings.Contains(got, `"username":"alice"`) {
			t.Errorf("the token before the rotation: %s", got)
		}
		var set struct{ Keys []map[string]any }
		if text := s.curl(t, "BASE/.well-known/jwks.json"); json.Unmarshal([]byte(text), &set) != nil || len(set.Keys) != 1 || set.Keys[0]["d"] != nil {
			t.Errorf("jwks.json: %s", text)
		}
		// The exported set alone verifies a token.
		keys := write(t, "jwks.json", command("key", "export"))
		if got := command("token", "verify", "--key", keys, "--token-type", "access", s.login(t).Access); !strings.Contains(got, `"username":"alice"`) {
			t.Error(got)
		}
	})
}

// me returns the user of the token.
func (s *server) me(t *testing.T, access string) string {
	t.Helper()
	return s.curl(t, "-H", "Authorization: Bearer "+access, "BASE/auth/users/me/")
}

func TestSessionEndEveryone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *server, command func(...string) string) {
		alice := s.login(t)
		s.curl(t, "-d", "username=bob", "-d", "password=correct-horse-2", "BASE/auth/users/")
		var bob struct{ Access, Refresh string }
		answer := s.curl(t, "-d", "username=bob", "-d", "password=correct-horse-2", "BASE/api/token/")
		if err := json.Unmarshal([]byte(answer), &bob); err != nil {
			t.Fatal(answer)
		}
		if got := command("session", "end-all", "--yes"); got != "ended 2 sessions of 2 users\n" {
			t.Error(got)
		}
		for _, access := range []string{alice.Access, bob.Access} {
			wait.Until(t, "an ended session is rejected", func() bool {
				return strings.Contains(s.me(t, access), `"code":"token_not_valid"`)
			})
		}
		if got := s.curl(t, "-d", "refresh="+bob.Refresh, "BASE/api/token/refresh/"); !strings.Contains(got, "token_not_valid") {
			t.Errorf("a refresh after end-all: %s", got)
		}
		if got := s.me(t, s.login(t).Access); !strings.Contains(got, `"username":"alice"`) {
			t.Errorf("a login after end-all: %s", got)
		}
		if got := command("session", "end-all", "--yes"); got != "ended 1 session of 2 users\n" {
			t.Error(got)
		}
	})
}
