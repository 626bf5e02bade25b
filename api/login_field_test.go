package api

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// A login names its field as the user model does, and username is understood.
func TestLoginField(t *testing.T) {
	s := newSite(t, change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }})
	for _, path := range []string{"/api/token/", "/auth/jwt/create/"} {
		want(t, "its own name", s.ask("POST", path, object("email", "alice", "password", goodPassword)), 200, `"access"`)
		want(t, "username", s.ask("POST", path, object("username", "alice", "password", goodPassword)), 200, `"access"`)
		want(t, "both, and its own goes first", s.ask("POST", path, object("email", "nobody", "username", "alice", "password", goodPassword)), 401, "No active account")
		want(t, "neither", s.ask("POST", path, object("login", "alice", "password", goodPassword)), 400, `{"email":["This field is required."]}`)
		want(t, "OPTIONS", s.ask("OPTIONS", path, ""), 200, `"POST":{"email":{`)
	}
	want(t, "DRF's view", s.ask("POST", "/api-token-auth/", object("username", "alice", "password", goodPassword)), 200, `"token"`)
	want(t, "DRF's view by e-mail", s.ask("POST", "/api-token-auth/", object("email", "alice", "password", goodPassword)), 400, `{"username":["This field is required."]}`)
	usual := newSite(t, change{})
	want(t, "by default", usual.ask("POST", "/api/token/", object("email", "alice", "password", goodPassword)), 400, `{"username":["This field is required."]}`)
}

// What djoser calls after USERNAME_FIELD is called so here: paths, the fields
// of bodies, answers and errors.
func TestLoginFieldOfDjoser(t *testing.T) {
	s := newSite(t, change{
		gate: func(s *jotgate.Settings) { s.LoginField = "login" },
		api:  func(s *Settings) { s.SetUsernameRetype = true },
	})
	created := s.ask("POST", "/auth/users/", object("email", "newbie@example.com", "login", "newbie", "password", goodPassword))
	want(t, "sign-up", created, 201, `{"email":"newbie@example.com","login":"newbie","id":`)
	want(t, "sign-up without", s.ask("POST", "/auth/users/", object("username", "eve", "password", goodPassword)), 400, `{"login":["This field is required."]}`)
	want(t, "sign-up again", s.ask("POST", "/auth/users/", object("login", "newbie", "password", goodPassword)), 400, `{"login":["user with this login already exists."]}`)
	bearer := s.login("newbie").header()
	want(t, "me", s.ask("GET", "/auth/users/me/", "", bearer...), 200, `,"login":"newbie"}`)
	want(t, "differ", s.ask("POST", "/auth/users/set_login/", object("current_password", goodPassword, "new_login", "rob", "re_new_login", "newbie"), bearer...), 400, "The two login fields didn't match.")
	want(t, "set", s.ask("POST", "/auth/users/set_login/", object("current_password", goodPassword, "new_login", "rob", "re_new_login", "rob"), bearer...), 204, "")
	want(t, "me afterwards", s.ask("GET", "/auth/users/me/", "", bearer...), 200, `,"login":"rob"}`)
	for _, path := range []string{"set_login", "reset_login", "reset_login_confirm"} {
		want(t, path, s.ask("POST", "/auth/users/"+path+"/", "{}", bearer...), 400, "This field is required.")
	}
	want(t, "the usual path", s.ask("POST", "/auth/users/set_username/", "{}", bearer...), 405, "")
}

