package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/store/sqlite"
)

const secret = "0123456789abcdefghijklmnopqrstuvwxyz-own-users"

func newGate(t *testing.T) (*jotgate.Gate, *customers) {
	folder := t.TempDir()
	own, err := openCustomers(t.Context(), filepath.Join(folder, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.db.Close() })
	sessions, err := sqlite.Open(t.Context(), filepath.Join(folder, "sessions.db"), sqlite.Options{BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sessions.Close() })
	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, Users: own}, sessions)
	if err != nil {
		t.Fatal(err)
	}
	return gate, own
}

// post sends a form and returns the status and the members of the response.
func post(t *testing.T, handler http.Handler, path string, fields url.Values) (int, map[string]string) {
	r := httptest.NewRequest("POST", path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	answer := map[string]string{}
	for _, name := range []string{"access", "refresh", "detail"} {
		value, _ := jwt.Raw(w.Body.String()).Member(name)
		answer[name], _ = value.Text()
	}
	return w.Code, answer
}

func TestOwnUsers(t *testing.T) {
	gate, own := newGate(t)
	handler := routes(gate)
	if err := own.add(t.Context(), "alice@shop.example", "correct horse 1"); err != nil {
		t.Fatal(err)
	}
	login := url.Values{"username": {"alice@shop.example"}, "password": {"correct horse 1"}}
	status, tokens := post(t, handler, "/api/token/", login)
	if status != http.StatusOK {
		t.Fatalf("login: %d %v", status, tokens)
	}
	r := httptest.NewRequest("GET", "/basket", nil)
	r.Header.Set("Authorization", "Bearer "+tokens["access"])
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "the basket of customer 1\n" {
		t.Errorf("basket: %d %q", w.Code, w.Body)
	}
	refresh := url.Values{"refresh": {tokens["refresh"]}}
	status, next := post(t, handler, "/api/token/refresh/", refresh)
	if status != http.StatusOK || next["access"] == "" {
		t.Errorf("refresh: %d %v", status, next)
	}
	if _, err := own.db.ExecContext(t.Context(), "UPDATE customer SET blocked = true"); err != nil {
		t.Fatal(err)
	}
	if status, answer := post(t, handler, "/api/token/refresh/", url.Values{"refresh": {next["refresh"]}}); status != http.StatusUnauthorized {
		t.Errorf("refresh of a blocked customer: %d %v", status, answer)
	}
	if status, answer := post(t, handler, "/api/token/", login); status != http.StatusUnauthorized {
		t.Errorf("login of a blocked customer: %d %v", status, answer)
	}
}

// A wrong password and an unknown name get the same response.
func TestRefusals(t *testing.T) {
	gate, own := newGate(t)
	if err := own.add(t.Context(), "alice", "correct horse 1"); err != nil {
		t.Fatal(err)
	}
	handler := routes(gate)
	wrong, first := post(t, handler, "/api/token/", url.Values{"username": {"alice"}, "password": {"correct horse 2"}})
	unknown, second := post(t, handler, "/api/token/", url.Values{"username": {"bob"}, "password": {"correct horse 1"}})
	if wrong != http.StatusUnauthorized || unknown != wrong || first["detail"] != second["detail"] {
		t.Errorf("%d %v, %d %v", wrong, first, unknown, second)
	}
}
