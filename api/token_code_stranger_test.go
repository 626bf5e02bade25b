package api

import (
	"net/http"
	"testing"
	"time"
)

// A stranger who requests codes for an address all the time neither uses up those of its
// owner, who is where it has logged in before, nor replaces them. In another network the
// owner is treated as the stranger is.
func TestTokenCodeStrangers(t *testing.T) {
	s := newSite(t, codesOn)
	s.login("alice") // from this network
	request := func(headers ...string) answer {
		return s.ask("POST", "/api/token/code/", object("email", "alice@example.com"), headers...)
	}
	stranger := []string{"from", "198.51.100.7:1"}
	for range 6 {
		s.now.turn(time.Minute)
		want(t, "a stranger", request(stranger...), 202, "pending")
	}
	owner := request()
	want(t, "the owner, within a minute of a stranger", owner, 202, "pending")
	want(t, "the owner again", request(), 429, "throttled")
	code := s.sentCode("alice")
	s.now.turn(time.Minute)
	late := request(stranger...)
	want(t, "a stranger after the owner", late, 202, "pending")
	if got := s.sentCode("alice"); got != code {
		t.Errorf("a message to the owner has the code %q in place of %q", got, code)
	}
	want(t, "the owner's code for the stranger", s.ask("POST", "/api/token/code/confirm/", object("pending", late.member("pending"), "code", code), stranger...), 401, "code_not_valid")
	want(t, "the owner's code", s.confirmCode(owner.member("pending"), code), http.StatusOK, `"username":"alice"`)
	want(t, "the owner's code again", s.confirmCode(owner.member("pending"), code), 401, "login_not_valid")
	s.now.turn(time.Minute)
	want(t, "the owner elsewhere", request("from", "203.0.113.9:1"), 202, "pending") // no message: five were sent
}
