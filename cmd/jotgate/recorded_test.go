package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
)

// recordedCommands are commands that change accounts, in an order in which each
// succeeds: the function that records the change, the command, and its input. KEY and
// CLIENT are the ids that the outputs before have named.
var recordedCommands = []struct{ at, command, input string }{
	{"userCreate.Run", "user create alice --email alice@example.com", "correct-horse-1\ncorrect-horse-1\n"},
	{"createsuperuserCommand.Run", "createsuperuser --noinput --username root --email root@example.com", ""},
	{"userSet.Run", "user set alice --staff", ""},
	{"userSet.Run", "user set alice --email alice@example.org", ""},
	{"userSet.Run", "user set alice --first-name Alice", ""},
	{"userSet.Run", "user set alice --last-name Liddell", ""},
	{"userSet.Run", "user set alice --username alicia", ""},
	{"userSet.Run", "user set alicia --username alice --email alice@example.com --superuser", ""},
	{"databaseFlags.setActive", "user deactivate alice", ""},
	{"databaseFlags.setActive", "user activate alice", ""},
	{"changepasswordCommand.Run", "changepassword alice", "another-horse-2\nanother-horse-2\n"},
	{"groupCreate.Run", "group create editors", ""},
	{"groupNamed.act", "group rename editors writers", ""},
	{"groupNamed.act", "group grant writers auth.view_user", ""},
	{"groupNamed.act", "group revoke writers auth.view_user", ""},
	{"databaseFlags.change", "user add-to-group alice writers", ""},
	{"databaseFlags.change", "user remove-from-group alice writers", ""},
	{"databaseFlags.change", "user grant alice auth.view_user", ""},
	{"databaseFlags.change", "user revoke alice auth.view_user", ""},
	{"groupNamed.act", "group delete writers", ""},
	{"apiKeyCreate.Run", "apikey create alice --scope a --json", ""},
	{"apiKeyRotate.Run", "apikey rotate alice KEY --json", ""},
	{"apiKeyRevoke.Run", "apikey revoke alice KEY", ""},
	{"apiKeyImport.add", "apikey import alice --scope a", ""},
	{"clientCreate.Run", "client create billing --scope a", ""},
	{"clientRotate.Run", "client rotate billing", ""},
	{"clientArg.change", "client set billing --scope b", ""},
	{"clientArg.change", "client disable billing", ""},
	{"factorsRemove.Run", "user factors remove alice", ""},
	{"app.endSessions", "session end alice --all", ""},
	{"app.endSessions", "session end-all --yes", ""},
	{"userDelete.Run", "user delete alice --yes", ""},
}

// Each command that changes accounts stores the change and its event together, or
// neither.
func TestCommandsAreRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	dsn := pgtest.Database(t)
	t.Run("sqlite", func(t *testing.T) {
		testRecorded(t, "sqlite:"+file, "sqlite", file, sqlitetest.Content,
			"CREATE TRIGGER stop BEFORE INSERT ON jotgate_event BEGIN SELECT RAISE(ABORT, 'stop'); END", "DROP TRIGGER stop")
	})
	t.Run("postgres", func(t *testing.T) {
		testRecorded(t, dsn, "pgx", dsn, pgtest.Content,
			"ALTER TABLE jotgate_event ADD CONSTRAINT stop CHECK (event = '') NOT VALID", "ALTER TABLE jotgate_event DROP CONSTRAINT stop")
	})
}

// onlyByCommand are the functions whose changes TestEventsOfChanges of package jotgate
// does not make on both databases.
var onlyByCommand = []string{"groupCreate.Run", "groupNamed.act", "databaseFlags.change"}

const importedKeys = `CREATE TABLE rest_framework_api_key_apikey (id varchar(150) PRIMARY KEY, prefix varchar(8), hashed_key varchar(150), name varchar(50), revoked boolean, created timestamp, expiry_date timestamp);
INSERT INTO rest_framework_api_key_apikey VALUES ('XyzAbc12.x', 'XyzAbc12', 'sha512$$` + "DIGEST" + `', 'carrier', FALSE, '2026-01-01 00:00:00', NULL);
INSERT INTO mfa_authenticator (type, data, user_id, created_at) SELECT 'totp', '{}', id, '2026-01-01 00:00:00' FROM auth_user WHERE username = 'alice'`

