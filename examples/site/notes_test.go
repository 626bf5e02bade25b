package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

// Who may do what, at the gate and in a service that has only the public keys.
func TestNotes(t *testing.T) {
	gate := jotgatetest.New(t, configure, jotgatetest.ES256)
	alice, staff := gate.User("alice"), gate.User("sam", jotgatetest.Staff)
	editor, author := gate.User("ed"), gate.User("ann")
	gate.AddToGroup(editor, "writers", "editors")
	gate.Grant(author, "notes.add_note")
	for name, from := range map[string]guarded{"gate": gate, "guard": gate.NewGuard()} {
		for _, row := range []struct {
			user         *record.Account
			method, path string
			want         int
		}{
			{nil, "GET", "/notes", 401},
			{alice, "GET", "/notes", 200},
			{alice, "POST", "/notes", 403},
			{author, "POST", "/notes", 200},
			{alice, "POST", "/publish", 403},
			{editor, "POST", "/publish", 200},
			{alice, "GET", "/report", 403},
			{staff, "GET", "/report", 200},
		} {
			w := httptest.NewRecorder()
			notes(from).ServeHTTP(w, gate.Request(row.user, row.method, row.path, nil))
			if w.Code != row.want {
				t.Errorf("%s: %s %s: %d, want %d", name, row.method, row.path, w.Code, row.want)
			}
		}
	}
}

func TestExpiredToken(t *testing.T) {
	gate := jotgatetest.New(t, configure)
	r := gate.Request(gate.User("alice"), "GET", "/notes", nil)
	gate.Clock.Advance(time.Hour)
	w := httptest.NewRecorder()
	if notes(gate).ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Everything is mounted, and a page of the other origin may call the API.
func TestSite(t *testing.T) {
	gate := jotgatetest.New(t, configure, jotgatetest.ES256)
	handler, err := site(gate.Gate)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/account/login": 200, "/admin/": 303, "/.well-known/jwks.json": 200, "/notes": 401, "/auth/users/me/": 401} {
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	preflight := httptest.NewRequest("OPTIONS", "/notes", nil)
	preflight.Header.Set("Origin", "http://localhost:5173")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	preflight.Header.Set("Access-Control-Request-Headers", "authorization")
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, preflight); w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "http://localhost:5173" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
