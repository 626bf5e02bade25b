package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// An actor of the matrix: a user with these permissions.
var matrixActors = []struct {
	name        string
	staff       bool
	super       bool
	permissions []string
}{
	{"user", false, false, nil},
	{"unstaffed", false, false, []string{"auth.view_user", "auth.change_user", "auth.add_user", "auth.delete_user"}},
	{"bare", true, false, nil},
	{"viewer", true, false, []string{"auth.view_user"}},
	{"changer", true, false, []string{"auth.change_user"}},
	{"adder", true, false, []string{"auth.add_user"}},
	{"creator", true, false, []string{"auth.add_user", "auth.change_user"}},
	{"deleter", true, false, []string{"auth.delete_user"}},
	{"root", true, true, nil},
}

// A target of the matrix.
var matrixTargets = []string{"own", "plain", "staff", "superuser"}

// django is the decision of Django's UserAdmin (django/contrib/auth/admin.py and
// ModelAdmin.has_*_permission), which does not look at the target.
// TestRightsOfDjangosAdmin in interop/together asks a real one, also about groups.
func django(actor int, verb string) bool {
	a := matrixActors[actor]
	has := func(p string) bool {
		if a.super {
			return true
		}
		for _, have := range a.permissions {
			if have == "auth."+p+"_user" {
				return true
			}
		}
		return false
	}
	switch {
	case !a.staff:
		return false
	case verb == "view":
		return has("view") || has("change")
	case verb == "add":
		return has("add") && has("change")
	}
	return has(verb)
}

// wanted is Django's decision, but only superusers touch superusers, and nobody
// touches an account with rights that it lacks.
func wanted(actor int, verb, target string) bool {
	ok := django(actor, verb)
	if verb == "view" || verb == "add" || matrixActors[actor].super || target == "own" || target == "plain" {
		return ok
	}
	return ok && target == "staff" && contains(matrixActors[actor].permissions, "auth.view_user")
}

func contains(list []string, s string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+s+" ")
}

// matrix is a site with the actors and the targets.
type matrix struct {
	*site
	ids map[string]record.UserID // of the targets
	n   int
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{site: newSite(t, admin.Options{}), ids: map[string]record.UserID{}}
	for _, a := range matrixActors {
		u := m.gate.User(a.name, func(r *record.Account) { r.IsStaff, r.IsSuperuser = a.staff, a.super })
		m.gate.Grant(u, a.permissions...)
	}
	m.target("staff")
	m.target("superuser")
	return m
}

// target creates a target of this kind. The staff has the permission to view users.
func (m *matrix) target(kind string) record.UserID {
	m.n++
	u := m.gate.User(fmt.Sprintf("%s-%d", kind, m.n), func(r *record.Account) { r.IsStaff, r.IsSuperuser = kind != "plain", kind == "superuser" })
	if kind == "staff" {
		m.gate.Grant(u, "auth.view_user")
	}
	return u.ID
}

// Every cell of rights × target × verb is decided equally by page, JSON and command
// line, and as Django does, except where nobody may touch what is above them.
func TestPermissionMatrix(t *testing.T) {
	m := newMatrix(t)
	cells := 0
	for i, actor := range matrixActors {
		m.signIn(actor.name)
		account := m.account(actor.name)
		token := m.gate.Token(account)
		for _, verb := range []string{"view", "change", "add", "delete"} {
			for _, target := range matrixTargets {
				if verb == "delete" && target == "own" && wanted(i, verb, target) {
					continue // TestDeleteOwn: the actor would be gone
				}
				for door, try := range map[string]func(id string) bool{
					"page":    func(id string) bool { return m.page(verb, id) },
					"JSON":    func(id string) bool { return m.json(token, verb, id) },
					"command": func(id string) bool { return m.command(account, verb, id) },
				} {
					id := account.ID
					if target != "own" {
						id = m.target(target)
					}
					cells++
					if got, want := try(string(id)), wanted(i, verb, target); got != want {
						t.Errorf("%s %s %s by %s: %v, want %v", actor.name, verb, target, door, got, want)
					}
				}
			}
		}
	}
	t.Logf("%d cells", cells)
	m.anonymous()
}

// anonymous has no right at any door.
func (m *matrix) anonymous() {
	m.Helper()
	m.fresh()
	for _, verb := range []string{"view", "change", "add", "delete"} {
		id := string(m.target("plain"))
		if m.page(verb, id) || m.json("", verb, id) {
			m.Errorf("%s without a login", verb)
		}
	}
}

func (m *matrix) page(verb, id string) bool {
	var got shown
	switch m.n++; verb {
	case "view":
		got = m.get("/admin/users/" + id + "/")
		return m.allowed(got)
	case "change":
		got = m.post("/admin/users/"+id+"/change", url.Values{"first_name": {fmt.Sprint("n", m.n)}})
	case "add":
		got = m.post("/admin/users/add", url.Values{"username": {fmt.Sprint("new", m.n)}})
	case "delete":
		got = m.post("/admin/users/"+id+"/delete", url.Values{})
	}
	return m.allowed(got)
}

// allowed reports whether a page was shown, and fails for anything but a page, a
// refusal or a login.
func (m *matrix) allowed(got shown) bool {
	m.Helper()
	login := strings.HasPrefix(got.path, "/account/login")
	if got.status != http.StatusOK && got.status != http.StatusForbidden {
		m.Errorf("status %d at %s\n%s", got.status, got.path, got.body)
	}
	return got.status == http.StatusOK && !login
}

