package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

const whyActing = "ticket 4711: cannot pay"

// actAs begins to act for a user by JSON, and returns the tokens.
func (s *site) actAs(token string, id record.UserID) (access, refresh string) {
	s.Helper()
	status, body := s.api(token, "POST", "/admin/api/users/"+string(id)+"/impersonate/", `{"reason": "`+whyActing+`"}`)
	if status != 200 {
		s.Fatalf("%d %v", status, body)
	}
	return body["access"].(string), body["refresh"].(string)
}

// An administrator acts for a user by page: the banner is shown, the account cannot be
// changed, and signing out leads back.
func TestImpersonateByPage(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	alice := s.gate.User("alice")
	s.signIn("root")
	if got := s.get("/admin/users/2/"); !strings.Contains(got.body, `href="/admin/users/2/impersonate"`) {
		t.Error("the page of the user has no link")
	}
	if got := s.get("/admin/users/2/impersonate"); !strings.Contains(got.body, `name="reason"`) || !strings.Contains(got.body, "15 minutes") {
		t.Errorf("the question: %s", got.body)
	}
	for _, reason := range []string{"", "short", strings.Repeat("x", 501)} {
		if got := s.post("/admin/users/2/impersonate", url.Values{"reason": {reason}}); got.status != http.StatusUnprocessableEntity {
			t.Errorf("the reason %q: %d %s", reason, got.status, got.path)
		}
	}
	got := s.post("/admin/users/2/impersonate", url.Values{"reason": {whyActing}})
	if got.path != "/account/" || got.status != 200 || !strings.Contains(got.body, "You act for alice") {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	for _, path := range []string{"/account/", "/account/security", "/account/sessions", "/account/activity"} {
		if got := s.get(path); got.status != 200 || !strings.Contains(got.body, "You act for alice") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	s.gate.Clock.Advance(6 * time.Minute) // the cookie is renewed
	if got := s.get("/account/"); !strings.Contains(got.body, "You act for alice") {
		t.Error("the banner is gone after the cookie was renewed")
	}
	got = s.post("/account/", url.Values{"first_name": {"Mallory"}})
	if got.status != http.StatusForbidden || !strings.Contains(got.body, "while you act for another user") || s.account("alice").FirstName != "" {
		t.Errorf("a change of the profile: %d %s", got.status, got.body)
	}
	if got := s.get("/admin/users/"); got.status != http.StatusForbidden || !strings.Contains(got.body, "/account/logout") {
		t.Errorf("the administration: %d %s", got.status, got.body)
	}
	got = s.post("/account/logout", url.Values{})
	if got.path != "/admin/users/2/" || got.status != 200 || strings.Contains(got.body, "You act for") {
		t.Errorf("after signing out: %d %s", got.status, got.path)
	}
	if live, _ := s.gate.Sessions().List(t.Context(), alice.ID); len(live) != 0 {
		t.Errorf("the session did not end: %v", live)
	}
	s.bothNamed(alice, "admin", "forbidden", "logout")
	s.told(alice)
}

// bothNamed checks that the events of these kinds about the user name root as well.
func (s *site) bothNamed(user *record.Account, kinds ...string) {
	s.Helper()
	list, err := s.gate.Store().Events().List(s.Context(), user.ID, 0, 100)
	if err != nil {
		s.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range list {
		seen[e.Name] = true
		if e.Actor != "1" || e.User != user.ID {
			s.Errorf("an event without both: %+v", e)
		}
	}
	for _, kind := range kinds {
		if !seen[kind] {
			s.Errorf("there is no event %s: %+v", kind, list)
		}
	}
}

// told checks that the user gets an e-mail with the reason.
func (s *site) told(user *record.Account) {
	s.Helper()
	list, err := s.store().Admin().Messages(s.Context(), 0, 100)
	if err != nil {
		s.Fatal(err)
	}
	for _, m := range list {
		if m.Kind == record.MessageImpersonated && m.To == user.Email && m.Detail == whyActing {
			return
		}
	}
	s.Errorf("no e-mail: %+v", list)
}

// The tokens name both, also after a refresh, and no longer than 15 minutes. Other
// services see the actor.
func TestImpersonationTokens(t *testing.T) {
	s := newSite(t, admin.Options{}, func(g *jotgate.Settings) { g.AccessTokenLifetime, g.SessionLifetime = 10*time.Minute, 365*24*time.Hour })
	root, alice := s.gate.User("root", jotgatetest.Superuser), s.gate.User("alice")
	begin := s.gate.Clock.Now()
	access, refresh := s.actAs(s.gate.Token(root), alice.ID)
	guard := s.gate.NewGuard()
	check := func(access string) {
		t.Helper()
		for _, verify := range []func(string) (*jotgate.User, error){s.gate.VerifyAccess, guard.VerifyAccess} {
			user, err := verify(access)
			if err != nil || user.ID != alice.ID || user.Actor() != root.ID || user.Expires().After(begin.Add(15*time.Minute)) {
				t.Fatalf("%+v, %v", user, err)
			}
			if act, err := jotgate.ClaimInto[map[string]string](user, "act"); err != nil || act["sub"] != "1" || len(act) != 1 {
				t.Errorf("the claim act is %v, %v", act, err)
			}
		}
	}
	check(access)
	for range 2 {
		s.gate.Clock.Advance(7 * time.Minute)
		tokens, err := s.gate.Refresh(t.Context(), refresh, jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		check(tokens.Access)
		access, refresh = tokens.Access, tokens.Refresh
	}
	s.gate.Clock.Advance(time.Minute)
	if _, err := s.gate.Refresh(t.Context(), refresh, jotgate.Client{}); err == nil {
		t.Error("a refresh after 15 minutes")
	}
	if _, err := s.gate.VerifyAccess(access); err == nil {
		t.Error("the access token is valid after 15 minutes")
	}
}

// It ends with the session of the administrator, however that ends, and when the
// administrator is no longer staff.
func TestImpersonationEndsWithItsActor(t *testing.T) {
	for name, end := range map[string]func(s *site, root *record.Account) error{
		"logout": func(s *site, root *record.Account) error {
			list, err := s.gate.Sessions().List(s.Context(), root.ID)
			if err != nil {
				return err
			}
			return s.gate.Sessions().End(s.Context(), root.ID, list[0].ID, jotgate.Client{})
		},
		"all sessions": func(s *site, root *record.Account) error {
			return s.gate.Sessions().EndAll(s.Context(), root.ID, "", jotgate.Client{})
		},
		"deactivated": func(s *site, root *record.Account) error {
			_, err := s.admin.Act(s.Context(), s.admin.Operator(), "user.deactivate", string(root.ID), nil)
			return err
		},
		"deleted": func(s *site, root *record.Account) error {
			_, err := s.admin.Act(s.Context(), s.admin.Operator(), "user.delete", string(root.ID), nil)
			return err
		},
		"password": func(s *site, root *record.Account) error {
			encoded := root.Password + "x"
			return s.gate.Store().Accounts().Change(s.Context(), root.ID, record.Change{Password: &encoded, EndSessions: record.EndedByPassword, At: s.gate.Clock.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, admin.Options{})
			root, alice := s.gate.User("root", jotgatetest.Superuser), s.gate.User("alice")
			access, refresh := s.actAs(s.gate.Token(root), alice.ID)
			own := s.gate.Token(alice)
			if err := end(s, root); err != nil {
				t.Fatal(err)
			}
			if err := s.gate.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.gate.VerifyAccess(access); err == nil {
				t.Error("the access token is still valid")
			}
			if _, err := s.gate.Refresh(t.Context(), refresh, jotgate.Client{}); err == nil {
				t.Error("the refresh token is still valid")
			}
			if _, err := s.gate.VerifyAccess(own); err != nil {
				t.Errorf("the user's own session ended, too: %v", err)
			}
		})
	}
	t.Run("no longer staff", func(t *testing.T) {
		s := newSite(t, admin.Options{})
		root, alice := s.gate.User("root", jotgatetest.Superuser), s.gate.User("alice")
		_, refresh := s.actAs(s.gate.Token(root), alice.ID)
		if _, err := s.admin.Act(t.Context(), s.admin.Operator(), "user.change", string(root.ID), admin.Fields{"is_staff": {"false"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.gate.Refresh(t.Context(), refresh, jotgate.Client{}); err == nil {
			t.Error("the refresh token is still valid")
		}
	})
}

// Who may act for whom, by page, JSON and command line.
func TestWhoImpersonates(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	helper, changer := s.gate.User("helper", jotgatetest.Staff), s.gate.User("changer", jotgatetest.Staff)
	s.gate.Grant(helper, "jotgate.impersonate_user", "auth.view_user")
	s.gate.Grant(changer, "auth.change_user", "auth.view_user")
	user, staff, super := s.gate.User("user"), s.gate.User("staff", jotgatetest.Staff), s.gate.User("super", jotgatetest.Superuser)
	strong, inactive, weak := s.gate.User("strong"), s.gate.User("inactive", jotgatetest.Inactive), s.gate.User("weak")
	s.gate.Grant(strong, "auth.delete_user")
	s.gate.Grant(weak, "auth.view_user")
	for _, c := range []struct {
		actor, target *record.Account
		ok            bool
	}{
		{root, user, true},
		{root, staff, true},
		{root, strong, true},
		{root, super, false},
		{root, inactive, false},
		{root, root, false},
		{helper, user, true},
		{helper, weak, true},
		{helper, staff, false},
		{helper, super, false},
		{helper, strong, false}, // it has a right that the helper lacks
		{helper, helper, false},
		{changer, user, false},
	} {
		token := s.gate.Token(c.actor)
		s.signIn(c.actor.Username)
		who, err := s.admin.OperatorAs(t.Context(), c.actor)
		if err != nil {
			t.Fatal(err)
		}
		id := string(c.target.ID)
		page := s.post("/admin/users/"+id+"/impersonate", url.Values{"reason": {whyActing}})
		status, _ := s.api(token, "POST", "/admin/api/users/"+id+"/impersonate/", `{"reason": "`+whyActing+`"}`)
		result, err := s.admin.Act(t.Context(), who, "user.impersonate", id, admin.Fields{"reason": {whyActing}})
		if (page.path == "/account/") != c.ok || (status == 200) != c.ok || (err == nil) != c.ok || (result.Access != "") != c.ok {
			t.Errorf("%s for %s: page %d %s, JSON %d, command %v; want %v", c.actor.Username, c.target.Username, page.status, page.path, status, err, c.ok)
		}
	}
	if _, err := s.admin.Act(t.Context(), s.admin.Operator(), "user.impersonate", string(user.ID), admin.Fields{"reason": {whyActing}}); jotgate.AsError(err).Status != 403 {
		t.Errorf("an operator without --as: %v", err)
	}
}

// Every page and every endpoint of the administration is closed to an actor, also if
// the user is staff.
func TestImpersonatedAdministration(t *testing.T) {
	s := newSite(t, admin.Options{SetPasswords: true})
	root, staff := s.gate.User("root", jotgatetest.Superuser), s.gate.User("staff", jotgatetest.Staff)
	s.gate.Grant(staff, "auth.view_user", "auth.change_user", "auth.add_user", "auth.delete_user", "jotgate.impersonate_user")
	access, _ := s.actAs(s.gate.Token(root), staff.ID)
	s.signIn("root")
	s.post("/admin/users/2/impersonate", url.Values{"reason": {whyActing}})
	before := len(s.events())
	tried := 0
	for _, act := range s.admin.Actions() {
		path := s.path(act, "2")
		tried++
		if status, body := s.api(access, "POST", "/admin/api/"+path+"/", `{}`); status != 403 || body["code"] != "impersonated" {
			t.Errorf("%s by JSON: %d %v", act.Name, status, body)
		}
		if got := s.post("/admin/"+path, url.Values{}); got.status != 403 {
			t.Errorf("%s by page: %d %s", act.Name, got.status, got.path)
		}
	}
	for _, path := range []string{"users", "groups", "permissions", "sessions", "keys", "emails", "events", "throttles", "jobs", "health", "schema", "actions"} {
		if status, _ := s.api(access, "GET", "/admin/api/"+path+"/", ""); status != 403 {
			t.Errorf("%s by JSON: %d", path, status)
		}
		if got := s.get("/admin/" + path + "/"); got.status != 403 && got.status != 404 {
			t.Errorf("%s by page: %d", path, got.status)
		}
	}
	if len(s.events()) != before || tried < 26 {
		t.Errorf("%d events, %d actions", len(s.events())-before, tried)
	}
}

// NotImpersonated refuses an actor, and the gate's methods for changes of an account do.
func TestNotImpersonated(t *testing.T) {
	s := newSite(t, admin.Options{})
	root, alice := s.gate.User("root", jotgatetest.Superuser), s.gate.User("alice")
	access, _ := s.actAs(s.gate.Token(root), alice.ID)
	pay := jotgate.NotImpersonated(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	guard := s.gate.NewGuard()
	for token, want := range map[string]string{access: `403 {"detail":"This is not possible while you act for another user.","code":"impersonated"}`, s.gate.Token(alice): "204 ", "": "401"} {
		for _, h := range []http.Handler{s.gate.Require(pay), guard.Require(pay)} {
			r := httptest.NewRequest(http.MethodPost, "/pay", nil)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	w := httptest.NewRecorder()
	if pay.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/pay", nil)); w.Code != http.StatusForbidden {
		t.Errorf("outside Require: %d", w.Code)
	}
	user, err := s.gate.VerifyAccess(access)
	if err != nil {
		t.Fatal(err)
	}
	_, again := s.gate.Logins().Reauthenticate(t.Context(), user, jotgate.Password("alice", jotgatetest.Password), jotgate.Client{})
	for name, err := range map[string]error{
		"Reauthenticate": again, "RequireRecent": s.gate.Factors().RequireRecent(t.Context(), user, alice), "Protect": s.gate.Factors().Protect(t.Context(), user, alice),
	} {
		if jotgate.AsError(err).Code != "impersonated" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
