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
