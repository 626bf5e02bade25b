package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A path that a mux would clean is no endpoint's: alone the server does not know
// it, and with an API behind it is for the API to decide.
func TestPathsThatAMuxWouldClean(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "behind: "+r.RequestURI)
	}))
	defer behind.Close()
	alone := startServer(t, t.TempDir(), nil, "--log-level", "error")
	before := startServer(t, t.TempDir(), nil, "--log-level", "error", "--upstream", behind.URL, "--protect", "/private")
	for _, path := range []string{"//auth/check", "/auth/../auth/check", "/auth/./check"} {
		if got := strings.TrimSpace(alone.curl(t, "BASE"+path)); got != `{"detail":"Not found."}` {
			t.Errorf("%s alone: %s", path, got)
		}
		if got := strings.TrimSpace(before.curl(t, "BASE"+path)); got != "behind: "+path {
			t.Errorf("%s before an API: %s", path, got)
		}
	}
	for name, s := range map[string]*server{"alone": alone, "before an API": before} {
		if got := s.curl(t, "BASE/auth/check"); !strings.Contains(got, "credentials were not provided") {
			t.Errorf("/auth/check %s: %s", name, got)
		}
		if got := s.end(t); got != 0 {
			t.Error(got)
		}
	}
}
