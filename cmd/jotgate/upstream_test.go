package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// A path that a mux would clean is not an endpoint: without an API the server
// does not know it, and with one the API decides.
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

// --upstream-timeout and --client-timeout say how long an API and a client may take.
func TestTimeoutsOfTheUpstream(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); string(body) == "wait" && err == nil {
			<-r.Context().Done()
		}
	}))
	defer behind.Close()
	for body, want := range map[string]struct {
		upstream, client string
		status           int
		after            time.Duration
	}{
		"fine": {"3m", "3m", http.StatusOK, 0},
		"wait": {"2s", "3m", http.StatusBadGateway, 2 * time.Second},
		"one":  {"3m", "2s", http.StatusRequestTimeout, 2 * time.Second},
	} {
		s := startServer(t, t.TempDir(), nil, "--log-level", "error", "--upstream", behind.URL, "--protect", "/private",
			"--upstream-timeout", want.upstream, "--client-timeout", want.client)
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		_ = conn.SetDeadline(wait.Deadline())
		_, _ = io.WriteString(conn, "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"+body)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if took := time.Since(began); res.StatusCode != want.status || took < want.after {
			t.Errorf("%s: %d after %v", body, res.StatusCode, took)
		}
		conn.Close()
		if got := s.end(t); got != 0 {
			t.Error(got)
		}
	}
}

// --step-up demands a recent authentication of a path: the token of a login without a
// second factor does not say when that was, and the one of /auth/again/ does.
func TestStepUpOfAPath(t *testing.T) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "behind: "+r.Header.Get("X-Auth-User"))
	}))
	defer behind.Close()
	config := write(t, "jotgate.yaml", "upstream: "+behind.URL+"\nstep-up:\n  /pay/: 10m\n  /transfer/: aal2+1h\n")
	s := startServer(t, t.TempDir(), nil, "--log-level", "error", "--config", config)
	s.curl(t, "-d", "username=alice", "-d", "email=alice@example.com", "-d", "password=a-long-password-1", "BASE/auth/users/")
	access := func(answer string) string {
		_, rest, _ := strings.Cut(answer, `"access":"`)
		token, _, _ := strings.Cut(rest, `"`)
		return "Authorization: Bearer " + token
	}
	login := access(s.curl(t, "-d", "username=alice", "-d", "password=a-long-password-1", "BASE/api/token/"))
	get := func(token, path, want string) {
		t.Helper()
		if got := s.curl(t, "-i", "-H", token, "BASE"+path); !strings.Contains(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	get(login, "/x", "behind: alice")
	get(login, "/pay/1", `error="insufficient_user_authentication", max_age="600"`)
	again := access(s.curl(t, "-H", login, "-d", "password=a-long-password-1", "BASE/auth/again/"))
	get(again, "/pay/1", "behind: alice")
	get(again, "/transfer/", `error="insufficient_user_authentication", acr_values="aal2", max_age="3600"`)
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
}
