package api

import "testing"

// A login names its field as the user model does, and username is understood.
func TestLoginField(t *testing.T) {
	s := newSite(t, change{api: func(s *Settings) { s.LoginField = "email" }})
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
	s := newSite(t, change{api: func(s *Settings) { s.LoginField, s.SetUsernameRetype = "login", true }})
	created := s.ask("POST", "/auth/users/", object("email", "newbie@example.com", "login", "newbie", "password", goodPassword))
	want(t, "sign-up", created, 201, `{"email":"newbie@example.com","login":"newbie","id":`)
	want(t, "sign-up without", s.ask("POST", "/auth/users/", object("username", "eve", "password", goodPassword)), 400, `{"login":["This field is required."]}`)
	want(t, "sign-up again", s.ask("POST", "/auth/users/", object("login", "newbie", "password", goodPassword)), 400, `{"login":["A user with that username already exists."]}`)
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
	s := newSite(t, change{api: func(s *Settings) { s.LoginField = "email" }})
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
