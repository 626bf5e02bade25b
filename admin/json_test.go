package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
)

// The OpenAPI document describes each action and each list, with its fields, and
// each path in it is served.
func TestSchema(t *testing.T) {
	s := newSite(t, admin.Options{})
	token := s.gate.Token(s.gate.User("root", jotgatetest.Superuser))
	status, doc := s.api(token, "GET", "/admin/api/schema/", "")
	paths, _ := doc["paths"].(map[string]any)
	if status != http.StatusOK || doc["openapi"] != "3.1.0" || len(paths) != len(s.admin.Actions())+11+1+4 {
		t.Fatalf("%d, %d paths", status, len(paths))
	}
	for path, methods := range paths {
		method := "GET"
		if methods.(map[string]any)["post"] != nil {
			method = "POST"
		}
		served := "/admin/api" + strings.ReplaceAll(path, "{id}", "none")
		// A field that no action has shows that the path is that of an action; nothing is done.
		status, body := s.api(token, method, served, map[string]string{"POST": `{"no such field": 1}`}[method])
		if method == "POST" && (status != 400 || body["no such field"] == nil) || method == "GET" && status != 200 && !strings.Contains(path, "{id}") {
			t.Errorf("%s %s: %d %v", method, served, status, body)
		}
	}
}

// What is not the JSON of a form is refused, and changes nothing.
func TestMalformedBodies(t *testing.T) {
	s := newSite(t, admin.Options{})
	token := s.gate.Token(s.gate.User("root", jotgatetest.Superuser))
	for _, body := range []string{
		`{`, `[]`, `"x"`, `{"first_name": {"a": 1}}`, `{"first_name": [["a"]]}`, `{"first_name": "a", "first_name": "b"}`, `{"first_name": "a"} {}`,
		`{"first_name": "a"`, `{"is_active": "perhaps"}`, `{"groups": ["x"]}`, `{"groups": [99]}`, `{"user_permissions": [9999]}`, `{"password": "x"}`, `{"first_name": "a\u0000b"}`,
		`{"first_name": "` + strings.Repeat("a", 5000) + `"}`, `{"email": "not an address"}`, `{"username": ""}`,
	} {
		if status, out := s.api(token, "POST", "/admin/api/users/1/change/", body); status != http.StatusBadRequest {
			t.Errorf("%.60s: %d %v", body, status, out)
		}
	}
	if status, _ := s.api(token, "POST", "/admin/api/users/1/change/", `{"first_name": "`+strings.Repeat("a", 200<<10)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", status)
	}
	if len(s.events()) != 0 {
		t.Error("something was changed")
	}
	for method, want := range map[string]int{"GET": 405, "PUT": 405} {
		if status, _ := s.api(token, method, "/admin/api/users/1/change/", ""); status != want {
			t.Errorf("%s: %d", method, status)
		}
	}
}
