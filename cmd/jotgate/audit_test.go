package main

// Changes made on the command line are in the audit trail, without secrets.

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store/sqlite"
)

func TestCommandsLeaveATrail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	env := []string{"DATABASE_URL=sqlite:" + file, "JOTGATE_USER_PASSWORD=correct-horse-1", "JOTGATE_SUPERUSER_PASSWORD=correct-horse-2"}
	for _, line := range []string{
		"createsuperuser --username admin --noinput", "user create alice", "changepassword alice", "group create editors",
		"user add-to-group alice editors", "user grant alice auth.view_user", "user set alice --staff",
		"user deactivate alice", "user delete alice --yes",
	} {
		if status, _, stderr := try(t, env, "correct-horse-3\ncorrect-horse-3\n", strings.Fields(line)...); status != 0 {
			t.Fatalf("%s: %s", line, stderr)
		}
	}
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	events, err := db.Events().List(t.Context(), "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, string(e.User)+" "+e.Name+": "+strings.TrimSuffix(e.Detail, " on the command line"))
	}
	want := []string{
		"2 account: deleted", "2 account: inactive", "2 role: changed", "2 role: has permission auth.view_user",
		"2 role: is in group editors", " role: created group editors", "2 password: changed", "2 account: created", "1 role: superuser created",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
