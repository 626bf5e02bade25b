package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/record"
)

// What strangers and users try in vain is in the audit trail, with its outcome
// and its endpoint.
func TestRefusalsAreRecorded(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for range 3 {
		s.ask("POST", "/auth/users/set_password/", object("current_password", "x", "new_password", "a brand new pass 77"), alice.header()...)
	}
	s.ask("POST", "/auth/users/reset_password/", object("email", "nobody@example.com"))
	s.ask("POST", "/auth/users/reset_password_confirm/", object("uid", "MQ", "token", "x", "new_password", "a brand new pass 77"))
	s.ask("POST", "/auth/users/activation/", object("uid", "x", "token", "x"))
	s.refresh("x")
	s.ask("GET", "/auth/users/me/", "", "Authorization", "Bearer x")
	s.ask("GET", "/auth/check", "", "Authorization", "Bearer x")
	s.ask("GET", "/auth/check?staff=true", "", alice.header()...)
	for range 6 {
		s.try("carol", "wrong password 12")
	}
	list, err := s.gate.Store().Events().List(t.Context(), "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		if strings.Contains(e.Subject+e.Detail, "nobody") || e.Address == "" && e.Name != "login" {
			t.Errorf("%+v", e)
		}
		got = append(got, strings.TrimSpace(e.Name+" "+e.Outcome+" "+e.Endpoint))
	}
	for want, times := range map[string]int{
		"password_refused failure /auth/users/set_password/":       3,
		"link_requested success /auth/users/reset_password/":       1,
		"link_refused failure /auth/users/reset_password_confirm/": 1,
		"link_refused failure /auth/users/activation/":             1,
		"token_refused failure /api/token/refresh/":                1,
		"token_refused failure /auth/users/me/":                    1,
		"token_refused failure /auth/check":                        1,
		"forbidden denied /auth/check":                             1,
		"login_failed failure /api/token/":                         5,
		"throttled denied /api/token/":                             1,
	} {
		n := 0
		for _, g := range got {
			if g == want {
				n++
			}
		}
		if n != times {
			t.Errorf("%q is recorded %d times, want %d; there is %q", want, n, times, slices.Compact(got))
		}
	}
}

// Guesses at a second factor name its account, at a code by e-mail the address (whether
// or not an account has it), and at the secret of a client its id: whoever reads the trail
// sees what is attacked. A login has its endpoint.
func TestGuessesNameTheirTarget(t *testing.T) {
	s := newSite(t, codesOn)
	alice := s.account("alice")
	s.enrol(t, s.login("alice").access)
	pending := s.ask("POST", "/api/token/", object("username", "alice", "password", goodPassword)).member("pending")
	s.ask("POST", "/api/token/mfa/", object("pending", pending, "code", "000000"))
	s.ask("POST", "/api/token/mfa/", object("pending", pending, "code", "ABCDE-FGHIJ"))
	for _, email := range []string{"alice@example.com", "nobody@example.com"} {
		s.confirmCode(s.requestCode(email), "BBBB-BBBB")
	}
	c := s.newClient("billing", "orders:read")
	for _, id := range []string{c.ID, "unknown"} {
		for _, path := range []string{"/o/token/", "/o/introspect/", "/o/revoke/"} {
			s.ask("POST", path, "grant_type=client_credentials&token=x", "Content-Type", "application/x-www-form-urlencoded", "Authorization", basicHeader(id, "wrong"))
		}
	}
	list, err := s.gate.Store().Events().List(t.Context(), "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[record.Event]int{}
	for _, e := range list {
		got[record.Event{Name: e.Name, Endpoint: e.Endpoint, User: e.User, Subject: e.Subject}]++
	}
	subject := s.gate.Events().Subject
	for want, times := range map[record.Event]int{
		{Name: "login", Endpoint: "/api/token/", User: alice.ID}:                                               1,
		{Name: "factor_refused", Endpoint: "/api/token/mfa/", User: alice.ID}:                                  2,
		{Name: "factor_refused", Endpoint: "/api/token/code/confirm/", Subject: subject("alice@example.com")}:  1,
		{Name: "factor_refused", Endpoint: "/api/token/code/confirm/", Subject: subject("nobody@example.com")}: 1,
		{Name: "link_requested", Endpoint: "/api/token/code/", Subject: subject("nobody@example.com")}:         1,
		{Name: "login_failed", Endpoint: "/o/token/", Subject: subject(c.ID)}:                                  1,
		{Name: "login_failed", Endpoint: "/o/introspect/", Subject: subject("unknown")}:                        1,
		{Name: "login_failed", Endpoint: "/o/revoke/", Subject: subject(c.ID)}:                                 1,
		{Name: "token_refused", Endpoint: "/o/token/"}:                                                         0,
	} {
		if got[want] != times {
			t.Errorf("%+v: %d times, want %d; there is %v", want, got[want], times, got)
		}
	}
}
