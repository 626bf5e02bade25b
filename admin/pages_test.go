package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// Every page is shown, in the strict headers, to staff alone.
func TestPages(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.gate.AddToGroup(root, "editors")
	for _, path := range []string{
		"", "users/", "users/1/", "users/2/", "users/add", "users/2/delete", "users/2/deactivate", "users/?q=ali", "users/?staff=true", "users/?sort=-username",
		"groups/", "groups/1/", "groups/add", "groups/1/delete", "permissions/", "permissions/1/", "sessions/", "keys/", "emails/", "invitations/", "invitations/add", "events/", "events/?event=login", "throttles/", "jobs/", "health/",
	} {
		s.fresh()
		if got := s.get("/admin/" + path); !strings.HasPrefix(got.path, "/account/login?next=") {
			t.Errorf("%s without a login: %d %s", path, got.status, got.path)
		}
		s.signIn("alice")
		if got := s.get("/admin/" + path); got.status != http.StatusForbidden {
			t.Errorf("%s as a user: %d", path, got.status)
		}
		s.signIn("root")
		got := s.get("/admin/" + path)
		if got.status != http.StatusOK || len(got.body) > 60<<10 || strings.Contains(got.body, "admin.") || !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d, %d bytes\n%s", path, got.status, len(got.body), got.body)
		}
	}
	for path, status := range map[string]int{"/admin/nothing": 404, "/admin/users/99/": 404, "/admin/users/x/": 404, "/admin/groups/99/": 404, "/admin/jobs/1/": 404, "/admin/permissions/999/": 404} {
		if got := s.get(path); got.status != status {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// Each error of a form is beside its field, and the list of errors links to it.
func TestErrorsBesideFields(t *testing.T) {
	s := newSite(t, admin.Options{SetPasswords: true})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.gate.AddToGroup(root, "editors")
	s.signIn("root")
	for _, f := range []struct{ path, field, value string }{
		{"users", "username", ""},
		{"users", "email", "broken"},
		{"users", "password", "short"},
		{"users", "is_active", "perhaps"},
		{"users", "is_staff", "perhaps"},
		{"users", "is_superuser", "perhaps"},
		{"users", "groups", "99"},
		{"users", "user_permissions", "9999"},
		{"groups", "name", ""},
		{"groups", "permissions", "9999"},
		{"invitations", "email", "broken"},
		{"invitations", "groups", "99"},
	} {
		form := map[string]url.Values{
			"users":       {"username": {"ada"}, "email": {"ada@example.com"}},
			"groups":      {"name": {"authors"}},
			"invitations": {"email": {"ada@example.com"}},
		}[f.path]
		form.Set(f.field, f.value)
		got := s.post("/admin/"+f.path+"/add", form)
		if n := strings.Count(got.body, ` id="errors"`); n != 1 {
			t.Errorf("%s, %s: %d lists of errors", f.path, f.field, n)
		}
		for _, part := range []string{`href="#` + f.field + `"`, ` id="` + f.field + `"`, ` id="` + f.field + `-error"`, f.field + `-error"`} {
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, part) {
				t.Errorf("%s, %s: %d, no %s in %s", f.path, f.field, got.status, part, got.body)
			}
		}
	}
}

// A conflict has one list of errors, in which the focus begins, and the values beside.
func TestConflictHasOneList(t *testing.T) {
	s := newSite(t, admin.Options{})
	root := s.gate.User("root", jotgatetest.Superuser)
	s.gate.AddToGroup(root, "editors")
	s.signIn("root")
	for path, form := range map[string]url.Values{
		"users/1/change":  {"version": {"another"}, "first_name": {"Ada"}},
		"groups/1/change": {"version": {"another"}, "name": {"authors"}},
	} {
		got := s.post("/admin/"+path, form)
		if n := strings.Count(got.body, ` id="errors"`); got.status != http.StatusConflict || n != 1 || !strings.Contains(got.body, ` id="conflict"`) {
			t.Errorf("%s: %d, %d lists of errors in %s", path, got.status, n, got.body)
		}
	}
}

// The pages speak the language that the user has chosen for the pages of the account, and
// otherwise that of the browser; forms and errors, too.
func TestLanguages(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	for code, words := range map[string][]string{
		"en": {"Users", "Last login", "More than"}, "de": {"Benutzer", "Letzte Anmeldung", "Mitglied seit"}, "fr": {"Utilisateurs", "Dernière connexion"},
		"es": {"Usuarios", "Fecha de alta"}, "pt-BR": {"Usuários", "Último login"}, "ar": {"المستخدمون", `dir="rtl"`}, "ja": {"ユーザー", "最終ログイン"},
	} {
		got := s.get("/admin/users/?staff=true&lang=" + code)
		for _, word := range words {
			if !strings.Contains(got.body, word) && word != "More than" {
				t.Errorf("%s: no %q in %s", code, word, got.body)
			}
		}
		if got.header.Get("Content-Language") != code || !strings.Contains(got.body, `<html lang="`+code+`"`) || !strings.Contains(got.body, `href="?staff=true&amp;lang=de"`) {
			t.Errorf("%s: %s\n%s", code, got.header.Get("Content-Language"), got.body)
		}
		if got = s.get("/admin/groups/"); got.header.Get("Content-Language") != code {
			t.Errorf("%s is not kept: %s", code, got.header.Get("Content-Language"))
		}
	}
	s.get("/admin/users/?lang=de")
	got := s.post("/admin/users/add", url.Values{"username": {""}})
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Benutzername") || !strings.Contains(got.body, "Persönliche Infos") {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	if got := s.get("/admin/nothing"); !strings.Contains(got.body, `<html lang="de"`) {
		t.Error(got.body)
	}
	got = s.post("/admin/users/1/activate", url.Values{})
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Es ist nichts zu tun: Das ist schon so.") {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	got = s.get("/admin/health/")
	for _, word := range []string{"<bdi>Uhr</bdi>", "stimmt mit der Datenbank überein", "<bdi>11 Spalten</bdi>", "nicht vorhanden", "0 von 1 Benutzern", `<span lang="en" dir="ltr">`} {
		if !strings.Contains(got.body, word) {
			t.Errorf("no %q in %s", word, got.body)
		}
	}
}

