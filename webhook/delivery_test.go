package webhook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// A login is delivered once, signed, with ids alone; with two nodes, too.
func TestDelivery(t *testing.T) {
	both(t, func(w *site) {
		r := newReceiver(w.t, nil)
		w.login() // before there is an endpoint
		w.clock.advance(time.Second)
		c := w.add(r.URL + "/hooks")
		w.clock.advance(time.Second)
		w.login()
		w.clock.advance(time.Minute)
		_, other := w.node()
		var nodes sync.WaitGroup
		for _, node := range []*webhook.Webhooks{w.hooks, other, w.hooks, other} {
			nodes.Go(func() {
				if err := node.Flush(w.t.Context()); err != nil {
					w.t.Error(err)
				}
			})
			nodes.Wait() // one after the other; TestConcurrentNodes has the other case
		}
		got := r.requests()
		if len(got) != 1 {
			w.t.Fatalf("%d requests: %v", len(got), got)
		}
		q := got[0]
		if !q.verified(c.Secret) || q.at != strconv.FormatInt(w.clock.Now().Unix(), 10) || !strings.HasPrefix(q.id, "msg_") || q.header.Get("Content-Type") != "application/json" {
			w.t.Errorf("%+v", q)
		}
		var body struct {
			Type      string
			Timestamp time.Time
			Data      map[string]any
		}
		w.must(json.Unmarshal([]byte(q.body), &body))
		if body.Type != "session.started" || !body.Timestamp.Equal(w.clock.Now().Add(-time.Minute)) || fmt.Sprint(body.Data["user_id"]) != string(w.alice.ID) ||
			body.Data["event"] != "login" || body.Data["sid"] == "" || body.Data["outcome"] != "success" {
			w.t.Errorf("%s", q.body)
		}
		for _, text := range []string{"192.0.2.1", "browser", "alice", "address", "agent", "detail"} {
			if strings.Contains(q.body, text) {
				w.t.Errorf("%s has %q", q.body, text)
			}
		}
		if e := w.endpoint(c.ID); e.Waiting != 0 || !e.Failing.IsZero() {
			w.t.Errorf("%+v", e)
		}
	})
}

// Many nodes that send at the same time deliver each message once.
func TestConcurrentNodes(t *testing.T) {
	both(t, func(w *site) {
		r := newReceiver(w.t, nil)
		w.add(r.URL)
		const logins = 30
		for range logins {
			w.login()
		}
		var nodes sync.WaitGroup
		for range 4 {
			_, node := w.node()
			nodes.Go(func() {
				if err := node.Flush(w.t.Context()); err != nil {
					w.t.Error(err)
				}
			})
		}
		nodes.Wait()
		w.flush()
		ids := map[string]bool{}
		for _, q := range r.requests() {
			ids[q.id] = true
		}
		if n := len(r.requests()); n != logins || len(ids) != logins {
			w.t.Errorf("%d requests with %d ids, not %d", n, len(ids), logins)
		}
	})
}

// A message is tried ten times in 75 hours, each time with the same id and body and
// another time and signature, and then given up.
func TestSchedule(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	r := newReceiver(t, nil)
	r.respond(http.StatusInternalServerError)
	c := w.add(r.URL)
	w.login()
	began := w.clock.Now()
	var total time.Duration
	for i, pause := range []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	} {
		total += pause
		w.clock.advance(pause * 8 / 10)
		if pause > 0 {
			w.clock.advance(-time.Second)
			w.flush()
			w.clock.advance(time.Second)
		}
		if n := len(r.requests()); n != i {
			t.Fatalf("%d attempts before the pause %d", n, i)
		}
		w.clock.advance(pause * 4 / 10)
		w.flush()
		if n := len(r.requests()); n != i+1 {
			t.Fatalf("%d attempts after the pause %d (%v)", n, i, pause)
		}
	}
	if total < 75*time.Hour || total > 76*time.Hour {
		t.Errorf("%v", total)
	}
	w.clock.advance(100 * time.Hour)
	w.flush()
	got := r.requests()
	seen := map[string]bool{}
	for _, q := range got {
		if q.id != got[0].id || q.body != got[0].body || seen[q.at] || seen[q.signatures] || !q.verified(c.Secret) {
			t.Errorf("%+v", q)
		}
		seen[q.at], seen[q.signatures] = true, true
	}
	e := w.endpoint(c.ID)
	if len(got) != 10 || e.Waiting != 0 || e.GivenUp != 1 || !e.Failing.Equal(began) || e.Reason != "the status is 500" || !e.Disabled.IsZero() {
		t.Errorf("%d attempts, %+v", len(got), e)
	}
	// Replay sends it once more, with its id.
	list, err := w.hooks.Deliveries(t.Context(), c.ID, true, 10)
	if w.must(err); len(list) != 1 || list[0].Attempts != 10 || list[0].Status != 500 || list[0].Done.IsZero() {
		t.Fatalf("%+v", list)
	}
	r.respond(http.StatusOK)
	for _, failed := range []bool{true, true, false} {
		n, err := w.hooks.Replay(t.Context(), c.ID, began, failed, jotgate.Client{})
		w.must(err)
		w.flush()
		got = r.requests()
		if last := got[len(got)-1]; last.id != got[0].id || !last.verified(c.Secret) {
			t.Errorf("%d: %+v", n, last)
		}
	}
	if len(got) != 12 { // the second Replay finds no failed message
		t.Errorf("%d requests", len(got))
	}
	if e := w.endpoint(c.ID); !e.Failing.IsZero() || e.Reason != "" || e.GivenUp != 0 {
		t.Errorf("%+v", e)
	}
}

