//go:build !race

package jotgate_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate"
)

// The allocations of one authenticated request, with an audience and an
// issuer: the text of the claims and the user; with the context also the copy
// of the request that carries it. (The race detector empties pools, hence the
// build tag.)
func TestAllocationsOfARequest(t *testing.T) {
	guard := newGuard(t, func(s *jotgate.GuardSettings) { s.Issuer, s.Audience = "https://accounts.example", []string{"shop"} })
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+accessToken(t, func(c map[string]any) {
		c["iss"], c["aud"] = "https://accounts.example", "shop"
	}))
	served := 0
	typed := guard.RequireUser(func(_ http.ResponseWriter, _ *http.Request, user *jotgate.User) {
		if user.Username == "alice" {
			served++
		}
	})
	inContext := guard.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if user, ok := jotgate.UserFrom(r.Context()); ok && user.Username == "alice" {
			served++
		}
	}))
	for what, c := range map[string]struct {
		handler http.Handler
		limit   float64
	}{"typed": {typed, 2}, "context": {inContext, 3}} {
		served = 0
		w := httptest.NewRecorder()
		if n := testing.AllocsPerRun(100, func() { c.handler.ServeHTTP(w, r) }); n > c.limit {
			t.Errorf("%s: %v allocations, want at most %v", what, n, c.limit)
		}
		if served != 101 { // one to warm up
			t.Errorf("%s: %d of 101 requests reached the handler", what, served)
		}
	}
}
