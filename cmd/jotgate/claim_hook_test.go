package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jotgate/jotgate/claimhook"
	"github.com/jotgate/jotgate/internal/wait"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwJ4Pq8GdcY2Y="

// claimServer is a program that supplies claims: it verifies the signature and then does
// what is in act.
type claimServer struct {
	*httptest.Server
	act  atomic.Pointer[http.HandlerFunc]
	last atomic.Pointer[string] // the body of the last request
}

func newClaimServer(t *testing.T, secret string) *claimServer {
	h := &claimServer{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := string(body)
		h.last.Store(&text)
		if d := (delivered{r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), text, ""}); !d.signed(secret) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		(*h.act.Load())(w, r)
	}))
	t.Cleanup(h.Close)
	h.respond(http.StatusOK, `{"plan":"free"}`)
	return h
}

func (h *claimServer) do(act http.HandlerFunc) { h.act.Store(&act) }

func (h *claimServer) respond(status int, body string) {
	h.do(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// plan is the claim of a token that another program has supplied.
func plan(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[min(1, len(parts)-1)])
	if err != nil || json.Unmarshal(text, &claims) != nil {
		t.Fatalf("%s: %v", token, err)
	}
	return claims
}

// The settings of serve ask a program on this machine for claims. Whatever it does wrong,
// no token is issued, and the server recovers with it.
func TestClaimHook(t *testing.T) {
	hook, other := newClaimServer(t, hookSecret), newClaimServer(t, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	args := []string{"--claim-hook-networks", "127.0.0.0/8", "--claim-hook-timeout", "5s", "--rate", "login=1000/min"}
	env := []string{"JOTGATE_CLAIM_HOOK_SECRET=" + hookSecret}
	folder := t.TempDir()
	s := startServer(t, folder, env, append(args, "--claim-hook", hook.URL+"/claims")...)
	tokens := s.login(t)
	if claims := plan(t, tokens.Access); claims["plan"] != "free" || claims["username"] != "alice" {
		t.Errorf("%v", claims)
	}
	login := func(s *server) string {
		return s.curl(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/api/token/")
	}
	for name, act := range map[string]http.HandlerFunc{
		"another status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"oversized": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"plan":"`+strings.Repeat("x", claimhook.MaxResponse)+`"}`)
		},
		"redirecting": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"no JSON":             func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "free") },
		"a reserved claim":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"user_id":"1"}`) },
		"the role":            func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"role":"admin"}`) },
		"the expiry":          func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"exp":4102444800}`) },
		"a closed connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		hook.do(act)
		if got := login(s); strings.Contains(got, "access") || !strings.Contains(got, "temporarily unavailable") {
			t.Errorf("%s: %s", name, got)
		}
		if got := s.curl(t, "-d", "refresh="+tokens.Refresh, "BASE/api/token/refresh/"); strings.Contains(got, "access") {
			t.Errorf("%s: a refresh: %s", name, got)
		}
	}
	hook.respond(http.StatusNoContent, "")
	s.login(t) // after it recovered

	doctor := func(url string) string {
		_, stdout, _ := try(t, env, "", append([]string{"doctor", "--database", "sqlite:" + folder + "/jotgate.db", "--claim-hook", url}, args...)...)
		return stdout
	}
	// A request may take five seconds, which a slow machine may exceed.
	wait.Until(t, "doctor finds that the hook responds", func() bool {
		return strings.Contains(doctor(hook.URL), "--claim-hook: it responds") && strings.Contains(*hook.last.Load(), `"type":"ping"`)
	})
	wait.Until(t, "doctor finds that the secret differs", func() bool { return strings.Contains(doctor(other.URL), "the status is 401") })
	wrong := startServer(t, folder, env, append(args, "--claim-hook", other.URL)...)
	if got := login(wrong); strings.Contains(got, "access") {
		t.Errorf("a program with another secret: %s", got)
	}
	optional := startServer(t, folder, env, append(args, "--claim-hook", other.URL, "--claim-hook-optional")...)
	wait.Until(t, "the log says what is wrong with the optional hook", func() bool {
		optional.login(t)
		return strings.Contains(optional.stderr.String(), "the status is 401")
	})
	hook.Close()
	if got := login(s); strings.Contains(got, "access") {
		t.Errorf("down: %s", got)
	}
	if got := doctor(hook.URL); !strings.Contains(got, "connection refused") || strings.Contains(s.stderr.String(), hookSecret) {
		t.Errorf("doctor, down: %s", got)
	}
}

// A program that does not respond is not waited for longer than the setting says, and one
// in a network that no setting allows is not asked.
func TestClaimHookLimits(t *testing.T) {
	hook := newClaimServer(t, hookSecret)
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	hook.do(func(http.ResponseWriter, *http.Request) { <-released })
	folder, env := t.TempDir(), []string{"JOTGATE_CLAIM_HOOK_SECRET=" + hookSecret}
	s := startServer(t, folder, env, "--claim-hook", hook.URL, "--claim-hook-networks", "127.0.0.0/8", "--claim-hook-timeout", "50ms")
	s.curl(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/auth/users/")
	if got := s.curl(t, "-d", "username=alice", "-d", "password=correct-horse-1", "BASE/api/token/"); !strings.Contains(got, "temporarily unavailable") {
		t.Errorf("slow: %s", got)
	}
	for _, row := range []struct{ args, says string }{
		{"--claim-hook " + hook.URL, "use https: http is allowed only to the networks of --claim-hook-networks"},
		{"--claim-hook https://127.0.0.1/claims", "the address is not public, and not in the networks of --claim-hook-networks"},
		{"--claim-hook https://169.254.169.254/ --claim-hook-networks 169.254.0.0/16", "metadata service"},
		{"--claim-hook https://app.example.com/ --claim-hook-timeout 6s", "--claim-hook-timeout"},
		{"--claim-hook https://app.example.com/ --claim-hook-networks x", "--claim-hook-networks"},
		{"--claim-hook-networks 10.0.0.0/8", "--claim-hook is missing"},
		{"--claim-hook-optional", "--claim-hook is missing"},
	} {
		status, _, stderr := try(t, env, "", append([]string{"serve", "--addr", "127.0.0.1:0", "--database", "sqlite:" + t.TempDir() + "/x.db"}, strings.Fields(row.args)...)...)
		if status != statusUsage || !strings.Contains(stderr, row.says) {
			t.Errorf("%s: status %d, %s", row.args, status, stderr)
		}
	}
}
