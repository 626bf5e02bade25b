package api

// What ends all sessions of a user, or a right, and what that must not leave behind.

import (
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// A code that was sent by e-mail before all sessions of the user ended does not log in,
// and whoever has it cannot tell why.
func TestCodesEndWithSessions(t *testing.T) {
	for name, end := range map[string]func(s *site, alice tokens){
		"log out everywhere": func(s *site, alice tokens) { s.ask("DELETE", "/auth/sessions/", "", alice.header()...) },
		"log out elsewhere":  func(s *site, alice tokens) { s.ask("DELETE", "/auth/sessions/?others=true", "", alice.header()...) },
		"a new password": func(s *site, alice tokens) {
			want(s.t, "set_password", s.ask("POST", "/auth/users/set_password/", object("current_password", goodPassword, "new_password", "a brand new pass 77"), alice.header()...), 204, "")
		},
		"a new username": func(s *site, alice tokens) {
			want(s.t, "set_username", s.ask("POST", "/auth/users/set_username/", object("current_password", goodPassword, "new_username", "alice2"), alice.header()...), 204, "")
		},
		"deactivated and activated": func(s *site, _ tokens) { s.setActive("alice", false); s.setActive("alice", true) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, codesOn)
			alice := s.login("alice")
			pending, unknown := s.requestCode("alice@example.com"), s.requestCode("nobody@example.com")
			code := s.sentCode("alice")
			end(s, alice)
			a := s.confirmCode(pending, code)
			want(t, "the code from before", a, 401, "code_not_valid")
			same(t, "the code from before", a, s.confirmCode(unknown, code))
			s.now.turn(time.Second)
			want(t, "a new code within the minute", s.ask("POST", "/api/token/code/", object("email", "nobody@example.com")), 429, "")
			again := s.requestCode("alice@example.com")
			name := "alice"
			if _, err := s.db.Accounts().ByLogin(t.Context(), "alice2"); err == nil {
				name = "alice2"
			}
			want(t, "a code of later", s.confirmCode(again, s.sentCode(name)), 200, "access")
		})
	}
}

// A member of staff who acts for a user and loses a right, or all sessions, acts no
// longer: the token names another user, and stops working all the same.
func TestActorsEndWithTheirRights(t *testing.T) {
	for name, end := range map[string]func(s *site, carol *record.Account) error{
		"no longer staff": func(s *site, carol *record.Account) error {
			return s.db.Accounts().Change(s.t.Context(), carol.ID, record.Change{IsStaff: new(false), At: s.now.Now()})
		},
		"removed from a group": func(s *site, carol *record.Account) error {
			return s.db.Groups().RemoveMember(s.t.Context(), carol.ID, "support")
		},
		"the group is deleted": func(s *site, _ *record.Account) error { return s.db.Groups().Delete(s.t.Context(), "support") },
		"log out everywhere": func(s *site, carol *record.Account) error {
			return s.gate.Sessions().EndAll(s.t.Context(), carol.ID, "", jotgate.Client{})
		},
		"deactivated": func(s *site, carol *record.Account) error {
			return s.db.Accounts().Change(s.t.Context(), carol.ID, record.Change{IsActive: new(false), At: s.now.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change{})
			carol := s.account("carol")
			if _, err := s.db.Groups().Create(t.Context(), "support"); err != nil {
				t.Fatal(err)
			}
			if err := s.db.Groups().AddMember(t.Context(), carol.ID, "support"); err != nil {
				t.Fatal(err)
			}
			acting := s.actingFor("alice")
			want(t, "before", s.ask("GET", me, "", acting...), 200, `"alice"`)
			if err := end(s, carol); err != nil {
				t.Fatal(err)
			}
			if err := s.gate.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			want(t, "afterwards", s.ask("GET", me, "", acting...), 401, "")
			want(t, "a session of the user's own", s.ask("GET", me, "", s.login("alice").header()...), 200, `"alice"`)
		})
	}
}

// Undoing a change of address leaves nothing with which the person who made it gets in
// again: no session, no password, no API key, no account at a provider.
func TestUndoLeavesNothing(t *testing.T) {
	s := newSite(t, change{})
	thief, alice := s.login("alice"), s.account("alice")
	key := s.newKey(thief, `{"name":"backdoor","scopes":["account"]}`)
	row := &record.SocialAccount{Provider: "other", UID: "thief", Data: "{}", LastLogin: s.now.Now(), Joined: s.now.Now()}
	if err := s.db.SocialAccounts().ChangeSocial(t.Context(), record.SocialChange{User: alice.ID, Connect: row, At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	want(t, "change", s.ask("PATCH", me, object("email", "evil@example.org"), thief.header()...), 200, "")
	want(t, "confirm", s.ask("POST", confirmPath, s.linkTo(record.MessageEmailChange, "alice", "evil@example.org")), 204, "")
	want(t, "before: the key", s.ask("GET", me, "", "X-Api-Key", key.Key), 200, "")
	s.now.turn(time.Second)
	want(t, "undo", s.ask("POST", undoPath, s.linkTo(record.MessageEmailChanged, "alice", "alice@example.com")), 204, "")
	if err := s.gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "the key", s.ask("GET", me, "", "X-Api-Key", key.Key), 401, "")
	want(t, "the session", s.refresh(thief.refresh), 401, "")
	want(t, "the password", s.try("alice", goodPassword), 401, "")
	if list, err := s.db.SocialAccounts().ListSocial(t.Context(), alice.ID); err != nil || len(list) > 0 {
		t.Errorf("accounts at providers: %+v, %v", list, err)
	}
}

// A user who has become staff since the login, with one factor, opens nothing that is
// for staff until two factors are presented; own rows stay.
func TestStaffWithOneFactor(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.RequireMFA = jotgate.MFAStaff }})
	alice := s.login("alice")
	key := s.newKey(alice, `{"name":"ci","scopes":["account"]}`)
	if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, record.Change{IsStaff: new(true), At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	carol := "/auth/users/" + string(s.account("carol").ID) + "/"
	for name, header := range map[string][]string{"token": alice.header(), "key": {"X-Api-Key", key.Key}} {
		if a := s.ask("GET", "/auth/users/", "", header...); a.Status != 200 || strings.Contains(a.Body, "carol") || !strings.Contains(a.Body, "alice") {
			t.Errorf("%s: the list: %d %s", name, a.Status, a.Body)
		}
		want(t, name+": another row", s.ask("GET", carol, "", header...), 404, "")
		want(t, name+": own row", s.ask("GET", me, "", header...), 200, "alice")
	}
	want(t, "a change", s.ask("PATCH", carol, object("first_name", "x"), alice.header()...), 404, "")
	want(t, "a deletion", s.ask("DELETE", carol, object("current_password", goodPassword), alice.header()...), 403, "")
	want(t, "a reset", s.ask("POST", carol+"reset_factors/", object("reason", "lost the telephone"), alice.header()...), 403, "")
	want(t, "the refresh", s.refresh(alice.refresh), 401, "")
	want(t, "the next login", s.try("alice", goodPassword), 401, "mfa_enrol")
}
