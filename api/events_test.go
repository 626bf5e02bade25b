package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
)

// The feed of events needs the right of the account, and of limited tokens the scope too;
// a page is bounded and continues after its last cursor.
func TestEventFeed(t *testing.T) {
	s := newSite(t, change{})
	want(t, "without a token", s.ask("GET", "/auth/events/", ""), 401, "")
	want(t, "a user", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 403, "permission")
	s.changeAlice(record.Change{IsStaff: new(true)})
	want(t, "staff without the permission", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 403, "permission")
	with, without := s.madeKey("events").Secret, s.madeKey("account").Secret
	want(t, "the scope alone", s.ask("GET", "/auth/events/", "", "X-Api-Key", with), 403, "permission")
	s.changeAlice(record.Change{IsSuperuser: new(true)})
	want(t, "a key without the scope", s.ask("GET", "/auth/events/", "", "X-Api-Key", without), 403, "insufficient_scope")
	want(t, "a superuser", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 200, `"event":"login"`)
	for _, query := range []string{"after=1", "after=x-1-1", "limit=0", "limit=x", "wait=-1", "wait=x"} {
		want(t, query, s.ask("GET", "/auth/events/?"+query, "", "X-Api-Key", with), 400, "")
	}

	a := s.ask("GET", "/auth/events/?limit=100000", "", "X-Api-Key", with, "Accept", "application/jsonl")
	if a.Header.Get("Content-Type") != jsonLinesType || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", a.Header)
	}
	all, pages, cursor := a.Body, "", "0"
	for {
		page := s.ask("GET", "/auth/events/?limit=2&after="+cursor, "", "X-Api-Key", with).Body
		if page == "" {
			break
		}
		lines := strings.Split(strings.TrimSuffix(page, "\n"), "\n")
		if len(lines) > 2 {
			t.Fatalf("%d lines", len(lines))
		}
		var last record.Event
		if err := json.NewDecoder(bytes.NewReader([]byte(lines[len(lines)-1]))).Decode(&last); err != nil || last.Cursor == "" || last.Cursor == cursor {
			t.Fatalf("%s: %v", page, err)
		}
		pages, cursor = pages+page, last.Cursor
	}
	if pages != all || strings.Count(all, "\n") < 5 {
		t.Errorf("pages of two:\n%s\none page:\n%s", pages, all)
	}
}

// changeAlice changes alice's account, and turns the clock: later tokens are of a later second.
func (s *site) changeAlice(change record.Change) {
	s.t.Helper()
	change.At = s.now.Now()
	if err := s.db.Accounts().Change(s.t.Context(), s.account("alice").ID, change); err != nil {
		s.t.Fatal(err)
	}
	s.now.turn(2 * time.Second)
}

// A request that waits ends with the next event, with an empty page when the time is over,
// and without the events when its key has been revoked or its account has lost the right.
func TestEventFeedWaits(t *testing.T) {
	s := newSite(t, change{})
	s.changeAlice(record.Change{IsStaff: new(true), IsSuperuser: new(true)})
	key := s.madeKey("events")
	add := func(detail string) {
		if err := s.db.Events().Add(t.Context(), record.Event{Name: "login", Detail: detail, Time: s.now.Now()}); err != nil {
			t.Error(err)
		}
	}
	cursor := func() string {
		var last record.Event
		for line := range strings.Lines(s.ask("GET", "/auth/events/", "", "X-Api-Key", key.Secret).Body) {
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Fatal(err)
			}
		}
		return last.Cursor
	}
	// during starts a request, waits until it waits, calls do, and returns the response.
	during := func(seconds string, do func()) answer {
		before, got := s.API.eventWaiters.Load(), make(chan answer, 1)
		address := "/auth/events/?after=" + cursor() + "&wait=" + seconds
		go func() { got <- s.ask("GET", address, "", "X-Api-Key", key.Secret) }()
		wait.Until(t, "the request waits", func() bool { return s.API.eventWaiters.Load() > before })
		do()
		return wait.For(t, "the request ends", got)
	}
	a := during("25", func() { add("next") })
	want(t, "an event", a, 200, `"detail":"next"`)
	if n := strings.Count(a.Body, "\n"); n != 1 {
		t.Errorf("%d events", n)
	}
	if a := during("1", func() {}); a.Status != 200 || a.Body != "" {
		t.Errorf("no event: %d %s", a.Status, a.Body)
	}
	s.API.eventWaiters.Store(maxEventWaiters)
	if a := s.ask("GET", "/auth/events/?after="+cursor()+"&wait=25", "", "X-Api-Key", key.Secret); a.Status != 200 || a.Body != "" || s.API.eventWaiters.Load() != maxEventWaiters {
		t.Errorf("too many wait: %d %s, %d", a.Status, a.Body, s.API.eventWaiters.Load())
	}
	s.API.eventWaiters.Store(0)
	want(t, "the right is lost", during("25", func() { s.changeAlice(record.Change{IsSuperuser: new(false)}); add("secret") }), 403, "permission")
	s.changeAlice(record.Change{IsSuperuser: new(true)})
	want(t, "the key is revoked", during("25", func() {
		if err := s.settings.APIKeys.Revoke(t.Context(), s.account("alice").ID, key.ID, jotgate.Client{}); err != nil {
			t.Error(err)
		}
		add("secret")
	}), 401, "")
}
