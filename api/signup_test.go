package api

import (
	"net/http"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/jotgate/jotgate"
)

// A closed sign-up is refused with a clear response whoever asks, leaves no
// account behind, and is missing from the schema; nothing else is.
func TestNoSignup(t *testing.T) {
	closed := newSite(t, change{api: func(a *Settings) { a.NoSignup = true }})
	const body = `{"username":"newbie","email":"newbie@example.com","password":"correct-horse-1"}`
	for name, request := range map[string]func() answer{
		"a stranger":        func() answer { return closed.ask("POST", "/auth/users/", body) },
		"without the slash": func() answer { return closed.ask("POST", "/auth/users", body) },
		"a user":            func() answer { return closed.ask("POST", "/auth/users/", body, closed.login("alice").header()...) },
		"a broken body":     func() answer { return closed.ask("POST", "/auth/users/", "{") },
	} {
		got := request()
		if got.Status != http.StatusForbidden || got.Body != `{"detail":"Sign-up is closed.","code":"signup_closed"}` {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if _, err := closed.db.Accounts().ByLogin(t.Context(), "newbie"); err == nil {
		t.Error("the account was created")
	}
	if got := closed.ask("OPTIONS", "/auth/users/", "", closed.login("alice").header()...); strings.Contains(got.Body, "re_password") || got.Status != 200 {
		t.Errorf("OPTIONS: %d %s", got.Status, got.Body)
	}
}

func TestNoSignupInTheSchema(t *testing.T) {
	for _, login := range []string{"username", "email", "member_no"} {
		var open, closed struct {
			Paths      map[string]map[string]any
			Components map[string]map[string]any
		}
		if err := yaml.Unmarshal(OpenAPI(jotgate.Settings{LoginField: login}, Settings{}), &open); err != nil {
			t.Fatal(err)
		}
		text := OpenAPI(jotgate.Settings{LoginField: login}, Settings{NoSignup: true})
		if err := yaml.Unmarshal(text, &closed); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "SignUp") || closed.Paths["/auth/users/"]["post"] != nil {
			t.Errorf("%s: the sign-up is still described", login)
		}
		delete(open.Paths["/auth/users/"], "post")
		delete(open.Components["schemas"], "SignUp")
		for part, n := range map[string][2]int{
			"paths": {len(open.Paths), len(closed.Paths)}, "users": {len(open.Paths["/auth/users/"]), len(closed.Paths["/auth/users/"])},
			"schemas": {len(open.Components["schemas"]), len(closed.Components["schemas"])},
		} {
			if n[0] != n[1] {
				t.Errorf("%s: %s: %d described, want %d", login, part, n[1], n[0])
			}
		}
	}
}
