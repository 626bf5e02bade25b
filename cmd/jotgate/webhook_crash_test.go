package main

// serve is killed with kill -9 between a login and the delivery of the message about it,
// again and again: no message is lost, and one that is repeated has the same id.

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/program"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

func TestWebhooksSurviveKills(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			k := &killed{t: t, r: newHooked(t), program: filepath.Join(programs(t), "jotgate"), sids: map[string]bool{}}
			k.env = []string{"DATABASE_URL=" + database(t), "SECRET_KEY=" + goodSecret, "JOTGATE_WEBHOOK_NETWORKS=127.0.0.0/8", "JOTGATE_HASHER=pbkdf2_sha256:1000"}
			k.command("migrate")
			k.command("user", "create", "alice")
			k.secret = k.command("webhook", "add", k.r.URL)
			for round := range rounds.Of(10, 100) {
				k.round(round)
			}
			k.check()
		})
	}
}

// killed is a site whose serve is killed.
type killed struct {
	t       *testing.T
	r       *hooked
	program string
	env     []string
	secret  string
	mu      sync.Mutex
	sids    map[string]bool // of the logins that had a response
}

func (k *killed) command(args ...string) string {
	k.t.Helper()
	status, stdout, stderr := try(k.t, append(k.env, "JOTGATE_USER_PASSWORD=correct-horse-1"), "", args...)
	if status != 0 {
		k.t.Fatalf("%v: %s", args, stderr)
	}
	return strings.TrimSpace(stdout)
}

// round starts serve, logs in three times concurrently, and kills serve: after the first
// response to a login, while a message is being received, or when one was received.
func (k *killed) round(round int) {
	moment := make(chan bool, 100)
	goOn := make(chan bool)
	now, never := func() { moment <- true }, func() {}
	loggedIn := never
	switch round % 4 {
	case 1:
		k.r.call(func() { moment <- true; <-goOn }, never)
	case 3:
		k.r.call(never, now)
	default:
		loggedIn = now
	}
	process, base := k.serve()
	var logins sync.WaitGroup
	for range 3 {
		logins.Go(func() {
			if k.login(base) {
				loggedIn()
			}
		})
	}
	wait.For(k.t, "serve is to be killed", moment)
	_ = process.Process.Kill()
	_ = process.Wait()
	close(goOn)
	logins.Wait()
	k.r.call(never, never)
}

// serve starts serve and returns its address.
func (k *killed) serve() (*exec.Cmd, string) {
	k.t.Helper()
	var out, failed capture.Output
	process := exec.CommandContext(k.t.Context(), k.program, "serve", "--addr", "127.0.0.1:0", "--log-level", "error")
	process.Env = program.Environment(k.env...)
	process.Stdout, process.Stderr = &out, &failed
	if err := process.Start(); err != nil {
		k.t.Fatal(err)
	}
	var found []string
	wait.Until(k.t, "serve listens: "+failed.String(), func() bool {
		found = regexp.MustCompile(`listening on (http://[^\s,]+)`).FindStringSubmatch(out.String())
		return found != nil
	})
	return process, found[1]
}

// login logs alice in, notes the session, and reports whether there was a response. While the server is
// too busy, it tries again.
func (k *killed) login(base string) bool {
	response, err := http.PostForm(base+"/api/token/", url.Values{"username": {"alice"}, "password": {"correct-horse-1"}})
	if err != nil {
		return false
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable {
		return k.login(base)
	}
	var tokens struct{ Access string }
	if json.NewDecoder(response.Body).Decode(&tokens) != nil || response.StatusCode != http.StatusOK {
		return false
	}
	var claims struct{ SID string }
	if _, text, err := jwt.DecodeUnverified(tokens.Access); err != nil || json.Unmarshal([]byte(text), &claims) != nil || claims.SID == "" {
		k.t.Errorf("%s: %v", tokens.Access, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sids[claims.SID] = true
	return true
}

// check sends what is left, and compares what was received with the logins.
func (k *killed) check() {
	k.flush()
	about := map[string]string{} // bodies by id
	ids := map[int64]string{}    // by event
	received := map[string]bool{}
	repeated := 0
	all := k.r.of("session.started")
	for _, d := range all {
		var message struct {
			Data struct {
				EventID int64 `json:"event_id"`
				SID     string
			}
		}
		if err := json.Unmarshal([]byte(d.body), &message); err != nil || !d.signed(k.secret) {
			k.t.Fatalf("%+v: %v", d, err)
		}
		event := message.Data.EventID
		if about[d.id] != "" {
			repeated++
		}
		if about[d.id] != "" && about[d.id] != d.body || ids[event] != "" && ids[event] != d.id {
			k.t.Errorf("%+v: another attempt had the body %s, the event %d the id %s", d, about[d.id], event, ids[event])
		}
		about[d.id], ids[event], received[message.Data.SID] = d.body, d.id, true
	}
	for sid := range k.sids {
		if !received[sid] {
			k.t.Errorf("the message about the session %s is lost", sid)
		}
	}
	k.t.Logf("%d logins had a response, %d messages, %d attempts repeat one", len(k.sids), len(about), repeated)
	if repeated == 0 || len(k.sids) == 0 {
		k.t.Error("serve was not killed while it sent a message")
	}
}

// flush sends what is left, at a time when no lease of a killed process is valid.
func (k *killed) flush() {
	k.t.Helper()
	f := gateFlags{}
	f.DatabaseTimeout = wait.Limit
	f.Database = strings.TrimPrefix(k.env[0], "DATABASE_URL=")
	f.UserTable, f.IDColumn, f.UsernameColumn, f.EmailColumn = "auth_user", "id", "username", "email"
	db, err := f.open(&app{ctx: k.t.Context(), stderr: k.t.Output()}, using)
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: goodSecret, Now: func() time.Time { return time.Now().Add(time.Hour) }}, db)
	if err != nil {
		k.t.Fatal(err)
	}
	hooks, err := webhook.New(gate, store.Webhooks(db), webhook.Settings{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err == nil {
		err = hooks.Flush(k.t.Context())
	}
	if err != nil {
		k.t.Fatal(err)
	}
}
