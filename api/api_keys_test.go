package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// created is the response to a new key.
type created struct {
	ID, Key string
	Scopes  []string
}

// newKey creates an API key by the endpoint.
func (s *site) newKey(tk tokens, body string) (c created) {
	s.t.Helper()
	a := s.ask("POST", "/auth/api-keys/", body, tk.header()...)
	if err := json.Unmarshal([]byte(a.Body), &c); err != nil || a.Status != 201 || a.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%d %s %v", a.Status, a.Body, a.Header)
	}
	return c
}

func TestAPIKeyEndpoints(t *testing.T) {
	s := newSite(t, change{})
	alice, carol := s.login("alice"), s.login("carol")
	key := s.newKey(alice, `{"name":"ci","scopes":["orders:read","account"],"networks":"192.0.2.0/24 203.0.113.0/24"}`)
	form := s.newKey(alice, `{"name":"other","scopes":"orders:read","expires_in":3600}`)
	list := s.ask("GET", "/auth/api-keys/", "", alice.header()...)
	want(t, "list", list, 200, `"name":"other","scopes":["orders:read"],"networks":[],`)
	if strings.Contains(list.Body, key.Key) || strings.Contains(list.Body, "digest") || strings.Count(list.Body, `"id"`) != 2 {
		t.Errorf("list: %s", list.Body)
	}
	want(t, "another user's list", s.ask("GET", "/auth/api-keys/", "", carol.header()...), 200, "[]")
	for body, text := range map[string]string{
		`{}`:                                              `{"name":["This field is required."],"scopes":["This field is required."]}`,
		`{"name":"x","scopes":[]}`:                        `{"scopes":["Name at least one scope."]}`,
		`{"name":"x","scopes":""}`:                        `{"scopes":["Name at least one scope."]}`,
		`{"name":"x","scopes":[1]}`:                       `{"scopes":["Not a valid string."]}`,
		`{"name":"x","scopes":{"a":1}}`:                   `{"scopes":["Not a valid string."]}`,
		`{"name":"x","scopes":7}`:                         `{"scopes":["Not a valid string."]}`,
		`{"name":"x","scopes":null}`:                      `{"scopes":["This field may not be null."]}`,
		`{"name":"x","scopes":"a","networks":"z"}`:        `{"networks":["\"z\" is not`,
		`{"name":"x","scopes":"a","expires_in":1}`:        `{"expires_in":["Ensure this value is greater`,
		`{"name":"x","scopes":"a","expires_in":"-5"}`:     `{"expires_in":["A valid integer is required."]}`,
		`{"name":"x","scopes":"a","expires_in":99999999}`: `{"expires_in":["Ensure this value is less`,
		`{"name":"x","scopes":"a","expires_in":1e99}`:     `{"expires_in":["A valid integer is required."]}`,
	} {
		want(t, body, s.ask("POST", "/auth/api-keys/", body, alice.header()...), 400, text)
	}

	// The key opens a program's handlers and forward auth, and of jotgate's endpoints
	// only what its scope grants.
	for _, header := range [][]string{{"Authorization", "Bearer " + key.Key}, {"Authorization", "Api-Key " + key.Key}, {"X-Api-Key", key.Key}} {
		check := s.ask("GET", "/auth/check?scope=orders:read", "", header...)
		want(t, header[0], check, 200, "")
		if check.Header.Get("X-Auth-User") != "alice" {
			t.Errorf("%v", check.Header)
		}
		want(t, "another scope", s.ask("GET", "/auth/check?scope=orders:write", "", header...), 403, "insufficient_scope")
		want(t, "its account", s.ask("GET", "/auth/users/me/", "", header...), 200, `"username":"alice"`)
		want(t, "its keys", s.ask("GET", "/auth/api-keys/", "", header...), 200, key.ID)
		want(t, "a new key", s.ask("POST", "/auth/api-keys/", `{"name":"x","scopes":"a"}`, header...), 403, "login_required")
		want(t, "rotation", s.ask("POST", "/auth/api-keys/"+key.ID+"/rotate/", "{}", header...), 403, "login_required")
		want(t, "revocation", s.ask("DELETE", "/auth/api-keys/"+form.ID+"/", "", header...), 403, "login_required")
	}
	want(t, "without the scope account", s.ask("GET", "/auth/users/me/", "", "X-Api-Key", form.Key), 403, "insufficient_scope")

	for method, path := range map[string]string{"DELETE": "/auth/api-keys/" + key.ID + "/", "POST": "/auth/api-keys/" + key.ID + "/rotate/"} {
		want(t, "another user's key", s.ask(method, path, "{}", carol.header()...), 404, "")
		want(t, "without a token", s.ask(method, path, "{}"), 401, "")
	}
	want(t, "a short overlap", s.ask("POST", "/auth/api-keys/"+key.ID+"/rotate/", `{"overlap":5}`, alice.header()...), 400, "overlap")
	var next created
	a := s.ask("POST", "/auth/api-keys/"+key.ID+"/rotate/", `{"overlap":600}`, alice.header()...)
	if err := json.Unmarshal([]byte(a.Body), &next); err != nil || a.Status != 201 || len(next.Scopes) != 2 {
		t.Fatalf("rotate: %d %s", a.Status, a.Body)
	}
	for _, k := range []string{key.Key, next.Key} {
		want(t, "in the overlap", s.ask("GET", "/auth/check", "", "X-Api-Key", k), 200, "")
	}
	want(t, "revoke", s.ask("DELETE", "/auth/api-keys/"+next.ID+"/", "", alice.header()...), 204, "")
	want(t, "again", s.ask("DELETE", "/auth/api-keys/"+next.ID+"/", "", alice.header()...), 404, "")
	want(t, "revoked", s.ask("GET", "/auth/check", "", "X-Api-Key", next.Key), 401, "")
	events, err := s.db.Events().List(t.Context(), s.account("alice").ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var details []string
	for _, e := range events {
		if e.Name == "api_key" {
			details = append(details, e.Detail)
		}
	}
	wanted := "revoked " + next.ID + "; rotated " + key.ID + " to " + next.ID + "; created " + form.ID + " other; created " + key.ID + " ci"
	if got := strings.Join(details, "; "); got != wanted {
		t.Errorf("events: %s, want %s", got, wanted)
	}
}

// A key of an account that is deactivated or deleted is refused everywhere.
func TestAPIKeyOfAnInactiveOwner(t *testing.T) {
	for name, end := range map[string]func(s *site, a *record.Account) error{
		"deactivated": func(s *site, a *record.Account) error {
			return s.db.Accounts().Change(t.Context(), a.ID, record.Change{IsActive: new(false), At: s.now.Now()})
		},
		"deleted": func(s *site, a *record.Account) error {
			return s.gate.Accounts().Delete(t.Context(), a, jotgate.Client{})
		},
	} {
		s := newSite(t, change{})
		key := s.newKey(s.login("alice"), `{"name":"ci","scopes":"account"}`)
		for _, path := range []string{"/auth/check", "/auth/users/me/"} {
			want(t, path, s.ask("GET", path, "", "X-Api-Key", key.Key), 200, "")
		}
		if err := end(s, s.account("alice")); err != nil {
			t.Fatal(err)
		}
		if err := s.gate.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/auth/check", "/auth/users/me/"} {
			if a := s.ask("GET", path, "", "X-Api-Key", key.Key); a.Status != http.StatusUnauthorized {
				t.Errorf("%s: %s: %d %s", name, path, a.Status, a.Body)
			}
		}
	}
}

// Without Settings.APIKeys there are no endpoints, and the document has none.
func TestNoAPIKeys(t *testing.T) {
	s := newSite(t, change{api: func(s *Settings) { s.APIKeys = nil }})
	alice := s.login("alice")
	want(t, "list", s.ask("GET", "/auth/api-keys/", "", alice.header()...), 404, "")
	if a := s.ask("GET", "/api/schema/", ""); strings.Contains(a.Body, "/auth/api-keys/") {
		t.Error("the document has the endpoints")
	}
}
