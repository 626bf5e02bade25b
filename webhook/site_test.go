package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/webhook"
)

// loopback lets the tests use servers of this machine.
var loopback = webhook.Settings{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// site is a gate with webhooks, whose clock is the test's.
type site struct {
	t     *testing.T
	gate  *jotgate.Gate
	db    *store.Store
	hooks *webhook.Webhooks
	clock *clock
	log   *capture.Output
	alice *record.Account
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const secret = "a secret of the tests that is long enough"

func newSite(t *testing.T, db *store.Store) *site {
	t.Helper()
	w := &site{t: t, db: db, log: new(capture.Output), clock: &clock{now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}}
	w.gate, w.hooks = w.node()
	w.alice = &record.Account{Username: "alice", Password: "!", IsActive: true}
	w.must(db.Accounts().Create(t.Context(), w.alice))
	return w
}

// node returns a further node on the database.
func (w *site) node() (*jotgate.Gate, *webhook.Webhooks) {
	w.t.Helper()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Now: w.clock.Now, Logger: slog.New(slog.NewTextHandler(leak.Watch(w.t, w.log, secret), nil))}, w.db)
	w.must(err)
	hooks, err := webhook.New(gate, store.Webhooks(w.db), loopback)
	w.must(err)
	return gate, hooks
}

func (w *site) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// both runs a test on SQLite and on PostgreSQL.
func both(t *testing.T, test func(w *site)) {
	t.Run("sqlite", func(t *testing.T) { test(newSite(t, sqlitetest.Open(t))) })
	t.Run("postgres", func(t *testing.T) {
		db, err := postgres.Open(t.Context(), pgtest.Database(t), postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		test(newSite(t, db))
	})
}

func (w *site) login() {
	w.t.Helper()
	_, err := w.gate.Sessions().Start(w.t.Context(), w.alice, jotgate.ProvedElsewhere("test"), jotgate.Client{Address: "192.0.2.1", UserAgent: "browser"})
	w.must(err)
}

func (w *site) add(url string, types ...string) webhook.Created {
	w.t.Helper()
	c, err := w.hooks.Add(w.t.Context(), webhook.Request{URL: url, Types: types}, jotgate.Client{})
	w.must(err)
	return c
}

func (w *site) flush() { w.t.Helper(); w.must(w.hooks.Flush(w.t.Context())) }

func (w *site) endpoint(id string) webhook.Endpoint {
	w.t.Helper()
	list, err := w.hooks.List(w.t.Context())
	w.must(err)
	i := slices.IndexFunc(list, func(e webhook.Endpoint) bool { return e.ID == id })
	if i < 0 {
		w.t.Fatalf("there is no %s", id)
	}
	return list[i]
}

// request is one that a receiver got.
type request struct {
	id, at, signatures, body string
	header                   http.Header
}

// receiver is an endpoint.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r *http.Request) // nil: 204
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.got = append(r.got, request{q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), q.Header.Get("webhook-signature"), string(body), q.Header})
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) respond(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// verified reports whether one of the signatures is that of the secret.
func (q *request) verified(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", q.id, q.at, q.body)
	return slices.Contains(strings.Fields(q.signatures), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
