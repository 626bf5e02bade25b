package admin_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Pages name users, with a link to their page, instead of showing their ids: those
// that an event, a session, an e-mail, an invitation or a job refers to.
func TestNamesOnPages(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.gate.User("gone", jotgatetest.Superuser)
	s.signIn("gone")
	s.post("/admin/users/2/change", url.Values{"first_name": {"Ada"}})
	s.signIn("root")
	for _, path := range []string{"users/3/delete", "users/2/reset-password", "invitations/add", "jobs/start"} {
		form := map[string]url.Values{
			"invitations/add": {"email": {"grace@example.com"}}, "jobs/start": {"action": {"user.end-sessions"}, "selected": {"2"}},
		}[path]
		if got := s.post("/admin/"+path, orNone(form)); got.status != http.StatusOK {
			t.Fatalf("%s: %d", path, got.status)
		}
	}
	root, alice := `<a href="/admin/users/1/">root</a>`, `<a href="/admin/users/2/">alice</a>`
	for path, want := range map[string][]string{
		"events/": {root, alice, `<td>3</td>`, `<a href="/admin/jobs/1/">Job 1</a>`}, "users/2/": {root}, "sessions/": {root}, "emails/": {alice}, "invitations/": {root}, "jobs/": {root}, "jobs/1/": {root},
	} {
		got := s.get("/admin/" + path)
		for _, part := range want {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s: no %s in %s", path, part, got.body)
			}
		}
		if strings.Contains(got.body, `">1</a>`) && !strings.HasPrefix(path, "jobs") || strings.Contains(got.body, "/users/3/") {
			t.Errorf("%s: an id, or a link to an account that is gone, in %s", path, got.body)
		}
	}
}

func orNone(form url.Values) url.Values {
	if form == nil {
		return url.Values{}
	}
	return form
}

