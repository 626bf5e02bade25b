package webhook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// Without permission no endpoint is in a private network, whatever its name.
func TestPrivate(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	r := newReceiver(t, nil)
	port := r.URL[strings.LastIndex(r.URL, ":"):]
	strict, err := webhook.New(w.gate, store.Webhooks(w.db), webhook.Settings{})
	w.must(err)
	for _, url := range []string{r.URL, "https://127.0.0.1" + port, "https://[::ffff:127.0.0.1]" + port, "https://10.0.0.1/", "https://169.254.169.254/", "http://example.com/", "https://a:b@example.com/", "example.com", "ftp://example.com/", "https://example.com/" + strings.Repeat("a", 1000)} {
		if c, err := strict.Add(t.Context(), webhook.Request{URL: url}, jotgate.Client{}); err == nil || c.Secret != "" {
			t.Errorf("%s was added", url)
		}
	}
	c, err := strict.Add(t.Context(), webhook.Request{URL: "https://localhost" + port}, jotgate.Client{})
	w.must(err)
	if _, err := strict.Test(t.Context(), c.ID); !errors.Is(err, webhook.ErrRefused) || !strings.Contains(err.Error(), "not public") {
		t.Error(err)
	}
	w.login()
	w.must(strict.Flush(t.Context()))
	if e := w.endpoint(c.ID); !strings.Contains(e.Reason, "not public") || len(r.requests()) != 0 {
		t.Errorf("%+v, %d requests", e, len(r.requests()))
	}
}

// The secret is nowhere in the database, and cannot be moved to another endpoint.
func TestSealed(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	r := newReceiver(t, nil)
	one, two := w.add(r.URL), w.add(r.URL)
	if len(one.Secret) < 38 || one.Sealed == "" || strings.Contains(one.Sealed, one.Secret[6:20]) {
		t.Errorf("%+v", one)
	}
	text, err := json.Marshal(one.Endpoint)
	if w.must(err); strings.Contains(string(text), one.Sealed) {
		t.Errorf("%s", text)
	}
	w.must(store.Webhooks(w.db).Rotate(t.Context(), two.ID, two.Sealed, one.Sealed, w.clock.Now()))
	if _, err := w.hooks.Test(t.Context(), two.ID); err == nil || !strings.Contains(err.Error(), "SECRET_KEY") {
		t.Error(err)
	}
	if status, err := w.hooks.Test(t.Context(), one.ID); err != nil || status != 204 {
		t.Error(status, err)
	}
	if got := r.requests(); len(got) != 1 || !got[0].verified(one.Secret) || !strings.Contains(got[0].body, `"webhook.test"`) {
		t.Errorf("%+v", got)
	}
	if strings.Contains(w.log.String(), "whsec_") {
		t.Error("the log has a secret")
	}
}

// Each kind of event has a type, and each type can be asked for.
func TestTypes(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	standard, further := webhook.Types()
	for _, kind := range append(slices.Clone(standard), further...) {
		if strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz_.") != "" || !strings.Contains(kind, ".") {
			t.Errorf("%q is not a type", kind)
		}
	}
	for _, kind := range []string{"login.failed", "token.refused", "webhook.changed", "request.throttled"} {
		if !slices.Contains(further, kind) || slices.Contains(standard, kind) {
			t.Errorf("%s is sent by default", kind)
		}
	}
	r := newReceiver(t, nil)
	w.add(r.URL, "user.*", "login.failed")
	for _, e := range []record.Event{
		{Name: "account", Detail: "created"},
		{Name: "account", Detail: "inactive"},
		{Name: "delete", Detail: "requested"},
		{Name: "delete", Detail: "alice"},
		{Name: "admin", Detail: "user.delete"},
		{Name: "admin", Detail: "group.delete"},
		{Name: "email", Detail: "requested"},
		{Name: "api_key", Detail: "created x"},
		{Name: "login_failed"},
		{Name: "throttled"},
	} {
		e.User = "7"
		w.gate.Events().Record(t.Context(), e, jotgate.Client{})
	}
	w.flush()
	var got []string
	for _, q := range r.requests() {
		var body struct{ Type string }
		w.must(json.Unmarshal([]byte(q.body), &body))
		got = append(got, body.Type)
	}
	slices.Sort(got)
	want := []string{"login.failed", "user.created", "user.deactivated", "user.deleted", "user.deleted", "user.deletion_requested", "user.email_requested"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, types := range [][]string{{"user.nonsense"}, {"nonsense.*"}, {""}, {"user.deleted", "USER.*"}} {
		if _, err := w.hooks.Add(t.Context(), webhook.Request{URL: r.URL, Types: types}, jotgate.Client{}); err == nil {
			t.Errorf("%q was added", types)
		}
	}
}