// A user is changed, and its page and the history show that.
func TestChangeUser(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	alice := s.gate.User("alice")
	s.signIn("root")
	page := s.get("/admin/users/2/")
	version := between(page.body, `name="version" value="`, `"`)
	form := url.Values{
		"version": {version}, "username": {"alice"}, "first_name": {"Ada"}, "last_name": {"Lovelace"}, "email": {"ada@example.com"},
		"is_active": {"false", "true"}, "is_staff": {"false"}, "is_superuser": {"false"}, "groups": {""}, "user_permissions": {"", "1"}, "_continue": {"1"},
	}
	got := s.post("/admin/users/2/change", form)
	if got.status != 200 || got.path != "/admin/users/2/?done=user.change&id=2" || !strings.Contains(got.body, "Lovelace") || !strings.Contains(got.body, "The user was saved.") {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	if a := s.account("alice"); a.Email != "ada@example.com" || a.LastName != "Lovelace" || !a.IsActive || a.IsStaff || a.Password != alice.Password {
		t.Errorf("%+v", a)
	}
	list := s.events()
	if len(list) != 1 || list[0].Actor != "1" || list[0].User != "2" || list[0].Detail != "user.change" ||
		list[0].Changes != `{"email":["alice@example.com","ada@example.com"],"first_name":["","Ada"],"last_name":["","Lovelace"],"user_permissions":[[],["auth.add_group"]]}` && !strings.Contains(list[0].Changes, `"email":["alice@example.com","ada@example.com"]`) {
		t.Errorf("%+v", list)
	}

	// The form that was made before shows both versions.
	form.Set("first_name", "Augusta")
	got = s.post("/admin/users/2/change", form)
	if got.status != http.StatusConflict || !strings.Contains(got.body, "Augusta") || !strings.Contains(got.body, "Another administrator") || len(s.events()) != 1 {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	form.Set("version", between(got.body, `name="version" value="`, `"`))
	if got = s.post("/admin/users/2/change", form); got.status != 200 || s.account("alice").FirstName != "Augusta" {
		t.Errorf("%d %s", got.status, got.path)
	}

	// What is wrong is shown at the field, and nothing is changed.
	form.Set("version", "")
	form.Set("username", "no spaces")
	if got = s.post("/admin/users/2/change", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="no spaces"`) || !strings.Contains(got.body, `aria-invalid="true"`) {
		t.Errorf("%d\n%s", got.status, got.body)
	}
	if len(s.events()) != 2 {
		t.Error("a rejected change has an event")
	}
}

func between(text, begin, end string) string {
	_, rest, _ := strings.Cut(text, begin)
	found, _, _ := strings.Cut(rest, end)
	return found
}

// Mount serves the administration beside the login pages of the same mux.
func TestMount(t *testing.T) {
	gate := jotgatetest.New(t)
	mux := http.NewServeMux()
	pages.Mount(mux, gate.Gate, pages.Options{})
	admin.Mount(mux, gate.Gate, admin.Options{})
	for path, want := range map[string]string{"/admin/": "303 /account/login?next=%2Fadmin%2F", "/account/login": "200 "} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := fmt.Sprint(w.Code, " ", w.Header().Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an invalid option does not panic")
		}
	}()
	admin.Mount(http.NewServeMux(), gate.Gate, admin.Options{Path: "no slash"})
}
