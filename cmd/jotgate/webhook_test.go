package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// delivered is a request that a receiver of webhooks got.
type delivered struct{ id, at, signatures, body, kind string }

// signed reports whether one of the signatures is that of the secret.
func (d delivered) signed(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(secret), "whsec_"))
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(d.id + "." + d.at + "." + d.body))
	return err == nil && slices.Contains(strings.Fields(d.signatures), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// hooked is a receiver of webhooks, which responds with a status. before is called with
// each request, and after when the response is sent.
type hooked struct {
	*httptest.Server
	mu            sync.Mutex
	status        int
	before, after func()
	got           []delivered
}

func newHooked(t *testing.T) *hooked {
	h := &hooked{status: http.StatusNoContent}
	h.call(func() {}, func() {})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d := delivered{r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), string(body), ""}
		var message struct{ Type string }
		_ = json.Unmarshal(body, &message)
		d.kind = message.Type
		status, before, after := h.take(d)
		before()
		w.WriteHeader(status)
		w.(http.Flusher).Flush()
		after()
	}))
	t.Cleanup(h.Close)
	return h
}

// take notes a request, and returns how to respond.
func (h *hooked) take(d delivered) (status int, before, after func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, d)
	return h.status, h.before, h.after
}

func (h *hooked) call(before, after func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before, h.after = before, after
}

func (h *hooked) respond(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// of returns what was received of a type.
func (h *hooked) of(kind string) (list []delivered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.got {
		if d.kind == kind {
			list = append(list, d)
		}
	}
	return list
}

// Each node sends, and one of them sends each message; doctor reports failures, and the
// commands end them.
func TestWebhooksOfTheBinary(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			env := []string{"DATABASE_URL=" + database(t), "SECRET_KEY=" + goodSecret, "JOTGATE_WEBHOOK_NETWORKS=127.0.0.0/8"}
			command := func(want int, args ...string) string {
				t.Helper()
				status, stdout, stderr := try(t, env, "", args...)
				if status != want {
					t.Fatalf("%v: %d %s", args, status, stderr)
				}
				return stdout + stderr
			}
			s := startServer(t, "", env, "--log-level", "warn")
			startServer(t, "", env, "--log-level", "warn")
			startServer(t, "", env, "--log-level", "warn", "--webhooks", "off")
			testWebhooks(t, s, newHooked(t), command)
		})
	}
}

func testWebhooks(t *testing.T, s *server, r *hooked, command func(want int, args ...string) string) {
	added := command(0, "webhook", "add", r.URL+"/hooks?key=in-the-url", "--types", "session.*")
	secret, id := strings.Fields(added)[0], strings.TrimSuffix(strings.Fields(added)[1], ":")
	if got := command(0, "webhook", "test", id); got != id+" accepted the message (204)\n" || !r.of("webhook.test")[0].signed(secret) {
		t.Errorf("%s %+v", got, r.of("webhook.test"))
	}
	const logins = 2
	for range logins {
		s.login(t)
	}
	wait.Until(t, "the logins are delivered", func() bool { return len(r.of("session.started")) >= logins })
	ids := map[string]bool{}
	for _, d := range r.of("session.started") {
		if ids[d.id] = true; !d.signed(secret) || strings.Contains(d.body, "alice") {
			t.Errorf("%+v", d)
		}
	}
	if len(ids) != logins {
		t.Errorf("%d messages for %d logins", len(ids), logins)
	}
	wait.Until(t, "doctor reports that all is delivered", func() bool {
		got := command(0, "doctor", "--addr", "0")
		if strings.Contains(got, "in-the-url") {
			t.Fatal(got)
		}
		return strings.Contains(got, "ok    webhook "+id+": enabled; 0 messages waiting\n")
	})

	// The receiver fails, and is gone.
	r.respond(http.StatusServiceUnavailable)
	if got := command(1, "webhook", "test", id); !strings.Contains(got, "the endpoint did not accept the message: the status is 503") {
		t.Error(got)
	}
	s.login(t)
	wait.Until(t, "doctor reports the failure", func() bool {
		got := command(0, "doctor", "--addr", "0")
		return strings.Contains(got, "fix   webhook "+id+": failing since ") && strings.Contains(got, ": the status is 503; 1 message waiting\n")
	})
	if got := command(0, "webhook", "deliveries", id, "--failed"); strings.Count(got, "session.started") != 1 || !strings.Contains(got, ": the status is 503") {
		t.Error(got)
	}
	r.respond(http.StatusGone)
	command(0, "webhook", "replay", id, "--since", "1h", "--failed") // without waiting for the next attempt
	wait.Until(t, "the webhook is disabled", func() bool {
		return strings.Contains(command(0, "webhook", "list"), "disabled: the status is 410")
	})
	// If the next attempt was made before the command, the message was given up, and waits
	// again; otherwise it is given up now.
	got := command(0, "doctor", "--addr", "0")
	disabled := "fix   webhook " + id + ": disabled: the status is 410; "
	if !strings.Contains(got, disabled+"1 message waiting\n") && !strings.Contains(got, disabled+"0 messages waiting, 1 given up\n") {
		t.Error(got)
	}
	if got := command(0, "webhook", "replay", id, "--since", "1h", "--failed"); got != "1 message will be sent again after jotgate webhook enable "+id+": it is disabled\n" {
		t.Error(got)
	}

	// The secret rotates, the message is sent again, and both secrets verify it.
	r.respond(http.StatusOK)
	next := strings.Fields(command(0, "webhook", "rotate", id))[0]
	before := len(r.of("session.started"))
	command(0, "webhook", "enable", id)
	wait.Until(t, "it is sent again", func() bool { return len(r.of("session.started")) > before })
	if d := r.of("session.started")[before]; !d.signed(secret) || !d.signed(next) {
		t.Errorf("%+v", d)
	}
	command(0, "webhook", "set", id, "--types", "user.deleted", "--url", r.URL+"/other")
	if got := command(0, "webhook", "list"); !strings.Contains(got, r.URL+"/other  user.deleted ") {
		t.Error(got)
	}
	command(0, "webhook", "set", id, "--types", "default")
	if got := command(0, "webhook", "list", "--json"); !strings.Contains(got, `"types": []`) {
		t.Error(got)
	}
	command(0, "webhook", "disable", id)
	if got := command(1, "webhook", "disable", id); !strings.Contains(got, "there is no enabled webhook "+id) {
		t.Error(got)
	}
	command(0, "webhook", "remove", id)
	if got := command(0, "webhook", "list"); got != "there are no webhooks\n" {
		t.Error(got)
	}
}