// Who logs in by e-mail has no other name: none is asked for, and none is told.
func TestLoginByEmail(t *testing.T) {
	s := newSite(t, change{gate: func(s *jotgate.Settings) { s.LoginField = "email" }})
	want(t, "without an e-mail", s.ask("POST", "/auth/users/", object("password", goodPassword)), 400, `{"email":["This field is required."]}`)
	want(t, "no address", s.ask("POST", "/auth/users/", object("email", "bob", "password", goodPassword)), 400, `{"email":["Enter a valid email address."]}`)
	want(t, "sign-up", s.ask("POST", "/auth/users/", object("email", "bob@EXAMPLE.com", "password", goodPassword)), 201, `{"email":"bob@example.com","id":`)
	bearer := s.login("bob@example.com").header()
	me := s.ask("GET", "/auth/users/me/", "", bearer...)
	want(t, "me", me, 200, `,"email":"bob@example.com"}`)
	want(t, "the address is not changed by the way", s.ask("PATCH", "/auth/users/me/", object("email", "rob@example.com"), bearer...), 200, me.Body)
	want(t, "no address", s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", "rob"), bearer...), 400, `{"new_email":["Enter a valid email address."]}`)
	want(t, "set", s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", "rob@example.com"), bearer...), 204, "")
}

// emailSite has a user model whose USERNAME_FIELD is the address.
func emailSite(t *testing.T) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "site.db")
	must(t, backdoor(t, file), `CREATE TABLE accounts_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL,
last_login datetime NULL, email varchar(254) NOT NULL UNIQUE, is_active bool NOT NULL)`)
	return siteOn(t, file, store.Schema{Users: "accounts_user", Username: "email"},
		change{gate: func(s *jotgate.Settings) { s.LoginField, s.ImmediateEmailChange = "email", true }})
}

// addressOf is an address of n characters.
func addressOf(n int) string { return strings.Repeat("a", n-len("@example.com")) + "@example.com" }

// An address that takes the place of another is judged as an address, as it is
// at a sign-up: more characters than in a username, and more of them.
func TestNewAddressIsValidated(t *testing.T) {
	s := emailSite(t)
	for _, address := range []string{"bob@example.com", "o'hara@example.com", addressOf(254)} {
		want(t, "sign-up", s.ask("POST", "/auth/users/", object("email", address, "password", goodPassword)), 201, `"email":"`+address+`"`)
	}
	want(t, "sign-up, too long", s.ask("POST", "/auth/users/", object("email", addressOf(255), "password", goodPassword)), 400, `{"email":["Ensure this field has no more than 254 characters."]}`)
	want(t, "sign-up again", s.ask("POST", "/auth/users/", object("email", "bob@example.com", "password", goodPassword)), 400, `{"email":["user with this email address already exists."]}`)
	want(t, "sign-up, password like it", s.ask("POST", "/auth/users/", object("email", "marguerite@example.com", "password", "marguerite-1")), 400, `{"password":["The password is too similar to the email address."]}`)
	set := func(address string) answer {
		return s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", address), s.login("bob@example.com").header()...)
	}
	reset := func(address string) answer {
		uid, token := s.link(record.MessageUsernameReset, "bob@example.com")
		return s.ask("POST", "/auth/users/reset_email_confirm/", object("uid", uid, "token", token, "new_email", address))
	}
	for name, change := range map[string]func(string) answer{"set": set, "reset": reset} {
		want(t, name+", too long", change(addressOf(255)), 400, `{"new_email":["Ensure this field has no more than 254 characters."]}`)
		want(t, name+", no address", change("bob"), 400, `{"new_email":["Enter a valid email address."]}`)
		want(t, name+", taken", change("o'hara@example.com"), 400, `{"new_email":["user with this email address already exists."]}`)
		for _, address := range []string{"o'brien@example.com", addressOf(253)} {
			want(t, name, change(address), 204, "")
			me := s.me(s.login(address))
			want(t, name, me, 200, `,"email":"`+address+`"}`)
			back := s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", "bob@example.com"), s.login(address).header()...)
			want(t, "back", back, 204, "")
		}
	}
}

// Where both the username and the e-mail are columns, they stay the same, and
// what the shorter one cannot hold is refused.
func TestNewAddressInBothColumns(t *testing.T) {
	s := newSite(t, change{gate: func(s *jotgate.Settings) { s.LoginField, s.ImmediateEmailChange = "email", true }})
	bearer := s.login("alice").header()
	set := func(address string) answer {
		return s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", address), bearer...)
	}
	want(t, "150", set(addressOf(150)), 204, "")
	if a := s.account(addressOf(150)); a.Email != a.Username {
		t.Errorf("%+v", a)
	}
	want(t, "151", set(addressOf(151)), 400, `{"new_email":["Ensure this field has no more than 150 characters."]}`)
	want(t, "sign-up", s.ask("POST", "/auth/users/", object("email", addressOf(151), "password", goodPassword)), 400, `{"email":["Ensure this field has no more than 150 characters."]}`)
}