// While the secret rotates, both verify; afterwards only the new one.
func TestRotate(t *testing.T) {
	w := newSite(t, sqlitetest.Open(t))
	r := newReceiver(t, nil)
	old := w.add(r.URL)
	w.clock.advance(time.Second)
	next, err := w.hooks.Rotate(t.Context(), old.ID, time.Hour, jotgate.Client{})
	w.must(err)
	for i, want := range []bool{true, false} {
		w.login()
		w.flush()
		q := r.requests()[i]
		if q.verified(old.Secret) != want || !q.verified(next.Secret) || len(strings.Fields(q.signatures)) != map[bool]int{true: 2, false: 1}[want] {
			t.Errorf("%d: %+v", i, q)
		}
		w.clock.advance(time.Hour)
	}
	if err := store.Webhooks(w.db).Rotate(t.Context(), old.ID, old.Sealed, "x", w.clock.Now()); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("a concurrent rotation: %v", err)
	}
	if _, err := w.hooks.Rotate(t.Context(), old.ID, 31*24*time.Hour, jotgate.Client{}); err == nil {
		t.Error("an overlap of 31 days")
	}
}

// An endpoint is disabled by 410, and by five days of nothing but failures, with an event;
// its messages wait until it is enabled.
func TestDisable(t *testing.T) {
	both(t, func(w *site) {
		gone, failing, watcher := newReceiver(w.t, nil), newReceiver(w.t, nil), newReceiver(w.t, nil)
		gone.respond(http.StatusGone)
		failing.respond(http.StatusTeapot)
		w.clock.advance(-time.Second)
		one, two := w.add(gone.URL, "session.*"), w.add(failing.URL, "session.*")
		w.clock.advance(time.Second)
		w.add(watcher.URL, "webhook.changed")
		w.login()
		w.flush()
		if e := w.endpoint(one.ID); e.Disabled.IsZero() || e.Reason != "the status is 410" {
			w.t.Errorf("%+v", e)
		}
		for range 7 {
			w.clock.advance(24 * time.Hour)
			w.login()
			w.flush()
		}
		e := w.endpoint(two.ID)
		if want := time.Date(2026, 12, 5, 12, 0, 0, 0, time.UTC); !e.Disabled.Equal(want) { // the first after five days
			w.t.Errorf("%+v", e)
		}
		if n := len(gone.requests()); n != 1 {
			w.t.Errorf("%d requests to a disabled endpoint", n)
		}
		events, err := w.db.Events().List(w.t.Context(), "", 0, 100)
		w.must(err)
		var disabled []string
		for _, e := range events {
			if e.Name == "webhook" && strings.HasPrefix(e.Detail, "disabled") {
				disabled = append(disabled, e.Detail)
			}
		}
		if want := []string{"disabled " + two.ID + ": the status is 418", "disabled " + one.ID + ": the status is 410"}; !slices.Equal(disabled, want) {
			w.t.Errorf("%q", disabled)
		}
		w.flush()
		if n := len(watcher.requests()); n != 3 { // itself was added, and two were disabled
			w.t.Errorf("%d messages about webhooks", n)
		}
		gone.respond(http.StatusOK)
		w.must(w.hooks.SetDisabled(w.t.Context(), one.ID, false, jotgate.Client{}))
		w.flush()
		if n := len(gone.requests()); n != 8 { // 410, and one for each later login
			w.t.Errorf("%d requests after it was enabled", n)
		}
		if err := w.hooks.SetDisabled(w.t.Context(), one.ID, false, jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
			w.t.Errorf("enabled twice: %v", err)
		}
		w.must(w.hooks.Remove(w.t.Context(), one.ID, jotgate.Client{}))
		if _, err := w.hooks.Deliveries(w.t.Context(), one.ID, false, 10); !errors.Is(err, jotgate.ErrNotFound) {
			w.t.Errorf("removed: %v", err)
		}
	})
}

// What an endpoint responds is bounded, and decides only by its status.
func TestResponses(t *testing.T) {
	secretPlace := newReceiver(t, nil)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		reason string
		retry  time.Duration // at least
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, secretPlace.URL, http.StatusTemporaryRedirect)
		}, "the response is a redirect (307), which is not followed", 0},
		"retry after": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "the status is 429", 2 * time.Hour},
		"retry after a week": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "604800")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "the status is 503", 24 * time.Hour},
		"retry in the past": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "the status is 503", 4 * time.Second},
		"long body": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			for range 64 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "the status is 400", 0},
		"long header": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, "net/http: HTTP/1.x transport connection broken: net/http: server response headers exceeded 16384 bytes; aborted", 0},
		"no response": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSite(t, sqlitetest.Open(t))
			e := w.add(newReceiver(t, c.answer).URL + "/?token=in-the-url")
			w.login()
			w.flush()
			got := w.endpoint(e.ID)
			list, err := w.hooks.Deliveries(t.Context(), e.ID, true, 10)
			if w.must(err); len(list) != 1 || got.Waiting != 1 {
				t.Fatalf("%+v", list)
			}
			wait := list[0].Due.Sub(w.clock.Now())
			if got.Reason != c.reason || wait < max(c.retry, 4*time.Second) || wait > max(c.retry, 6*time.Second) {
				t.Errorf("%q, again in %v", got.Reason, wait)
			}
			if strings.Contains(w.log.String(), "in-the-url") || !strings.Contains(w.log.String(), "will be tried again") {
				t.Error(w.log)
			}
		})
	}
	if len(secretPlace.requests()) != 0 {
		t.Error("a redirect was followed")
	}
}
