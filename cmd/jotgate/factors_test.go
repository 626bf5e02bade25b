package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// user factors lists factors without their secrets, removes one or all of them, ends
// the sessions and writes an event and an e-mail.
func TestUserFactors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	env := []string{"DATABASE_URL=sqlite:" + file, "JOTGATE_USER_PASSWORD=correct horse battery"}
	run := func(want int, args ...string) string {
		t.Helper()
		status, stdout, stderr := try(t, env, "", args...)
		if status != want {
			t.Fatalf("%v: %d %s%s", args, status, stdout, stderr)
		}
		return stdout + stderr
	}
	run(0, "user", "create", "alice", "--email", "alice@example.com")
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	alice, err := db.Accounts().ByLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	add := func() (app, codes *record.Factor) {
		t.Helper()
		app = &record.Factor{Type: record.FactorTOTP, Data: `{"secret":"` + secret + `"}`, Created: time.Now()}
		codes = &record.Factor{Type: record.FactorRecovery, Data: `{"seed":"aa","used_mask":0}`, Created: time.Now()}
		if err := db.Factors().ChangeFactors(t.Context(), record.FactorChange{User: alice.ID, Add: []*record.Factor{app, codes}}); err != nil {
			t.Fatal(err)
		}
		return app, codes
	}
	for _, id := range []bool{false, true} {
		app, _ := add()
		session := &record.Session{ID: strings.Repeat("a", 31) + map[bool]string{false: "0", true: "1"}[id], User: alice.ID, JTI: "j", Created: time.Now(), Expires: time.Now().Add(time.Hour)}
		session.Entry.Factors = record.FactorSet([]record.Factor{*app})
		if err := db.Sessions().Create(t.Context(), session, alice.Password); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"user", "factors", "list", "alice"}, {"user", "factors", "list", "alice", "--json"}} {
			if out := run(0, args...); !strings.Contains(out, "totp") || !strings.Contains(out, "recovery_codes") || strings.Contains(out, secret) {
				t.Errorf("%v: %s", args, out)
			}
		}
		args := []string{"user", "factors", "remove", "alice", "--reason", "known by voice"}
		if id {
			run(1, "user", "factors", "remove", "alice", "4711")
			args = append(args, strconv.FormatInt(app.ID, 10))
		}
		run(0, args...)
		if left, err := db.Factors().ListFactors(t.Context(), alice.ID); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
		if live, err := db.Sessions().List(t.Context(), alice.ID, time.Now()); err != nil || len(live) != 0 {
			t.Errorf("%d sessions are left, %v", len(live), err)
		}
	}
	if out := run(0, "event", "list", "alice"); strings.Count(out, "known by voice") != 2 {
		t.Errorf("events:\n%s", out)
	}
	due, err := db.Outbox().Due(t.Context(), time.Now(), 10, 0)
	if err != nil || len(due) != 2 || due[0].Kind != record.MessageFactorRemoved || due[0].To != "alice@example.com" {
		t.Errorf("e-mails: %+v, %v", due, err)
	}
}
