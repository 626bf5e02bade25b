package apikey_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// counted counts the statements of a store that verifying a key could cause.
type counted struct {
	*store.Store
	asked atomic.Int32
}

type countedKeys struct {
	apikey.Store
	*counted
}

type countedAccounts struct {
	record.Accounts
	*counted
}

func (c *counted) Accounts() record.Accounts { return countedAccounts{c.Store.Accounts(), c} }

func (c countedAccounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	c.asked.Add(1)
	return c.Accounts.ByID(ctx, id)
}

func (c countedAccounts) Grants(ctx context.Context, id record.UserID) ([]record.Group, []string, error) {
	c.asked.Add(1)
	return c.Accounts.Grants(ctx, id)
}

func (c countedKeys) Find(ctx context.Context, id string) (*apikey.Key, error) {
	c.asked.Add(1)
	return c.Store.Find(ctx, id)
}

func (c countedKeys) Touch(ctx context.Context, uses []apikey.Use) error {
	c.asked.Add(1)
	return c.Store.Touch(ctx, uses)
}

// site is a gate with API keys, whose statements are counted.
type site struct {
	*jotgatetest.Gate
	t     testing.TB
	gate  *jotgate.Gate
	db    *counted
	keys  *apikey.Keys
	alice *record.Account
	log   *bytes.Buffer
}

func newSite(t testing.TB, s apikey.Settings, change func(*jotgate.Settings)) *site {
	t.Helper()
	w := &site{Gate: jotgatetest.New(t), t: t, log: new(bytes.Buffer)}
	w.db = &counted{Store: w.Store().(*store.Store)}
	settings := w.Gate.Settings()
	settings.Users, settings.Logger = nil, slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if change != nil {
		change(&settings)
	}
	w.gate, w.keys = w.node(settings, s)
	w.alice = w.User("alice")
	return w
}

