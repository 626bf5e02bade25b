// Package webhooks verifies what the binary sends as receivers do: with the libraries of Standard Webhooks for Node and
// for Go.
package webhooks

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// message is a request as the receiver got it.
type message struct {
	header http.Header
	body   []byte
}

// with returns the message with another value of a header.
func (m message) with(name, value string) message {
	header := m.header.Clone()
	header.Set(name, value)
	return message{header, m.body}
}

func (m message) kind() string {
	var body struct{ Type string }
	_ = json.Unmarshal(m.body, &body)
	return body.Type
}

// receiver keeps what it gets, and refuses the first request only.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	attempts map[string][]message // by webhook-id
	ids      []string             // in the order of the first attempts
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{attempts: map[string][]message{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		status, id := http.StatusNoContent, q.Header.Get("webhook-id")
		if len(r.ids) == 0 {
			status = http.StatusServiceUnavailable
		}
		if r.attempts[id] == nil {
			r.ids = append(r.ids, id)
		}
		r.attempts[id] = append(r.attempts[id], message{q.Header, body})
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// attempt waits for an attempt to send a message and returns it. Both are counted from 1. On a slow machine there may be
// more attempts than the test asks for.
func (r *receiver) attempt(t *testing.T, number, attempt int) (m message) {
	t.Helper()
	wait.Until(t, fmt.Sprintf("attempt %d to send message %d is received", attempt, number), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.ids) < number || len(r.attempts[r.ids[number-1]]) < attempt {
			return false
		}
		m = r.attempts[r.ids[number-1]][attempt-1]
		return true
	})
	return m
}

// A judge returns an error unless it verifies a message with the secret.
type judge func(secret string, m message) error

func inGo(secret string, m message) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return verifier.Verify(m.body, m.header)
}

func inNode(t *testing.T) judge {
	process := peer.Start(t, exec.Command("node", "judge.mjs"))
	return func(secret string, m message) error {
		headers := map[string]string{}
		for name := range m.header {
			headers[strings.ToLower(name)] = m.header.Get(name)
		}
		var kind string
		args := map[string]any{"secret": secret, "headers": headers, "body": base64.StdEncoding.EncodeToString(m.body)}
		if failure := process.Call(t, "verify", args, &kind); failure != "" {
			return fmt.Errorf("%s", failure)
		}
		if kind != m.kind() {
			return fmt.Errorf("it reads the type %q", kind)
		}
		return nil
	}
}

// Both libraries verify each attempt, with each secret that is valid at that time, and nothing that differs from it in
// one point.
func TestReceiversVerifyWebhooks(t *testing.T) {
	judges := map[string]judge{"Go": inGo, "Node": inNode(t)}
	env := []string{"JOTGATE_WEBHOOK_NETWORKS=127.0.0.0/8", "JOTGATE_USER_PASSWORD=correct-horse-1", "JOTGATE_WEBHOOK_TIMEOUT=1m"}
	server, r := serve.Start(t, serve.Options{Env: env}), newReceiver(t)
	command := func(args ...string) string {
		t.Helper()
		out, err := serve.Command(t, server.Folder, env, args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	command("user", "create", "alice")
	first := command("webhook", "add", r.URL, "--types", "session.started")
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(command("webhook", "list", "--json")), &list); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	login := func() {
		t.Helper()
		if a := client.Post(t, server.URL+"/api/token/", "username", "alice", "password", "correct-horse-1"); a.Status != http.StatusOK {
			t.Fatal(a)
		}
	}
	verified := func(m message, want bool, secrets ...string) {
		t.Helper()
		for name, verify := range judges {
			for _, secret := range secrets {
				if err := verify(secret, m); (err == nil) != want {
					t.Errorf("%s: %v: %s %v", name, err, m.body, m.header)
				}
			}
		}
	}

	// Two attempts, of which the first fails.
	login()
	one, two := r.attempt(t, 1, 1), r.attempt(t, 1, 2)
	if !bytes.Equal(one.body, two.body) {
		t.Errorf("another message: %v %v", one.header, two.header)
	}
	for _, name := range []string{"webhook-timestamp", "webhook-signature"} {
		if one.header.Get(name) == two.header.Get(name) {
			t.Errorf("both attempts have the same %s", name)
		}
	}
	verified(one, true, first)
	verified(two, true, first)
	for _, changed := range damaged(two) {
		verified(changed, false, first)
	}

	// Two secrets while one replaces the other, then one.
	second := command("webhook", "rotate", list[0].ID, "--overlap", "1h")
	login()
	three := r.attempt(t, 2, 1)
	verified(three, true, first, second)
	verified(two, false, second)
	third := command("webhook", "rotate", list[0].ID, "--overlap", "0")
	login()
	four := r.attempt(t, 3, 1)
	verified(four, true, third)
	verified(four, false, first, second)

	command("webhook", "test", list[0].ID)
	verified(r.attempt(t, 4, 1), true, third)
}

// damaged are messages that differ from m in one point.
func damaged(m message) []message {
	at, _ := strconv.ParseInt(m.header.Get("webhook-timestamp"), 10, 64)
	signature := m.header.Get("webhook-signature")
	flipped := signature[:3] + string('A'+(signature[3]-'A'+1)%26) + signature[4:]
	changed := []message{
		m.with("webhook-id", m.header.Get("webhook-id")+"x"),
		m.with("webhook-timestamp", strconv.FormatInt(at+1, 10)),
		m.with("webhook-timestamp", strconv.FormatInt(at-3600, 10)),
		m.with("webhook-signature", ""),
		m.with("webhook-signature", "v2"+signature[2:]),
		m.with("webhook-signature", flipped),
		{m.header, append(bytes.Clone(m.body), ' ')},
		{m.header, m.body[:len(m.body)-1]},
		{m.header, bytes.Replace(m.body, []byte("success"), []byte("failure"), 1)},
	}
	for i := range m.body {
		body := bytes.Clone(m.body)
		body[i] ^= 1
		changed = append(changed, message{m.header, body})
	}
	return changed
}