// What is done in the name of a user has both names, in the audit trail and in the
// history of the user.
func TestNamesOfImpersonation(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.signIn("root")
	if got := s.post("/admin/users/2/impersonate", url.Values{"reason": {"Ticket 12345: cannot see the invoice"}}); got.status != http.StatusOK {
		t.Fatal(got.status, got.path)
	}
	s.post("/account/logout", url.Values{})
	for _, path := range []string{"events/?event=logout", "users/2/"} {
		got := s.get("/admin/" + path)
		if !strings.Contains(got.body, `<a href="/admin/users/1/">root</a>`) || !strings.Contains(got.body, "alice") || !strings.Contains(got.body, "Act for this user") && path == "users/2/" {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

// A conflict shows both versions in the words of the form: yes and no, and the names
// of groups and permissions.
func TestConflictInWords(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.gate.AddToGroup(root, "editors")
	authors := s.group("authors", "auth.view_user")
	s.signIn("root")
	permission := s.permission("auth.add_user")
	for path, c := range map[string]struct {
		form url.Values
		rows []string
	}{
		"users/1/change": {
			url.Values{"version": {"another"}, "is_staff": {"false"}, "groups": {"", authors}, "user_permissions": {"", permission}, "last_name": {"King"}},
			[]string{"Staff status</th><td>Yes</td><td>No</td>", "Groups</th><td>editors</td><td>authors</td>", "User permissions</th><td>–</td><td>auth.add_user</td>", "Last name</th><td>–</td><td>King</td>"},
		},
		"groups/" + authors + "/change": {
			url.Values{"version": {"another"}, "permissions": {"", permission}}, []string{"Permissions</th><td>auth.view_user</td><td>auth.add_user</td>"},
		},
	} {
		got := s.post("/admin/"+path, c.form)
		for _, row := range c.rows {
			if got.status != http.StatusConflict || !strings.Contains(got.body, row) {
				t.Errorf("%s: %d, no %s in %s", path, got.status, row, got.body)
			}
		}
	}
	s.post("/admin/users/1/change", url.Values{"is_staff": {"true"}, "groups": {"", authors}}) // so does the history
	got := s.get("/admin/users/1/")
	if want := `<dt>Groups</dt><dd><del>editors</del> → authors</dd>`; !strings.Contains(got.body, want) {
		t.Errorf("no %s in %s", want, got.body)
	}
	s.post("/admin/users/1/deactivate", url.Values{})
	if want := `<dt>Active</dt><dd><del>Yes</del> → No</dd>`; !strings.Contains(s.send(http.MethodGet, "/admin/users/1/", nil).body, want) && s.account("root").IsActive {
		t.Errorf("no %s", want)
	}
}

// Save leads back to the list as it was, with the name of what was saved; the two
// other buttons of Django's forms lead to an empty form and stay at this one.
func TestSaveButtons(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.group("editors")
	s.signIn("root")
	list := s.get("/admin/users/?q=ali&active=true")
	row := between(list.body, `<th scope="row"><a href="`, `"`)
	if want := "/admin/users/2/?back=active%3Dtrue%26q%3Dali"; row != want {
		t.Fatalf("%s, want %s", row, want)
	}
	form := s.get(row)
	change := between(form.body, `<form method="post" action="/admin/users`, `"`)
	for _, name := range []string{"_addanother", "_continue"} {
		if !strings.Contains(form.body, `name="`+name+`"`) {
			t.Errorf("no button %s in %s", name, form.body)
		}
	}
	for _, c := range []struct{ path, button, want, said string }{
		{"users" + change, "", "/admin/users/?active=true&done=user.change&id=2&q=ali", `The user was saved. <a href="/admin/users/2/">alice</a>`},
		{"users" + change, "_continue", "/admin/users/2/?back=active%3Dtrue%26q%3Dali&done=user.change&id=2", "The user was saved.<"},
		{"users" + change, "_addanother", "/admin/users/add?done=user.change&id=2", `The user was saved. <a href="/admin/users/2/">alice</a>`},
		{"users/2/change?back=next%3Dhttps://example.com%26q%3Dx", "", "/admin/users/?done=user.change&id=2&q=x", "The user was saved."},
		{"users/add", "", "/admin/users/?done=user.add&id=3", `The user was added. <a href="/admin/users/3/">new</a>`},
		{"users/add", "_continue", "/admin/users/4/?done=user.add&id=4", "The user was added.<"},
		{"users/add", "_addanother", "/admin/users/add?done=user.add&id=5", "The user was added. <a"},
		{"groups/1/change", "", "/admin/groups/?done=group.change&id=1", `The group was saved. <a href="/admin/groups/1/">editors</a>`},
		{"groups/1/change", "_continue", "/admin/groups/1/?done=group.change&id=1", "The group was saved.<"},
		{"groups/add", "_addanother", "/admin/groups/add?done=group.add&id=2", `The group was added. <a href="/admin/groups/2/">`},
	} {
		form := url.Values{}
		if c.path == "users/add" {
			form.Set("username", map[string]string{"": "new", "_continue": "newer", "_addanother": "newest"}[c.button])
		}
		if c.path == "groups/add" {
			form.Set("name", "authors")
		}
		if c.button != "" {
			form.Set(c.button, "1")
		}
		if got := s.post("/admin/"+c.path, form); got.path != c.want || !strings.Contains(got.body, c.said) {
			t.Errorf("%s %s: %s, want %s; no %s in %s", c.path, c.button, got.path, c.want, c.said, between(got.body, "<main", "<form"))
		}
	}
	status, body := s.api(s.gate.Token(s.account("root")), "POST", "/admin/api/users/2/change/", `{"_continue": "1"}`)
	if status != http.StatusBadRequest {
		t.Error("a button in JSON:", status, body)
	}
}

// A name of an object is shown to those who may see it only.
func TestNameOfAnotherObject(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.Grant(s.gate.User("viewer", jotgatetest.Staff), "auth.view_user")
	s.group("secret")
	s.signIn("viewer")
	if got := s.get("/admin/users/?done=group.change&id=1"); strings.Contains(got.body, "/groups/1/") {
		t.Error(got.body)
	}
	for _, id := range []string{"99", "x", "1 OR 1"} {
		if got := s.get("/admin/users/?done=user.change&id=" + url.QueryEscape(id)); got.status != http.StatusOK {
			t.Errorf("%s: %d", id, got.status)
		}
	}
}

// A new user's form that is not valid keeps what was typed.
func TestFormKeepsValues(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.gate.AddToGroup(root, "editors")
	s.signIn("root")
	got := s.post("/admin/users/add", url.Values{
		"username": {"root"}, "email": {"ada@example.com"}, "first_name": {"Ada"}, "last_name": {"King"},
		"is_active": {"false"}, "is_staff": {"false", "true"}, "is_superuser": {"false"}, "groups": {"", "1"}, "send_reset": {"false"},
	})
	for _, part := range []string{`value="root"`, `value="ada@example.com"`, `value="Ada"`, `value="King"`, `name="is_staff" value="true" checked`, `name="groups" value="1" checked`} {
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, part) {
			t.Errorf("%d, no %s", got.status, part)
		}
	}
	if n := strings.Count(got.body, " checked"); n != 2 {
		t.Errorf("%d boxes are ticked", n)
	}
}

// The title of a page begins with the object, so that tabs differ.
func TestTitles(t *testing.T) {
	s := newSite(t, admin.Options{Site: "Example"})
	s.gate.User("root", jotgatetest.Superuser)
	s.group("editors")
	s.signIn("root")
	for path, want := range map[string]string{"users/1/": "root · User · Example", "groups/1/": "editors · Group · Example", "users/": "Users · Example"} {
		if got := between(s.get("/admin/"+path).body, "<title>", "</title>"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// Each box has a text that says what it does, in every language.
func TestHelpOfBoxes(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	for _, code := range []string{"en", "de", "fr", "es", "pt-BR", "ar", "ja"} {
		got := s.get("/admin/users/add?lang=" + code)
		for _, field := range []string{"is_active", "is_staff", "is_superuser"} {
			if help := between(got.body, `<p class="hint" id="`+field+`-hint">`, "</p>"); len(help) < 20 || !strings.Contains(got.body, `aria-describedby="`+field+`-hint"`) {
				t.Errorf("%s %s: %q", code, field, help)
			}
		}
	}
}

// Columns that can be sorted are links, others and those of a filtered list are not.
func TestColumns(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice", func(a *record.Account) { a.Email = "zoe@example.com" })
	s.signIn("root")
	got := s.get("/admin/users/?sort=-email")
	if !strings.Contains(got.body, `aria-sort="descending"><a href="?sort=email">E-mail address</a>`) || strings.Index(got.body, "zoe@") > strings.Index(got.body, "root@") {
		t.Error(got.body)
	}
	if n := strings.Count(got.body, "aria-sort"); n != 5 {
		t.Errorf("%d columns can be sorted", n)
	}
	got = s.get("/admin/users/?active=true&sort=-email")
	if strings.Contains(got.body, "aria-sort") || !strings.Contains(got.body, "Only the list without filters") {
		t.Error(got.body)
	}
}

// Staff who may not change an account, or not this one, see a form that cannot be
// used and no actions; others see both.
func TestFixedForms(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("plain")
	s.gate.Grant(s.gate.User("viewer", jotgatetest.Staff), "auth.view_user", "auth.view_group")
	s.gate.Grant(s.gate.User("changer", jotgatetest.Staff), "auth.change_user", "auth.change_group")
	s.group("editors")
	for _, c := range []struct {
		actor, path string
		fixed       bool
	}{
		{"viewer", "users/2/", true},
		{"viewer", "users/1/", true},
		{"viewer", "groups/1/", true},
		{"changer", "users/2/", false},
		{"changer", "users/1/", true},
		{"changer", "users/3/", true},
		{"changer", "users/4/", false},
		{"changer", "groups/1/", false},
		{"root", "users/1/", false},
		{"root", "users/add", false},
		{"root", "groups/add", false},
	} {
		s.signIn(c.actor)
		got := s.get("/admin/" + c.path)
		disabled, save := strings.Contains(got.body, "<fieldset disabled"), strings.Contains(got.body, ">Save</button>")
		act := strings.Contains(got.body, "/reset-password") || strings.Contains(got.body, "/end\"")
		if got.status != http.StatusOK || disabled != c.fixed || save == c.fixed || act && c.fixed || strings.Contains(got.body, "You can see this") != c.fixed {
			t.Errorf("%s at %s: %d, disabled %v, save %v, act %v", c.actor, c.path, got.status, disabled, save, act)
		}
	}
}

// The filters for a user take a login name or an id, and those of the throttles the
// login name, whose counters have only its digest.
func TestFiltersByName(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	for _, name := range []string{"alice", "bob"} {
		s.gate.User(name)
		s.enter(name)
		for _, key := range []string{throttle.AccountKey(name), throttle.AccountKey(name) + " 192.0.2.7"} {
			if err := s.gate.Store().Failures().Add(t.Context(), []string{key}, s.gate.Clock.Now(), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.signIn("root")
	for path, n := range map[string]int{
		"events/?event=login&user=alice": 1, "events/?event=login&user=2": 1, "events/?event=login&user=nobody": 0, "events/?event=login&actor=alice": 0, "events/?event=login": 3,
		"sessions/?user=alice": 1, "sessions/?user=2": 1, "sessions/?user=nobody": 0,
		"throttles/?user=nobody": 0,
	} {
		got := s.get("/admin/" + path)
		if rows := strings.Count(between(got.body, "<tbody>", "</tbody>"), `<th scope="row"`); got.status != http.StatusOK || rows != n {
			t.Errorf("%s: %d, %d rows, want %d", path, got.status, rows, n)
		}
	}
	all, alice := s.rows("throttles/"), s.rows("throttles/?user=alice")
	if alice != 2 || all != 4 {
		t.Errorf("%d counters, %d of alice", all, alice)
	}
}

func (s *site) rows(path string) int {
	s.Helper()
	return strings.Count(between(s.get("/admin/"+path).body, "<tbody>", "</tbody>"), `<th scope="row"`)
}

// enter signs in a user who is not staff.
func (s *site) enter(name string) {
	s.Helper()
	s.fresh()
	if got := s.post("/account/login", url.Values{"username": {name}, "password": {jotgatetest.Password}}); strings.HasPrefix(got.path, "/account/login") {
		s.Fatal(got.path)
	}
}

// A user who is not staff is told so, and can sign in as another one.
func TestWayOut(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	got := s.get("/admin/")
	if got.status != http.StatusForbidden || !strings.Contains(got.body, `href="/account/logout"`) || !strings.Contains(got.body, "another account") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// The filter of the audit trail offers every event that has words, in the language of
// the page.
func TestFilterOfEvents(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	text, err := os.ReadFile("../internal/catalog/messages/de.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, n := s.get("/admin/events/?event=login&lang=de"), 0
	for line := range strings.Lines(string(text)) {
		if id, words, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.HasPrefix(id, "event.") {
			n++
			name := strings.TrimPrefix(id, "event.")
			selected := map[bool]string{true: " selected"}[name == "login"]
			if option := `<option value="` + name + `"` + selected + `>` + words + `</option>`; !strings.Contains(got.body, option) {
				t.Errorf("no %s", option)
			}
		}
	}
	_, list, _ := strings.Cut(got.body, `name="event"`)
	list, _, _ = strings.Cut(list, "</select>")
	if options := strings.Count(list, "<option "); n < 30 || options != n+1 {
		t.Errorf("%d events, %d options", n, options)
	}
}
