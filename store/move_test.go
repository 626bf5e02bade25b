package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
	"github.com/jotgate/jotgate/webhook"
)

// full opens a store with rows in every table that is moved, 250 accounts
// among them, the last of which is deleted again.
func full(w *world) *store.Store {
	w.Helper()
	w.open()
	w.exec(w.on(blacklistSQLite, blacklistPostgres))
	s := w.open()
	a := w.account(s, "ada")
	var many []store.Record
	for i := range 250 {
		many = append(many, store.Record{Username: fmt.Sprint("user é\u2028", i), Password: "first", IsActive: i%2 == 0})
	}
	_, err := s.Transfer().Import(w.ctx, many)
	w.must(err)
	phoned := w.account(s, "phoned")
	last := w.account(s, "last")
	w.must(s.Accounts().Delete(w.ctx, last.ID))
	_, err = s.Groups().Create(w.ctx, "editors")
	w.must(err)
	w.must(s.Groups().AddMember(w.ctx, a.ID, "editors"))
	w.must(s.Permissions().GrantToGroup(w.ctx, "editors", "auth.view_user"))
	w.must(s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.add_user"))
	w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{LastLogin: new(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)), IsStaff: new(true)}))
	login(w, s, a.ID, "one")
	login(w, s, a.ID, "two")
	_, err = s.Sessions().End(w.ctx, record.Ending{ID: "two", Reason: record.EndedByLogout, Now: noon})
	w.must(err)
	w.django("elsewhere")
	w.must(s.Keys().Add(w.ctx, record.Key{ID: "k", Algorithm: "ES256", State: record.KeyCurrent, Created: noon, Sealed: []byte{0, 255, 1}}))
	w.must(s.Events().Add(w.ctx, record.Event{Time: noon, Name: "login", User: a.ID}))
	w.must(s.Failures().Add(w.ctx, []string{"ip 192.0.2.1"}, noon, noon))
	_, err = s.Failures().RememberNetwork(w.ctx, a.ID, "192.0.2.0/24", noon)
	w.must(err)
	await := &record.Pending{Purpose: record.PendingActivation, Email: "new@example.com", Nonce: "n", Created: noon}
	w.must(s.Addresses().SignUp(w.ctx, &record.Account{Username: "new", Email: "new@example.com", Password: "first"}, await))
	w.must(s.Addresses().AddPending(w.ctx, record.Pending{User: a.ID, Purpose: record.PendingDeletion, Email: "ada@example.com", Nonce: "n", Created: noon, Expires: noon.Add(time.Hour)}))
	w.exec("INSERT INTO account_emailconfirmation (created, key, email_address_id) SELECT '2026-01-02 03:04:05', 'k', id FROM account_emailaddress")
	w.must(s.Factors().ChangeFactors(w.ctx, record.FactorChange{
		User: phoned.ID, Add: []*record.Factor{{Type: record.FactorTOTP, Data: `{"secret": "S", "jotgate": {"step": 12345678901234567}}`, Created: noon}},
		Spend: []record.Spent{{ID: "spent", Expires: noon}},
	}))
	w.must(s.Factors().RequestReset(w.ctx, record.FactorReset{User: phoned.ID, By: a.ID, Reason: "lost the telephone", Due: noon}))
	_, err = s.Factors().GraceStart(w.ctx, a.ID, noon)
	w.must(err)
	w.must(s.Outbox().Add(w.ctx, record.Message{Kind: "password_reset", User: a.ID, To: "ada@example.com", Created: noon}))
	w.must(s.Addresses().(record.LoginCodes).AddLoginCode(w.ctx, record.LoginCode{Address: "d", ID: "i", User: a.ID, Expires: noon},
		record.Message{Kind: record.MessageLoginCode, User: a.ID, To: "ada@example.com", Created: noon}))
	w.exec("INSERT INTO jotgate_invitation (email, groups, made_by, nonce, created, expires) VALUES ('i@example.com', '[1]', '1', 'n', 1, 2)")
	social := &record.SocialAccount{Provider: "google", UID: "1", Data: `{"b":1.50,"a":[ "x" ]}`, LastLogin: noon, Joined: noon}
	w.must(s.SocialAccounts().ChangeSocial(w.ctx, record.SocialChange{User: a.ID, Connect: social}))
	w.exec(`INSERT INTO socialaccount_socialapp (provider, provider_id, name, client_id, secret, key, settings) VALUES ('google', '', 'Google', 'c', 's', '', '{}')`)
	w.exec("INSERT INTO socialaccount_socialapp_sites (socialapp_id, site_id) VALUES (1, 1)")
	w.exec("INSERT INTO socialaccount_socialtoken (token, token_secret, account_id, app_id) VALUES ('t', '', 1, 1)")
	w.must(s.APIKeys().Add(w.ctx, apikey.Key{ID: "k", Digest: "d", User: a.ID, Name: "ci", Scopes: []string{"a"}, Created: noon}))
	w.must(s.APIKeys().Remind(w.ctx, "k", nil))
	_, err = store.Rates(s).Borrow(w.ctx, []shared.Claim{{Key: "k", Rate: throttle.Rate{Count: 1, Period: time.Hour}, Want: 1}})
	w.must(err)
	addWebhook(w, s)
	w.exec("INSERT INTO jotgate_client (id, user_id, scopes, session, former_until, created) VALUES ('c', '999', 'a b', 's', 1, 2)")
	w.must(s.Admin().Change(w.ctx, func(ctx context.Context, tx adminstore.Tx) error {
		return tx.Jobs.Create(ctx, &adminstore.Job{Actor: a.ID, Action: "user.deactivate", State: adminstore.JobDone, Created: noon, Updated: noon})
	}))
	return s
}