func (m *matrix) json(token, verb, id string) bool {
	status := 0
	switch m.n++; verb {
	case "view":
		status, _ = m.api(token, "GET", "/admin/api/users/"+id+"/", "")
	case "change":
		status, _ = m.api(token, "POST", "/admin/api/users/"+id+"/change/", fmt.Sprintf(`{"first_name": "n%d"}`, m.n))
	case "add":
		status, _ = m.api(token, "POST", "/admin/api/users/add/", fmt.Sprintf(`{"username": "new%d"}`, m.n))
	case "delete":
		status, _ = m.api(token, "POST", "/admin/api/users/"+id+"/delete/", "")
	}
	if status != 200 && status != 403 && (status != 401 || token != "") {
		m.Errorf("%s: status %d", verb, status)
	}
	return status == 200
}

func (m *matrix) command(account *record.Account, verb, id string) bool {
	who, err := m.admin.OperatorAs(m.Context(), account)
	switch m.n++; {
	case err != nil:
	case verb == "view":
		_, err = m.admin.Read(m.Context(), who, "users", id, nil)
	case verb == "change":
		_, err = m.admin.Act(m.Context(), who, "user.change", id, admin.Fields{"first_name": {fmt.Sprint("n", m.n)}})
	case verb == "add":
		_, err = m.admin.Act(m.Context(), who, "user.add", "", admin.Fields{"username": {fmt.Sprint("new", m.n)}})
	case verb == "delete":
		_, err = m.admin.Act(m.Context(), who, "user.delete", id, nil)
	}
	if err != nil && !errors.Is(err, jotgate.ErrForbidden) {
		m.Errorf("%s: %v", verb, err)
	}
	return err == nil
}

// As in Django, users who may delete users may delete their own account.
func TestDeleteOwn(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.Grant(s.gate.User("deleter", jotgatetest.Staff), "auth.delete_user", "auth.view_user")
	s.signIn("deleter")
	if got := s.post("/admin/users/1/delete", url.Values{}); !strings.HasPrefix(got.path, "/account/login") {
		t.Errorf("%d %s", got.status, got.path)
	}
	if list := s.events(); len(list) != 1 || list[0].Detail != "user.delete" {
		t.Errorf("%+v", list)
	}
}

// Nobody gives a right that they lack, to themselves or to others, by any field.
func TestNobodyRaisesRights(t *testing.T) {
	s := newSite(t, admin.Options{})
	changer := s.gate.User("changer", jotgatetest.Staff)
	s.gate.Grant(changer, "auth.change_user", "auth.view_user", "auth.change_group", "auth.add_group")
	other := s.gate.User("other")
	strong, empty, weak := s.group("strong", "auth.delete_user"), s.group("empty"), s.group("weak", "auth.view_user")
	for _, c := range []struct {
		action string
		target string
		in     admin.Fields
		ok     bool
	}{
		{"user.change", string(changer.ID), admin.Fields{"is_superuser": {"true"}}, false},
		{"user.change", string(other.ID), admin.Fields{"is_superuser": {"true"}}, false},
		{"user.change", string(changer.ID), admin.Fields{"groups": {strong}}, false},
		{"user.change", string(changer.ID), admin.Fields{"groups": {empty}}, false}, // a group may be a role of the application
		{"user.change", string(other.ID), admin.Fields{"groups": {strong}}, false},
		{"user.change", string(other.ID), admin.Fields{"groups": {weak, strong}}, false},
		{"user.change", string(other.ID), admin.Fields{"groups": {weak}}, true},
		{"user.change", string(other.ID), admin.Fields{"user_permissions": {s.permission("auth.delete_user")}}, false},
		{"user.change", string(changer.ID), admin.Fields{"user_permissions": {s.permission("auth.delete_user")}}, false},
		{"user.change", string(other.ID), admin.Fields{"user_permissions": {s.permission("auth.view_user")}}, true},
		{"user.change", string(other.ID), admin.Fields{"user_permissions": {""}}, true},
		{"user.change", string(other.ID), admin.Fields{"is_staff": {"true"}}, true},
		{"group.change", weak, admin.Fields{"permissions": {s.permission("auth.delete_user")}}, false},
		{"group.change", weak, admin.Fields{"permissions": {s.permission("auth.change_user")}}, true},
		{"group.add", "", admin.Fields{"name": {"mine"}, "permissions": {s.permission("auth.delete_user")}}, false},
		{"group.delete", weak, nil, false},
		{"key.add", "", nil, false},
	} {
		who, err := s.admin.OperatorAs(t.Context(), changer)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.events())
		_, err = s.admin.Act(t.Context(), who, c.action, c.target, c.in)
		if (err == nil) != c.ok || len(s.events())-before != map[bool]int{true: 1}[c.ok] {
			t.Errorf("%s %v: %v", c.action, c.in, err)
		}
	}
}

// A right that is taken away is missing immediately, also for users who are signed in.
func TestRightsAreRead(t *testing.T) {
	s := newSite(t, admin.Options{})
	changer := s.gate.User("changer", jotgatetest.Staff)
	s.gate.Grant(changer, "auth.change_user")
	s.gate.User("other")
	who, err := s.admin.OperatorAs(t.Context(), changer)
	if err != nil {
		t.Fatal(err)
	}
	act := func() error {
		_, err := s.admin.Act(t.Context(), who, "user.change", "2", admin.Fields{"first_name": {"x"}})
		return err
	}
	if err := act(); err != nil {
		t.Fatal(err)
	}
	if err := s.store().Permissions().RevokeFromAccount(t.Context(), changer.ID, "auth.change_user"); err != nil {
		t.Fatal(err)
	}
	if err := act(); !errors.Is(err, jotgate.ErrForbidden) {
		t.Error(err)
	}
}
