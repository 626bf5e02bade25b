package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// The feed of events needs the right of the account, and of limited tokens the scope too;
// a page is bounded and continues after its last cursor.
func TestEventFeed(t *testing.T) {
	s := newSite(t, change{})
	set := func(change record.Change) {
		change.At = s.now.Now()
		if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, change); err != nil {
			t.Fatal(err)
		}
		s.now.turn(2 * time.Second)
	}
	want(t, "without a token", s.ask("GET", "/auth/events/", ""), 401, "")
	want(t, "a user", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 403, "permission")
	set(record.Change{IsStaff: new(true)})
	want(t, "staff without the permission", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 403, "permission")
	with, without := s.madeKey("events").Secret, s.madeKey("account").Secret
	want(t, "the scope alone", s.ask("GET", "/auth/events/", "", "X-Api-Key", with), 403, "permission")
	set(record.Change{IsSuperuser: new(true)})
	want(t, "a key without the scope", s.ask("GET", "/auth/events/", "", "X-Api-Key", without), 403, "insufficient_scope")
	want(t, "a superuser", s.ask("GET", "/auth/events/", "", s.login("alice").header()...), 200, `"event":"login"`)
	for _, query := range []string{"after=1", "after=x-1-1", "limit=0", "limit=x"} {
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