// empty opens a store in a new database, with SimpleJWT's tables.
func empty(w *world) *store.Store {
	w.Helper()
	w.open()
	w.exec(w.on(blacklistSQLite, blacklistPostgres))
	return w.open()
}

// SQLite → PostgreSQL → SQLite: every table has the same rows in each
// database, and no id is assigned twice.
func TestMoveThereAndBack(t *testing.T) {
	for name, stops := range map[string][]func(testing.TB) *world{
		"sqlite first":   {sqliteWorld, postgresWorld, sqliteWorld},
		"postgres first": {postgresWorld, sqliteWorld, postgresWorld},
	} {
		t.Run(name, func(t *testing.T) {
			w := stops[0](t)
			s := full(w)
			var before []store.Moved
			for _, stop := range stops[1:] {
				next := stop(t)
				target := empty(next)
				calls := 0
				list, there, err := s.MoveTo(w.ctx, target, func(string, int64, int64) { calls++ })
				if err != nil || there || calls < len(list) {
					t.Fatalf("there already %v, %d calls of progress, %v", there, calls, err)
				}
				checkMoved(t, next, list)
				if before != nil && !cmp.Equal(before, list) {
					t.Error(cmp.Diff(before, list))
				}
				before, s, w = list, target, next
			}
			if a := w.account(s, "newcomer"); a.ID != "255" {
				t.Errorf("a newcomer got the id %s; 254 was the last one given out", a.ID)
			}
			login(w, s, "1", "three")
			_, err := s.Sessions().End(w.ctx, record.Ending{ID: "three", Reason: record.EndedByLogout, Now: noon})
			w.must(err)
			if n := w.count("SELECT MAX(seq) FROM jotgate_revocation"); n != 3 {
				t.Errorf("the next revocation has the number %d", n)
			}
		})
	}
}

// checkMoved holds the list against the database itself: no table is empty,
// and what the store answers is what was put in.
func checkMoved(t *testing.T, w *world, list []store.Moved) {
	t.Helper()
	if len(list) != 41 {
		t.Errorf("%d tables moved: %v", len(list), list)
	}
	for _, m := range list {
		if n := w.count("SELECT COUNT(*) FROM " + m.Table); int64(n) != m.Rows || n == 0 || len(m.Digest) != 64 {
			t.Errorf("%+v, and %d rows are there", m, n)
		}
	}
	s := w.open()
	a, err := s.Accounts().ByLogin(w.ctx, "ada")
	w.must(err)
	if a.LastLogin.Nanosecond() != 678901000 || !a.IsStaff || !a.IsActive || a.Password != "first" || a.Group == nil || a.Group.Name != "editors" {
		t.Errorf("%+v", a)
	}
	if n := w.black("elsewhere"); n != 1 {
		t.Errorf("Django's logout is there %d times", n)
	}
	if one, err := s.Sessions().Find(w.ctx, "one"); err != nil || !one.Expires.Equal(noon.Add(time.Hour)) || !one.Ended.IsZero() {
		t.Errorf("%+v, %v", one, err)
	}
	if two, err := s.Sessions().Find(w.ctx, "two"); err != nil || !two.Ended.Equal(noon) {
		t.Errorf("the session that was logged out: %+v, %v", two, err)
	}
}