// node returns a further node on the database.
func (w *site) node(settings jotgate.Settings, s apikey.Settings) (*jotgate.Gate, *apikey.Keys) {
	w.t.Helper()
	gate, err := jotgate.New(settings, w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := apikey.New(gate, countedKeys{w.db.Store.APIKeys(), w.db}, s)
	if err != nil {
		w.t.Fatal(err)
	}
	return gate, keys
}

func (w *site) create(r apikey.Request) apikey.Created {
	w.t.Helper()
	if r.Name == "" {
		r.Name = "ci"
	}
	if r.Scopes == nil {
		r.Scopes = []string{"orders:read"}
	}
	created, err := w.keys.Create(w.t.Context(), w.alice, r, jotgate.Client{})
	if err != nil {
		w.t.Fatal(err)
	}
	return created
}

// request is a request with the key as X-Api-Key.
func request(key string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Api-Key", key)
	return r
}

// try returns the error of the key on a node, and how many statements it took.
func (w *site) try(gate *jotgate.Gate, r *http.Request) (statements int, err error) {
	before := w.db.asked.Load()
	_, err = gate.Authenticate(r)
	return int(w.db.asked.Load() - before), err
}

// expect fails unless the key has the status on the node, after so many statements.
func (w *site) expect(when string, gate *jotgate.Gate, r *http.Request, status, statements int) {
	w.t.Helper()
	asked, err := w.try(gate, r)
	got := 200
	if err != nil {
		got = jotgate.AsError(err).Status
	}
	if got != status || asked != statements {
		w.t.Errorf("%s: %d (%v) with %d statements, want %d with %d", when, got, err, asked, status, statements)
	}
}

// A key costs one statement at its first use (the key with its owner) and none after
// that; a wrong checksum never costs any.
func TestStatements(t *testing.T) {
	w := newSite(t, apikey.Settings{}, nil)
	key := w.create(apikey.Request{}).Secret
	w.expect("first", w.gate, request(key), 200, 1)
	for range 1000 {
		w.expect("again", w.gate, request(key), 200, 0)
	}
	for _, wrong := range []string{key[:63] + "!", "jgk_", key + "x", tamper.At(key, 20)} {
		w.expect("wrong checksum", w.gate, request(wrong), 401, 0)
	}
	bearer := httptest.NewRequest("GET", "/", nil)
	for _, scheme := range []string{"Bearer ", "bearer ", "Api-Key ", "api-key\t"} {
		bearer.Header.Set("Authorization", scheme+key)
		w.expect(scheme, w.gate, bearer, 200, 0)
	}
	for _, scheme := range []string{"Token ", "Basic ", ""} {
		bearer.Header.Set("Authorization", scheme+key)
		w.expect(scheme, w.gate, bearer, 401, 0)
	}
	// A well-formed key that was never issued, or that has another secret.
	other, err := apikey.Settings{}.NewKey(w.alice.ID, apikey.Request{Name: "x", Scopes: []string{"a"}}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.expect("unknown", w.gate, request(other.Secret), 401, 1)
	other.Digest = strings.Repeat("0", 64)
	if err := w.db.APIKeys().Add(t.Context(), other.Key); err != nil {
		t.Fatal(err)
	}
	w.expect("wrong secret", w.gate, request(other.Secret), 401, 1)
	// Neither a group nor a permission is read per request.
	w.Clock.Advance(5 * time.Minute)
	w.expect("after five minutes", w.gate, request(key), 200, 1)
	w.expect("again", w.gate, request(key), 200, 0)
}

// A revoked key is refused immediately on the node that revoked it, and on another node
// when that has read the feed, which it does twice a second.
func TestRevoke(t *testing.T) {
	w := newSite(t, apikey.Settings{}, nil)
	there, _ := w.node(w.gate.Settings(), apikey.Settings{})
	for _, ahead := range []time.Duration{0, time.Hour} {
		w.Clock.Advance(ahead)
		c := w.create(apikey.Request{})
		kept := w.create(apikey.Request{}).Secret
		for _, gate := range []*jotgate.Gate{w.gate, there} {
			w.expect("before", gate, request(c.Secret), 200, 1)
			w.expect("another key", gate, request(kept), 200, 1)
		}
		if err := w.keys.Revoke(t.Context(), "999", c.ID, jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
			t.Errorf("somebody else's key: %v", err)
		}
		if err := w.keys.Revoke(t.Context(), w.alice.ID, c.ID, jotgate.Client{}); err != nil {
			t.Fatal(err)
		}
		w.expect("here", w.gate, request(c.Secret), 401, 0)
		if err := there.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.expect("there", there, request(c.Secret), 401, 0)
		for _, gate := range []*jotgate.Gate{w.gate, there} {
			w.expect("another key", gate, request(kept), 200, 0)
		}
		w.Clock.Advance(6 * time.Minute) // it is no longer in the cache
		w.expect("later", w.gate, request(c.Secret), 401, 1)
	}
}

// A key expires, even while it is cached; a rotated one after its overlap.
func TestExpiry(t *testing.T) {
	w := newSite(t, apikey.Settings{Lifetime: time.Hour}, nil)
	hour, minute := w.create(apikey.Request{}), w.create(apikey.Request{Lifetime: time.Minute})
	w.expect("new", w.gate, request(minute.Secret), 200, 1)
	w.Clock.Advance(time.Minute)
	w.expect("expired", w.gate, request(minute.Secret), 401, 1)
	w.expect("not yet", w.gate, request(hour.Secret), 200, 1)
	next, err := w.keys.Rotate(t.Context(), w.alice.ID, hour.ID, 10*time.Minute, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if next.Name != hour.Name || next.Expires.Sub(next.Created) != time.Hour || next.Secret == hour.Secret {
		t.Errorf("rotated: %+v", next)
	}
	if _, err := w.keys.Rotate(t.Context(), w.alice.ID, hour.ID, 0, jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("rotated twice: %v", err)
	}
	w.Clock.Advance(10*time.Minute - time.Second)
	w.expect("in the overlap", w.gate, request(hour.Secret), 200, 1)
	w.Clock.Advance(time.Second)
	w.expect("after the overlap", w.gate, request(hour.Secret), 401, 1)
	w.expect("the new one", w.gate, request(next.Secret), 200, 1)
	if _, err := w.keys.Rotate(t.Context(), w.alice.ID, next.ID, 0, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	w.expect("rotated without an overlap", w.gate, request(next.Secret), 401, 0)
}

func TestNetworks(t *testing.T) {
	w := newSite(t, apikey.Settings{TrustedProxies: []string{"10.0.0.1"}}, nil)
	key := w.create(apikey.Request{Networks: []string{"192.0.2.0/24", "2001:db8::1", "::ffff:198.51.100.7"}}).Secret
	first := 1
	for _, c := range []struct {
		peer, forwarded string
		status          int
	}{
		{"192.0.2.9:1", "", 200},
		{"[::ffff:192.0.2.9]:1", "", 200},
		{"[2001:db8::1]:1", "", 200},
		{"198.51.100.7:1", "", 200},
		{"10.0.0.1:1", "192.0.2.9", 200},
		{"192.0.3.9:1", "", 403},
		{"[2001:db8::2]:1", "", 403},
		{"192.0.3.9:1", "192.0.2.9", 403},
		{"10.0.0.1:1", "192.0.2.9, 203.0.113.1", 403},
		{"10.0.0.1:1", "", 403},
		{"@", "", 403},
	} {
		r := request(key)
		if r.RemoteAddr = c.peer; c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		w.expect(c.peer+" "+c.forwarded, w.gate, r, c.status, first)
		first = 0
	}
}

// The last use is stored about once a minute, in batches.
func TestLastUse(t *testing.T) {
	w := newSite(t, apikey.Settings{}, nil)
	var keys []apikey.Created
	for range 5 {
		keys = append(keys, w.create(apikey.Request{}))
	}
	used := w.Clock.Now().UTC()
	for range 30 { // a minute
		for _, c := range keys {
			if _, err := w.try(w.gate, request(c.Secret)); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(2 * time.Second)
	}
	before := w.db.asked.Load()
	if err := errors.Join(w.keys.Flush(t.Context()), w.keys.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if n := w.db.asked.Load() - before; n != 1 {
		t.Errorf("%d transactions for 5 keys that were used 30 times", n)
	}
	list, err := w.keys.List(t.Context(), w.alice.ID)
	for _, k := range list {
		if !k.Used.Equal(used) || k.UsedAddress != "192.0.2.1" {
			t.Errorf("used %v from %s, want %v", k.Used, k.UsedAddress, used)
		}
	}
	if err != nil || len(list) != 5 {
		t.Errorf("%d keys, %v", len(list), err)
	}
}

// The owner of a key that expires gets one e-mail a week before, if the address is
// verified.
func TestReminder(t *testing.T) {
	w := newSite(t, apikey.Settings{}, nil)
	c := w.create(apikey.Request{Name: "nightly"})
	w.create(apikey.Request{Lifetime: 10 * 24 * time.Hour})
	messages := func() []record.Message {
		if err := errors.Join(w.keys.Remind(t.Context()), w.keys.Remind(t.Context())); err != nil {
			t.Fatal(err)
		}
		list, err := w.db.Outbox().Due(t.Context(), w.Clock.Now(), 100, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	w.Clock.Advance(83*24*time.Hour - time.Second)
	if list := messages(); len(list) != 0 {
		t.Errorf("too early: %+v", list)
	}
	w.Clock.Advance(2 * time.Second)
	list := messages()
	if len(list) != 1 || list[0].To != "alice@example.com" || !strings.HasPrefix(list[0].Detail, "nightly (jgk_"+c.ID+"…)") || strings.Contains(list[0].Detail, c.Secret) {
		t.Errorf("a week before: %+v", list)
	}
	w.Clock.Advance(time.Minute)
	if list := messages(); len(list) != 0 {
		t.Errorf("again: %+v", list)
	}
}

// The secret is in the response of Create alone: not in the database, its log, the
// audit trail or what the operator reads.
func TestSecretIsNowhere(t *testing.T) {
	w := newSite(t, apikey.Settings{}, nil)
	c := w.create(apikey.Request{})
	for _, key := range []string{c.Secret, tamper.At(c.Secret, 50), c.Secret + "x"} {
		for _, header := range []string{"X-Api-Key", "Authorization"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set(header, map[bool]string{true: "Bearer "}[header == "Authorization"]+key)
			w.gate.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	if err := errors.Join(w.keys.Flush(t.Context()), w.keys.Revoke(t.Context(), w.alice.ID, c.ID, jotgate.Client{})); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "copy.db")
	if err := w.db.BackupTo(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(rows, []byte(c.ID)) || !strings.Contains(w.log.String(), c.ID) {
		t.Fatal("the search does not find the id")
	}
	secret := c.Secret[15:50]
	if bytes.Contains(rows, []byte(secret)) || strings.Contains(w.log.String(), secret) {
		t.Errorf("the secret is in the database or the log:\n%s", w.log)
	}
}