func testRecorded(t *testing.T, address, driver, dsn string, content func(testing.TB, *sql.DB, ...string) string, stop, resume string) {
	env := []string{"DATABASE_URL=" + address, "SECRET_KEY=" + goodSecret, "DJANGO_SUPERUSER_PASSWORD=correct-horse-1", "JOTGATE_HASHER=pbkdf2_sha256:100"}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	exec := func(text string) {
		t.Helper()
		if _, err := raw.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	var key string
	for i, c := range recordedCommands {
		if driver != "sqlite" && i > 0 && !slices.Contains(onlyByCommand, c.at) {
			continue
		}
		args := strings.Fields(strings.ReplaceAll(c.command, "KEY", key))
		before := content(t, raw, "jotgate_event")
		exec(stop)
		status, stdout, _ := try(t, env, c.input, args...)
		exec(resume)
		if after := content(t, raw, "jotgate_event"); status == 0 || after != before {
			t.Errorf("%s: status %d, %s; the change is stored without its event: %t", c.command, status, stdout, after != before)
		}
		var events, more int
		count := "SELECT COUNT(*) FROM jotgate_event WHERE detail LIKE '% on the command line'"
		if err := raw.QueryRow(count).Scan(&events); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := try(t, env, c.input, args...)
		if err := raw.QueryRow(count).Scan(&more); err != nil {
			t.Fatal(err)
		}
		if status != 0 || more == events {
			t.Errorf("%s: status %d, %s, %d events", c.command, status, stderr, more-events)
		}
		if found := regexp.MustCompile(`"id": *"([0-9A-Za-z]+)"`).FindStringSubmatch(stdout); found != nil {
			key = found[1]
		}
		if i == 0 {
			for text := range strings.SplitSeq(strings.ReplaceAll(importedKeys, "DIGEST", strings.Repeat("0a", 64)), ";") {
				exec(text)
			}
		}
	}
}

// A command that changes several facts of an account writes one event for each.
func TestEachFactIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	env := []string{"DATABASE_URL=sqlite:" + file, "SECRET_KEY=" + goodSecret, "JOTGATE_HASHER=pbkdf2_sha256:100"}
	if status, _, stderr := try(t, env, "correct-horse-1\ncorrect-horse-1\n", "user", "create", "alice"); status != 0 {
		t.Fatal(stderr)
	}
	set := strings.Fields("user set alice --username alicia --email alice@example.org --first-name Alice --last-name Liddell --staff --superuser")
	if status, _, stderr := try(t, env, "", set...); status != 0 {
		t.Fatal(stderr)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got string
	err = db.QueryRow("SELECT group_concat(event || ' ' || user_id || ' ' || detail, '; ') FROM (SELECT * FROM jotgate_event ORDER BY id LIMIT 10 OFFSET 1)").Scan(&got)
	const by = " 1 changed on the command line"
	if want := "username" + by + "; email" + by + "; profile" + by + "; role" + by; err != nil || got != want {
		t.Errorf("%q, want %q, %v", got, want, err)
	}
}

// Each function that records a change is in recordedCommands, and no event is added in
// another way.
func TestEveryCommandIsRecorded(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	begins := regexp.MustCompile(`(?m)^func (?:\((?:\w+ )?\*?(\w+)\) )?(\w+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if strings.Contains(string(text), "Events().Add(") {
			t.Errorf("%s adds an event without its change", file)
		}
		for part := range strings.SplitSeq(string(text), "\n}\n") {
			if !strings.Contains(part, "a.recording(") {
				continue
			}
			all := begins.FindAllStringSubmatch(part, -1)
			found := all[len(all)-1] // after functions in one line
			at := strings.TrimPrefix(found[1]+"."+found[2], ".")
			if !slices.ContainsFunc(recordedCommands, func(c struct{ at, command, input string }) bool { return c.at == at }) {
				t.Errorf("%s records a change and is not in recordedCommands", at)
			}
		}
	}
}