// Interrupted at any point, the target is unchanged, and the next attempt
// succeeds; one more only compares.
func TestMoveInterrupted(t *testing.T) {
	s := full(sqliteWorld(t))
	both(t, func(w *world) {
		target := empty(w)
		preset := w.count("SELECT COUNT(*) FROM auth_permission")
		for _, at := range []int{1, 3, 8, 12} {
			ctx, cancel := context.WithCancel(w.ctx)
			calls := 0
			_, _, err := s.MoveTo(ctx, target, func(string, int64, int64) {
				if calls++; calls == at {
					cancel()
				}
			})
			cancel()
			if err == nil {
				t.Fatalf("interrupted at %d, it says it went well", at)
			}
			if n := w.count("SELECT COUNT(*) FROM auth_user"); n != 0 || w.count("SELECT COUNT(*) FROM auth_permission") != preset {
				t.Fatalf("interrupted at %d, %d accounts are there", at, n)
			}
		}
		for _, again := range []bool{false, true} {
			if _, there, err := s.MoveTo(w.ctx, target, nil); err != nil || there != again {
				t.Errorf("there already %v, %v", there, err)
			}
		}
		w.exec("UPDATE auth_user SET first_name = 'x' WHERE username = 'ada'")
		if _, _, err := s.MoveTo(w.ctx, target, nil); err == nil || !strings.Contains(err.Error(), "the target is not empty") {
			t.Errorf("a target with other rows: %v", err)
		}
	})
}

// What cannot be moved is reported in one sentence, and nothing is moved.
func TestMoveRefused(t *testing.T) {
	for _, c := range []struct{ name, here, there, want string }{
		{"good", "", "", ""},
		{"somebody's database", "", "INSERT INTO auth_group (name) VALUES ('x')", "the target is not empty (1 rows in auth_group)"},
		{"NUL in a name", "UPDATE auth_user SET first_name = 'a' || char(0) WHERE username = 'ada'", "", "auth_user: the column first_name of the row with the id 1: a text that PostgreSQL cannot hold"},
		{"too long", "UPDATE auth_user SET first_name = printf('%151s', 'x') WHERE username = 'ada'", "", "auth_user: the target refuses a row"},
		{"a column more here", "ALTER TABLE auth_user ADD COLUMN phone text", "", "the target's table auth_user has no column phone"},
		{"a column more there", "", "ALTER TABLE auth_user ADD COLUMN phone text NOT NULL", "the target's table auth_user needs a column phone"},
		{"an unknown type", "ALTER TABLE auth_user ADD COLUMN size real", "ALTER TABLE auth_user ADD COLUMN size real", "auth_user.size is real here"},
		{"no blacklist there", "", "DROP TABLE token_blacklist_outstandingtoken CASCADE", "run manage.py migrate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, next := sqliteWorld(t), postgresWorld(t)
			s, target := full(w), empty(next)
			if c.here != "" {
				w.exec(c.here)
			}
			if c.there != "" {
				next.exec(c.there)
			}
			_, _, err := s.MoveTo(t.Context(), target, nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if n := next.count("SELECT COUNT(*) FROM auth_user"); (n > 0) != (c.want == "") {
				t.Errorf("%d accounts were moved", n)
			}
		})
	}
}

// There are no writes to the source while it is moved.
func TestMoveHoldsTheSourceStill(t *testing.T) {
	both(t, func(w *world) {
		s, target := full(w), empty(sqliteWorld(t))
		tried := false
		_, _, err := s.MoveTo(w.ctx, target, func(table string, rows, of int64) {
			if tried || table != "jotgate_session" {
				return
			}
			tried = true
			ctx, cancel := context.WithTimeout(w.ctx, 300*time.Millisecond)
			defer cancel()
			err := s.Accounts().Create(ctx, &record.Account{Username: "late", Password: "x", IsActive: true})
			if !errors.Is(err, jotgate.ErrUnavailable) {
				t.Errorf("an account made during the move: %v", err)
			}
		})
		if err != nil || !tried {
			t.Fatalf("tried %v, %v", tried, err)
		}
		w.account(s, "afterwards")
	})
}

// addWebhook adds a webhook and a message to it, and leaves an event marked.
func addWebhook(w *world, s *store.Store) {
	w.Helper()
	hooks := store.Webhooks(s)
	w.must(hooks.Add(w.ctx, webhook.Endpoint{ID: "wh_1", URL: "https://example.com/", Created: noon, Sealed: "x"}))
	for range 2 {
		w.must(s.Events().Add(w.ctx, record.Event{Time: noon, Name: "webhook"}))
	}
	_, err := hooks.Relay(w.ctx, 1, func([]record.Event, []webhook.Endpoint) []webhook.Delivery {
		return []webhook.Delivery{{ID: "msg_1", Endpoint: "wh_1", Event: 1, Type: "t", Body: "{}", Created: noon, Due: noon}}
	})
	w.must(err)
}
