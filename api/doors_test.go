package api

// Every route that could create a session.

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// keys are the right values of every field of a body, for alice, but without her
// second factor: her password, her mailbox, a refresh token that Django issued.
func (s *site) keys(t *testing.T, pending string) map[string]string {
	t.Helper()
	uid, link := s.link(record.MessagePasswordReset, "alice")
	key, err := jwt.NewHMAC(jwt.HS256, []byte(siteSecret))
	if err != nil {
		t.Fatal(err)
	}
	now := s.now.Now()
	refresh, err := jwt.Sign(key, jwt.Object{
		{Name: "token_type", Value: "refresh"},
		{Name: "exp", Value: now.Add(time.Hour).Unix()},
		{Name: "iat", Value: now.Unix()},
		{Name: "jti", Value: "0123456789abcdef0123456789abcdef"},
		{Name: "user_id", Value: string(s.account("alice").ID)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"username": "alice", "email": "alice@example.com", "password": goodPassword, "current_password": goodPassword,
		"uid": uid, "token": link, "refresh": refresh, "pending": pending, "code": "000000", "reason": "lost the telephone",
		"new_password": "another good password", "re_new_password": "another good password", "new_username": "alice", "re_new_username": "alice",
		"re_password": goodPassword, "first_name": "Alice", "last_name": "A",
		"provider": "example", "id_token": "e30.e30.e30", "nonce": "0123456789abcdef", "name": "ci", "scopes": "account", "networks": "192.0.2.0/24", "expires_in": "3600", "overlap": "0",
		"grant_type": "client_credentials", "scope": "account", "resource": "", "client_id": "alice", "client_secret": goodPassword,
		"client_assertion_type": "", "client_assertion": "", "token_type_hint": "refresh_token",
	}
}

// formOf encodes the fields that have a value.
func formOf(fields map[string]string) string {
	form := url.Values{}
	for name, value := range fields {
		if value != "" {
			form.Set(name, value)
		}
	}
	return form.Encode()
}

// TestEveryRoute sends to every method of every route all that a thief with the
// password and the mailbox of a user with a second factor has. No session exists
// afterwards and no response has an access token of the user. Without the factor, the
// same requests log in. A route that is added later takes part by itself; a field
// of its body that is not known here fails the test.
func TestEveryRoute(t *testing.T) {
	var entered []string
	for _, enrolled := range []bool{false, true} {
		probe := newSite(t, codesOn)
		for _, r := range probe.routes() {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				action, _ := r.action(method)
				if action == nil {
					continue
				}
				s := newSite(t, codesOn) // so that no request changes what the next one finds
				pending := "p1.AAAA"
				if enrolled {
					tokens := s.json(t, 200, "POST", "/api/token/", "", aliceLogin)
					s.enrol(t, tokens["access"].(string))
					if _, err := s.db.Sessions().End(t.Context(), record.Ending{User: s.account("alice").ID, Reason: record.EndedByUser, Now: s.now.Now()}); err != nil {
						t.Fatal(err)
					}
					s.now.turn(2 * time.Second)
					pending = s.json(t, 401, "POST", "/api/token/", "", aliceLogin)["pending"].(string)
				}
				keys, sent := s.keys(t, pending), map[string]string{}
				if r.path == "/api/token/code/confirm/" {
					keys["pending"], keys["code"] = s.requestCode("alice@example.com"), s.sentCode("alice")
				}
				if action.fields != nil {
					for _, f := range action.fields(s.API) {
						value, ok := keys[f.Name]
						if !ok {
							t.Errorf("%s %s: the field %q has no value in keys", method, r.path, f.Name)
						}
						sent[f.Name] = value
					}
				}
				if r.path == "/api/token/verify/" || r.path == "/auth/jwt/verify/" {
					sent["token"] = keys["refresh"]
				}
				text, _ := json.Marshal(sent)
				path := strings.NewReplacer("{id}", string(s.account("alice").ID), "{file}", "x").Replace(r.path)
				body, kind := string(text), "application/json"
				if strings.HasPrefix(r.path, "/o/") {
					body, kind = formOf(sent), "application/x-www-form-urlencoded"
				}
				w := s.send(method, path, body, http.Header{"Content-Type": {kind}})
				list, err := s.db.Sessions().List(t.Context(), s.account("alice").ID, s.now.Now())
				if err != nil {
					t.Fatal(err)
				}
				name := method + " " + r.path
				switch in := len(list) > 0 || strings.Contains(w.Body.String(), `"access":`) || strings.Contains(w.Body.String(), `"access_token":`); {
				case in && enrolled:
					t.Errorf("%s created a session without the second factor: %d %s", name, w.Code, w.Body)
				case in:
					entered = append(entered, name)
				}
				s.db.Close()
			}
		}
	}
	t.Logf("without a factor these log in: %v", entered)
	for _, want := range []string{"POST /api/token/", "POST /auth/jwt/create/", "POST /api-token-auth/", "POST /api/token/refresh/", "POST /api/token/code/confirm/"} {
		if !strings.Contains(strings.Join(entered, ","), want) {
			t.Errorf("%s does not log in: the values of the test are wrong", want)
		}
	}
}
