//go:build !race

package jotgate_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/allocs"
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
		t.Run(what, func(t *testing.T) {
			served = 0
			w, sent := httptest.NewRecorder(), 0
			allocs.AtMost(t, c.limit, 100, func() { sent++; c.handler.ServeHTTP(w, r) })
			if served != sent {
				t.Errorf("%d of %d requests reached the handler", served, sent)
			}
		})
	}
}
