package admin_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// rightsOf are the permissions that an action needs, all of them; "superuser" is no
// permission. An action that is not here is on users and needs auth.change_user.
var rightsOf = map[string][]string{
	"user.add": {"auth.add_user", "auth.change_user"}, "user.delete": {"auth.delete_user"}, "user.impersonate": {"jotgate.impersonate_user"}, "user.export": {"auth.view_user"}, "event.export": {"auth.view_user"},
	"group.add": {"auth.add_group"}, "group.change": {"auth.change_group"}, "group.delete": {"auth.delete_group"},
	"invitation.add": {"auth.add_user", "auth.change_user"}, "invitation.resend": {"auth.add_user", "auth.change_user"}, "invitation.revoke": {"auth.add_user", "auth.change_user"},
	"key.add": {"superuser"}, "key.switch": {"superuser"}, "key.retire": {"superuser"}, "key.delete": {"superuser"},
}

// Every action of the table, on users, groups, invitations, sessions, keys, e-mails,
// counters and jobs, by page, JSON and command: done by a superuser, by staff who have all
// permissions that it needs, and by no other account; a refused one leaves no event. In the short
// form each cell is tried in one of the three ways, in the long form in all.
func TestActionMatrix(t *testing.T) {
	s := newSite(t, admin.Options{SetPasswords: true})
	all := []string{"auth.view_user", "auth.change_user", "auth.add_user", "auth.delete_user", "auth.view_group", "auth.change_group", "auth.add_group", "auth.delete_group", "jotgate.impersonate_user"}
	actors := map[string][]string{"none": nil, "super": nil, "unstaffed": all, "creator": {"auth.add_user", "auth.change_user"}}
	for _, p := range all {
		actors[strings.TrimPrefix(p, "auth.")] = []string{p}
	}
	prepare, n, cells, turn := deeds(s), 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(actors)) {
		permissions := actors[name]
		account := s.gate.User(name, func(a *record.Account) { a.IsStaff, a.IsSuperuser = name != "unstaffed", name == "super" })
		s.gate.Grant(account, permissions...)
		token := s.gate.Token(account)
		s.signIn(name)
		for _, act := range s.admin.Actions() {
			needs := rightsOf[act.Name]
			if needs == nil {
				needs = []string{"auth.change_user"}
			}
			allowed := account.IsSuperuser || account.IsStaff && !slices.ContainsFunc(needs, func(p string) bool { return !slices.Contains(permissions, p) })
			turn++
			for i, try := range []func(d deed) bool{
				func(d deed) bool { return s.actByPage(act, d) },
				func(d deed) bool { return s.actByJSON(token, act, d) },
				func(d deed) bool { return s.actByCommand(account, act, d) },
			} {
				if turn%3 != i && !rounds.Long() {
					continue
				}
				door := []string{"page", "JSON", "command"}[i]
				n, cells = n+1, cells+1
				d := prepare[act.Name](n)
				if act.Name == "group.change" {
					delete(d.in, "permissions") // TestNobodyRaisesRights
				}
				before := len(s.events())
				got := try(d)
				if strings.HasPrefix(act.Name, "job.") && got {
					s.settle()
				}
				if added := len(s.events()) > before; got != allowed || added != allowed {
					t.Errorf("%s by %s as %s: %v, events %v; want %v", act.Name, door, name, got, added, allowed)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
	if cells < 13*32 {
		t.Errorf("only %d cells", cells)
	}
}

func (s *site) actByPage(act admin.ActionInfo, d deed) bool {
	got := s.post("/admin/"+s.path(act, d.target), url.Values(orEmpty(d.in)))
	if act.Name == "user.impersonate" && got.status == http.StatusOK {
		s.post("/account/logout", url.Values{}) // back to the administration
	}
	return got.status == http.StatusOK && !strings.HasPrefix(got.path, "/account/login")
}

func (s *site) actByJSON(token string, act admin.ActionInfo, d deed) bool {
	status, body := s.api(token, http.MethodPost, "/admin/api/"+s.path(act, d.target)+"/", jsonOf(d.in))
	if status != http.StatusOK && status != http.StatusForbidden {
		s.Errorf("%s: %d %v", act.Name, status, body)
	}
	return status == http.StatusOK
}

func (s *site) actByCommand(account *record.Account, act admin.ActionInfo, d deed) bool {
	who, err := s.admin.OperatorAs(s.Context(), account)
	if err == nil {
		_, err = s.admin.Act(s.Context(), who, act.Name, d.target, d.in)
	}
	if err != nil && !errors.Is(err, jotgate.ErrForbidden) {
		s.Errorf("%s: %v", act.Name, err)
	}
	return err == nil
}

// Nobody invites into a group whose rights they lack.
func TestInvitationGivesNoRights(t *testing.T) {
	s := newSite(t, admin.Options{})
	creator := s.gate.User("creator", jotgatetest.Staff)
	s.gate.Grant(creator, "auth.add_user", "auth.change_user")
	strong, empty, weak := s.group("strong", "auth.delete_user"), s.group("empty"), s.group("weak", "auth.change_user")
	for i, c := range []struct {
		groups []string
		ok     bool
	}{{nil, true}, {[]string{weak}, true}, {[]string{strong}, false}, {[]string{weak, strong}, false}, {[]string{empty}, true}} {
		who, err := s.admin.OperatorAs(t.Context(), creator)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.admin.Act(t.Context(), who, "invitation.add", "", admin.Fields{"email": {string(rune('a'+i)) + "@example.com"}, "groups": c.groups})
		if (err == nil) != c.ok {
			t.Errorf("%v: %v", c.groups, err)
		}
	}
}
