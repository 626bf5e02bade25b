package pages_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// leaked is a list of passwords.
type leaked []string

func (l leaked) Contains(_ context.Context, password string) (bool, error) {
	return strings.Contains(strings.Join(l, "\n"), password), nil
}

// A login with a breached password leads to a page that replaces it. Every page that
// sets a password rejects a breached one, in the language of the page.
func TestBreachedPassword(t *testing.T) {
	list := leaked{jotgatetest.Password, "correct horse leaked"}
	s := newSite(t, pages.Options{PasswordChangedEmail: true}, func(s *jotgate.Settings) { s.BreachedPasswords, s.BreachedAtLogin = list, list })
	s.gate.User("alice")
	s.is(s.post("/account/login", "username", "alice", "password", jotgatetest.Password), 200, "/account/login/new-password", "Choose a new password")
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in") // not signed in yet
	rejected := func(page shown, text string) {
		t.Helper()
		if page.status != 422 || strings.Count(page.body, text) != 2 { // in the summary and at the field
			t.Errorf("%d: %d times %q in\n%s", page.status, strings.Count(page.body, text), text, page.body)
		}
	}
	rejected(s.post("/account/login/new-password?lang=de", "new_password", "correct horse leaked"), "Dieses Passwort ist in einem Datenleck aufgetaucht.")
	rejected(s.post("/account/login/new-password?lang=fr", "new_password", "short"), "au moins 8 caractères")
	s.is(s.post("/account/login/new-password?lang=en", "new_password", "a brand new pass 77"), 200, "/account/", "Profile")
	rejected(s.post("/account/password", "password", "a brand new pass 77", "new_password", "correct horse leaked"), "appeared in a data breach")
	s.fresh()
	rejected(s.post("/account/signup", "username", "bob", "email", "bob@example.com", "password", "correct horse leaked"), "appeared in a data breach")
	s.is(s.post("/account/login", "username", "alice", "password", "a brand new pass 77"), 200, "/account/", "Profile")
}