// There is a limit of endpoints, also for concurrent requests.
func TestLimit(t *testing.T) {
	both(t, func(w *site) {
		for range webhook.MaxEndpoints - 1 {
			w.add("https://example.com/")
		}
		var all sync.WaitGroup
		errs := make(chan error, 4)
		for range 4 {
			all.Go(func() {
				_, err := w.hooks.Add(w.t.Context(), webhook.Request{URL: "https://example.com/"}, jotgate.Client{})
				errs <- err
			})
		}
		all.Wait()
		list, err := w.hooks.List(w.t.Context())
		if w.must(err); len(list) != webhook.MaxEndpoints {
			w.t.Errorf("%d endpoints", len(list))
		}
	})
}

// A change of URL and types holds for messages that wait and for later events.
func TestChange(t *testing.T) {
	both(t, func(w *site) {
		former, later := newReceiver(w.t, nil), newReceiver(w.t, nil)
		former.respond(503)
		c := w.add(former.URL, "session.*")
		w.login()
		w.flush()
		w.must(w.hooks.Change(w.t.Context(), c.ID, webhook.Request{URL: later.URL}, jotgate.Client{}))
		w.clock.advance(time.Minute)
		w.flush()
		if e := w.endpoint(c.ID); len(former.requests()) != 1 || len(later.requests()) != 1 || e.URL != later.URL || !slices.Equal(e.Types, []string{"session.*"}) {
			w.t.Errorf("%+v", e)
		}
		w.must(w.hooks.Change(w.t.Context(), c.ID, webhook.Request{Types: []string{"user.deleted"}}, jotgate.Client{}))
		w.login()
		w.flush()
		if e := w.endpoint(c.ID); len(later.requests()) != 1 || e.URL != later.URL || !slices.Equal(e.Types, []string{"user.deleted"}) {
			w.t.Errorf("%+v", e)
		}
		w.must(w.hooks.Change(w.t.Context(), c.ID, webhook.Request{Types: []string{}}, jotgate.Client{}))
		if e := w.endpoint(c.ID); len(e.Types) != 0 {
			w.t.Errorf("%+v", e)
		}
		for _, wrong := range []webhook.Request{{URL: "https://10.0.0.1/"}, {Types: []string{"nonsense"}}} {
			if err := w.hooks.Change(w.t.Context(), c.ID, wrong, jotgate.Client{}); err == nil {
				w.t.Errorf("%+v was accepted", wrong)
			}
		}
		if err := w.hooks.Change(w.t.Context(), "wh_0", webhook.Request{}, jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
			w.t.Error(err)
		}
	})
}

// Old messages are deleted.
func TestPurge(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	r := newReceiver(t, nil)
	c := w.add(r.URL)
	w.login()
	w.flush()
	w.clock.advance(time.Hour)
	n, err := store.Webhooks(w.db).Purge(t.Context(), w.clock.Now().Add(-2*time.Hour), 10)
	if w.must(err); n != 0 {
		t.Errorf("%d are deleted", n)
	}
	n, err = store.Webhooks(w.db).Purge(t.Context(), w.clock.Now(), 10)
	if w.must(err); n != 1 {
		t.Errorf("%d are deleted", n)
	}
	if list, err := w.hooks.Deliveries(t.Context(), c.ID, false, 10); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

func TestSettings(t *testing.T) {
	gate := jotgatetest.New(t).Gate
	for _, s := range []webhook.Settings{{Timeout: time.Millisecond}, {Timeout: time.Hour}, {DisableAfter: time.Minute}, {Retention: time.Hour}, {Timeout: -1}} {
		if _, err := webhook.New(gate, nil, s); err == nil {
			t.Errorf("%+v", s)
		}
	}
}
