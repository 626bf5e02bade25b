package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Whoever signs up can send any request that changes something, and most leave a row in
// the audit trail or the revocation list. A rate limits how many of them a network
// sends; the others cannot leave more rows than requests with a rate have made possible.
func TestChangesHaveARate(t *testing.T) {
	s := newSite(t, change{})
	free := []string{
		"POST /auth/logout/", "DELETE /auth/users/me/", "DELETE /auth/users/{id}/", // each ends what a login or a sign-up began
		"POST /auth/again/passkey/options/", "POST /auth/api-keys/token/", // they write nothing
	}
	for _, r := range s.routes() {
		for method, act := range map[string]*action{"POST": r.post, "PUT": r.put, "PATCH": r.patch, "DELETE": r.remove} {
			name := method + " " + r.path
			if act == nil || r.render != nil { // the clients of OAuth are limited where they are looked up
				continue
			}
			if unlimited := slices.Contains(free, name); (act.scope == "") != unlimited {
				t.Errorf("%s has the rate %q", name, act.scope)
			}
		}
	}
}

// A user who ends all sessions again and again fills neither the audit trail nor the
// revocation list, which every guard reads.
func TestEndingAllSessionsIsLimited(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.Rates = map[string]string{"login": "5/min"} }})
	bearer := s.login("alice").header()
	ended := 0
	for range 20 {
		switch a := s.ask("DELETE", "/auth/sessions/?others=true", "", bearer...); a.Status {
		case http.StatusNoContent:
			ended++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	rows := 0
	for _, e := range s.eventsOf(s.account("alice").ID) {
		if e.Name == "logout" && strings.HasPrefix(e.Endpoint, "/auth/sessions/") {
			rows++
		}
	}
	if ended == 0 || ended > 5 || rows != ended {
		t.Errorf("20 requests ended all sessions %d times, and left %d events", ended, rows)
	}
}
