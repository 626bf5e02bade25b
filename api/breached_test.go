package api

// Breached passwords over HTTP.

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
)

// leaked is a list of passwords.
type leaked []string

func (l leaked) Contains(_ context.Context, password string) (bool, error) {
	for _, p := range l {
		if p == password {
			return true, nil
		}
	}
	return false, nil
}

const leakedPassword = "correct horse leaked"

// Every endpoint that sets a password rejects a breached one, in the field in which it
// was sent.
func TestBreachedPasswordsAreRejected(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.BreachedPasswords = leaked{leakedPassword} }})
	tokens := s.json(t, 200, "POST", "/api/token/", "", aliceLogin)
	alice, err := s.gate.Store().Accounts().ByLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	uid, token := s.gate.Links().Parts("password_reset", alice)
	for path, c := range map[string]struct {
		field, access string
		sent          map[string]string
	}{
		"/auth/users/":                        {"password", "", map[string]string{"username": "new", "email": "new@example.com", "password": leakedPassword}},
		"/auth/users/set_password/":           {"new_password", tokens["access"].(string), map[string]string{"current_password": passwordOf(aliceLogin), "new_password": leakedPassword}},
		"/auth/users/reset_password_confirm/": {"new_password", "", map[string]string{"uid": uid, "token": token, "new_password": leakedPassword}},
	} {
		text, _ := json.Marshal(c.sent)
		got := s.json(t, 400, "POST", path, c.access, string(text))
		list, _ := got[c.field].([]any)
		if len(got) != 1 || len(list) != 1 || !strings.Contains(list[0].(string), "data breach") {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// passwordOf returns the password of the body of a login.
func passwordOf(login string) string {
	var in struct{ Password string }
	_ = json.Unmarshal([]byte(login), &in)
	return in.Password
}

// A login with a breached password gets the step password_change, at every
// endpoint, and is completed with another password.
func TestBreachedPasswordAtLogin(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		list := leaked{passwordOf(aliceLogin)}
		g.BreachedPasswords, g.BreachedAtLogin = list, list
	}})
	for _, path := range []string{"/api/token/", "/auth/jwt/create/"} {
		got := s.json(t, 401, "POST", path, "", aliceLogin)
		if got["code"] != "password_change" || got["detail"] != "The password must be changed." || got["pending"] == nil || got["access"] != nil {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := s.json(t, 400, "POST", "/api-token-auth/", "", aliceLogin); !strings.Contains(got["non_field_errors"].([]any)[0].(string), "The password must be changed.") {
		t.Errorf("%v", got)
	}
	refused := s.json(t, 401, "POST", "/api/token/", "", aliceLogin)
	send := func(status int, password string) map[string]any {
		text, _ := json.Marshal(map[string]any{"pending": refused["pending"], "new_password": password})
		return s.json(t, status, "POST", "/api/token/password/", "", string(text))
	}
	if got := send(400, passwordOf(aliceLogin)); got["new_password"] == nil {
		t.Errorf("the same password: %v", got)
	}
	if got := send(200, "a brand new pass 77"); got["access"] == nil || got["refresh"] == nil {
		t.Errorf("%v", got)
	}
	if got := send(401, "a third password 1"); got["code"] != "login_not_valid" {
		t.Errorf("twice: %v", got)
	}
	s.json(t, 401, "POST", "/api/token/", "", aliceLogin)
	s.json(t, 200, "POST", "/api/token/", "", strings.Replace(aliceLogin, passwordOf(aliceLogin), "a brand new pass 77", 1))
}
