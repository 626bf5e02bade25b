package admin_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// An administrator invites an address on the page, which then is in the list; the
// e-mail has a link that works, and another one after it was sent again.
func TestInvite(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	group := s.group("editors")
	s.signIn("root")
	got := s.post("/admin/invitations/add", url.Values{"email": {"Ada@Example.com"}, "groups": {"", group}})
	if got.status != http.StatusOK || got.path != "/admin/invitations/?done=invitation.add" || !strings.Contains(got.body, "Ada@example.com") || !strings.Contains(got.body, "editors") {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	for email, want := range map[string]string{
		"": "This field is required.", "x": "Enter a valid email address.", "Ada@example.com": "This address has an invitation already.", "ROOT@example.com": "A user with this address exists already.",
	} {
		if got := s.post("/admin/invitations/add", url.Values{"email": {email}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, want) {
			t.Errorf("%q: %d\n%s", email, got.status, got.body)
		}
	}
	link := func() string {
		accounts, err := s.gate.Links().Accounts(t.Context(), record.MessageInvitation, "Ada@example.com")
		if err != nil || len(accounts) != 1 {
			t.Fatal(accounts, err)
		}
		uid, token := s.gate.Links().Parts(record.MessageInvitation, accounts[0])
		return "/account/invitation?" + url.Values{"uid": {uid}, "token": {token}}.Encode()
	}
	first := link()
	if got := s.post("/admin/invitations/1/resend", url.Values{}); got.path != "/admin/invitations/?done=invitation.resend" {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	messages, err := s.store().Admin().Messages(t.Context(), 0, 10)
	if err != nil || len(messages) != 2 || messages[1].Kind != record.MessageInvitation || messages[1].To != "Ada@example.com" || messages[1].User != "" {
		t.Fatalf("%+v, %v", messages, err)
	}
	if list := s.events(); len(list) != 2 || list[1].Detail != "invitation.add" || list[1].Actor != "1" || list[1].Target != "invitation 1" ||
		list[1].Changes != `{"email":[null,"Ada@example.com"],"groups":[[],["editors"]]}` || list[0].Detail != "invitation.resend" {
		t.Errorf("%+v", list)
	}
	second := link()
	s.fresh()
	if got := s.get(first); !strings.Contains(got.body, "not valid") {
		t.Errorf("the replaced link: %d\n%s", got.status, got.body)
	}
	if got := s.post(second, url.Values{"username": {"ada"}, "password": {jotgatetest.Password}}); got.path != "/account/" {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	groups, _, err := s.gate.Store().Accounts().Grants(t.Context(), s.account("ada").ID)
	if err != nil || len(groups) != 1 {
		t.Error(groups, err)
	}
	s.signIn("root")
	if got := s.get("/admin/invitations/"); strings.Contains(got.body, "Ada@example.com") {
		t.Error("an accepted invitation is in the list")
	}
}

// Only groups within the own rights can be given, and invitations with others be
// neither sent again nor revoked.
func TestInviteWithinRights(t *testing.T) {
	s := newSite(t, admin.Options{})
	carl := s.gate.User("carl", jotgatetest.Staff)
	s.gate.Grant(carl, "auth.add_user", "auth.change_user", "auth.view_user")
	vera := s.gate.User("vera", jotgatetest.Staff)
	s.gate.Grant(vera, "auth.add_user", "auth.view_user")
	mighty, weak := s.group("mighty", "auth.delete_user"), s.group("weak", "auth.view_user")
	act := func(who *record.Account, name, target string, in admin.Fields) error {
		actor, err := s.admin.OperatorAs(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.admin.Act(t.Context(), actor, name, target, in)
		return err
	}
	if err := act(vera, "invitation.add", "", admin.Fields{"email": {"a@example.com"}}); err == nil {
		t.Error("without change_user")
	}
	if err := act(carl, "invitation.add", "", admin.Fields{"email": {"a@example.com"}, "groups": {mighty}}); err == nil || !strings.Contains(err.Error(), "auth.delete_user") {
		t.Error(err)
	}
	if err := act(carl, "invitation.add", "", admin.Fields{"email": {"a@example.com"}, "groups": {weak}}); err != nil {
		t.Error(err)
	}
	if _, err := s.admin.Act(t.Context(), s.admin.Operator(), "invitation.add", "", admin.Fields{"email": {"b@example.com"}, "groups": {mighty}}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"invitation.resend", "invitation.revoke"} {
		if err := act(carl, name, "2", nil); err == nil {
			t.Errorf("%s of an invitation above the actor", name)
		}
		if err := act(carl, name, "1", nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := s.store().Admin().Invitations(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].By != "" {
		t.Errorf("%+v, %v", list, err)
	}
	err = s.store().Admin().Change(t.Context(), func(ctx context.Context, tx adminstore.Tx) error {
		_, err := tx.System.Invitation(ctx, 1)
		return err
	})
	if err == nil {
		t.Error("a revoked invitation exists")
	}
}
