package api

import (
	"slices"
	"strings"
	"testing"
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
