package admin_test

// Users who log in by e-mail and have no other name.

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
)

// The address is the login name, also if an administrator sets it: the forms have one
// field, which accepts every address and nothing else.
func TestUsersLogInByEmail(t *testing.T) {
	s := newSite(t, admin.Options{SetPasswords: true}, func(o *jotgate.Settings) { o.LoginField = "email" })
	root := s.gate.User("root", jotgatetest.Superuser)
	s.signIn("root")
	page := s.get("/admin/users/add")
	if strings.Count(page.body, `name="email"`) != 1 || strings.Contains(page.body, `name="username"`) {
		t.Error(page.body)
	}
	add := func(email string) shown {
		return s.post("/admin/users/add", url.Values{"email": {email}, "password": {jotgatetest.Password}, "is_active": {"false", "true"}, "_continue": {"1"}})
	}
	const address = "o'hara/sales@example.com" // not a username of Django's
	if got := add(address); got.status != http.StatusOK || !strings.HasPrefix(got.path, "/admin/users/2/") {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	ohara := s.account(address)
	if ohara.Email != address || ohara.Username != address {
		t.Errorf("%+v", ohara)
	}
	for email, says := range map[string]string{"": "This field is required.", "bob": "Enter a valid email address.", address: "A user with that e-mail address already exists."} {
		got := add(email)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="email-error">`+says) {
			t.Errorf("%q: %d\n%s", email, got.status, between(got.body, "<form", "</fieldset>"))
		}
	}

	// A change of the address changes the login name, and ends the sessions.
	tokens, events := s.gate.Tokens(ohara), len(s.events())
	for email, says := range map[string]string{"": "This field is required.", "bob": "Enter a valid email address."} {
		got := s.post("/admin/users/2/change", url.Values{"email": {email}})
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="email-error">`+says) {
			t.Errorf("%q: %d\n%s", email, got.status, got.body)
		}
	}
	if got := s.post("/admin/users/2/change", url.Values{"email": {"now@example.com"}, "_continue": {"1"}}); got.status != http.StatusOK {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	if a := s.account("now@example.com"); a.ID != ohara.ID || a.Email != "now@example.com" {
		t.Errorf("%+v", a)
	}
	if _, err := s.gate.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err == nil {
		t.Error("the session goes on under another name")
	}
	list := s.events()
	if len(list) != events+1 || list[0].Changes != `{"email":["`+address+`","now@example.com"]}` {
		t.Errorf("%+v", list)
	}

	// The list and the JSON endpoints have one name, too.
	if page := s.get("/admin/users/"); !strings.Contains(page.body, `>now@example.com</a></th>`) || strings.Contains(page.body, "<td>now@example.com") || !strings.Contains(page.body, `<a href="?sort=username">E-mail address</a>`) {
		t.Error(page.body)
	}
	token := s.gate.Token(root)
	if status, out := s.api(token, "POST", "/admin/api/users/add/", `{"username": "carol@example.com"}`); status != http.StatusBadRequest || out["username"] == nil {
		t.Errorf("%d %v", status, out)
	}
	if status, out := s.api(token, "POST", "/admin/api/users/add/", `{"email": "carol@example.com"}`); status != http.StatusOK || s.account("carol@example.com").Email != "carol@example.com" {
		t.Errorf("%d %v", status, out)
	}
}
