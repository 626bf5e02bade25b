package api

// Second factors over HTTP.

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/record"
)

// body decodes a JSON object.
func body(t testing.TB, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return members
}

// authenticator is the app of a user of a site.
type authenticator struct {
	s      *site
	secret string
}

func (a *authenticator) code(t testing.TB) string {
	t.Helper()
	code, err := totp.Code(a.secret, totp.Step(a.s.now.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// enrol sets up an app over HTTP for a user who has just logged in with access,
// and returns it with the recovery codes.
func (s *site) enrol(t testing.TB, access string) (*authenticator, []any) {
	t.Helper()
	begun := s.json(t, 200, "POST", "/auth/factors/totp/", access, "")
	a := &authenticator{s, begun["secret"].(string)}
	sent, _ := json.Marshal(map[string]string{"token": begun["token"].(string), "code": a.code(t)})
	done := s.json(t, 201, "POST", "/auth/factors/totp/confirm/", access, string(sent))
	s.now.turn(time.Minute)
	return a, done["recovery_codes"].([]any)
}

// json sends a request and returns the object in the response, which must have
// this status.
func (s *site) json(t testing.TB, status int, method, path, access, text string) map[string]any {
	t.Helper()
	header := http.Header{}
	if text != "" {
		header.Set("Content-Type", "application/json")
	}
	if access != "" {
		header.Set("Authorization", "Bearer "+access)
	}
	w := s.send(method, path, text, header)
	if w.Code != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if w.Body.Len() == 0 {
		return nil
	}
	return body(t, w.Body.String())
}

const aliceLogin = `{"username": "alice", "password": "` + goodPassword + `"}`

func TestSecondFactorOverHTTP(t *testing.T) {
	s := newSite(t, change{})
	plain := s.json(t, 200, "POST", "/api/token/", "", aliceLogin)
	if user := plain["user"].(map[string]any); len(user) != 4 {
		t.Errorf("the user of a login without a factor: %v", user)
	}
	app, codes := s.enrol(t, plain["access"].(string))
	if len(codes) != 10 {
		t.Fatalf("recovery codes: %v", codes)
	}

	refused := s.json(t, 401, "POST", "/api/token/", "", aliceLogin)
	pending, _ := refused["pending"].(string)
	if refused["code"] != "mfa_required" || refused["detail"] != "A second factor is required." || pending == "" || len(refused) != 4 {
		t.Fatalf("%v", refused)
	}
	if got := s.json(t, 401, "POST", "/auth/jwt/create/", "", aliceLogin); got["code"] != "mfa_required" {
		t.Errorf("%v", got)
	}
	if got := s.json(t, 400, "POST", "/api-token-auth/", "", aliceLogin); got["non_field_errors"] == nil {
		t.Errorf("%v", got)
	}
	second := func(code string) string { return `{"pending": "` + pending + `", "code": "` + code + `"}` }
	if got := s.json(t, 401, "POST", "/api/token/mfa/", "", second("000000")); got["code"] != "code_not_valid" {
		t.Errorf("%v", got)
	}
	tokens := s.json(t, 200, "POST", "/api/token/mfa/", "", second(app.code(t)))
	user := tokens["user"].(map[string]any)
	if user["acr"] != "aal2" || tokens["refresh"] == nil || tokens["recovery_codes"] != nil {
		t.Errorf("%v", tokens)
	}
	if got := s.json(t, 401, "POST", "/api/token/mfa/", "", second(codes[0].(string))); got["code"] != "login_not_valid" {
		t.Errorf("the pending token again: %v", got)
	}

	// The old session does not suffice for a change, but it can be raised; it ends.
	old := plain["access"].(string)
	w := s.send("POST", "/auth/factors/recovery-codes/", "", http.Header{"Authorization": {"Bearer " + old}})
	if c := w.Header().Get("WWW-Authenticate"); w.Code != 401 || !strings.Contains(c, `error="insufficient_user_authentication", acr_values="aal2", max_age="600"`) {
		t.Errorf("%d %s %s", w.Code, c, w.Body)
	}
	for _, path := range []string{"/auth/users/set_password/", "/auth/users/set_username/"} {
		sent := `{"current_password": "` + goodPassword + `", "new_password": "another good 77", "new_username": "alice2"}`
		if got := s.json(t, 401, "POST", path, old, sent); got["code"] != "insufficient_user_authentication" {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := s.json(t, 401, "PATCH", "/auth/users/me/", old, `{"email": "new@example.com"}`); got["code"] != "insufficient_user_authentication" {
		t.Errorf("%v", got)
	}
	if got := s.json(t, 401, "DELETE", "/auth/users/me/", old, `{"current_password": "`+goodPassword+`"}`); got["code"] != "insufficient_user_authentication" {
		t.Errorf("%v", got)
	}
	if got := s.json(t, 401, "POST", "/auth/again/", old, `{"password": "`+goodPassword+`"}`); got["code"] != "mfa_required" || got["flows"] == nil {
		t.Errorf("%v", got)
	}
	s.now.turn(time.Minute)
	raised := s.json(t, 200, "POST", "/auth/again/", old, `{"code": "`+app.code(t)+`"}`)
	access := raised["access"].(string)
	if got := s.json(t, 401, "GET", "/auth/users/me/", old, ""); got["code"] != "token_not_valid" {
		t.Errorf("the session before: %v", got)
	}
	if got := s.json(t, 200, "POST", "/auth/factors/recovery-codes/", access, ""); len(got["recovery_codes"].([]any)) != 10 {
		t.Errorf("%v", got)
	}
	s.check(t, access, "?acr=aal2&max_age=600", 200)
	s.check(t, access, "?acr=aal3", 401)
	s.now.turn(4 * time.Minute)
	s.check(t, access, "?max_age=60", 401)
	s.check(t, access, "?max_age=0", 403)
	s.check(t, access, "?acr=%22", 403)

	// A password and a code alone do not remove the factor later.
	s.now.turn(-4 * time.Minute)
	list := s.send("GET", "/auth/factors/", "", http.Header{"Authorization": {"Bearer " + access}})
	if !strings.Contains(list.Body.String(), `"type":"totp"`) || !strings.Contains(list.Body.String(), `"left":10`) || strings.Contains(list.Body.String(), "secret") {
		t.Errorf("%s", list.Body)
	}
	var factors []jotgate.FactorInfo
	if err := json.Unmarshal(list.Body.Bytes(), &factors); err != nil {
		t.Fatal(err)
	}
	for _, f := range factors {
		if f.Type == record.FactorTOTP {
			s.json(t, 204, "DELETE", "/auth/factors/"+strconv.FormatInt(f.ID, 10)+"/", access, "")
		}
	}
	s.json(t, 200, "POST", "/api/token/", "", aliceLogin)
}

// send sends a JSON body and returns the whole response.
func (s *site) send(method, path, text string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	r.Header = header
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// check requests /auth/check with a query.
func (s *site) check(t testing.TB, access, query string, want int) {
	t.Helper()
	if w := s.send("GET", "/auth/check"+query, "", http.Header{"Authorization": {"Bearer " + access}}); w.Code != want {
		t.Errorf("/auth/check%s: %d, want %d: %v", query, w.Code, want, w.Header())
	}
}

func TestEnrolmentDuringLogin(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.RequireMFA = jotgate.MFAStaff }})
	s.json(t, 200, "POST", "/api/token/", "", aliceLogin)
	refused := s.json(t, 401, "POST", "/api/token/", "", strings.Replace(aliceLogin, "alice", "carol", 1))
	if refused["code"] != "mfa_enrol" {
		t.Fatalf("%v", refused)
	}
	sent, _ := json.Marshal(map[string]any{"pending": refused["pending"]})
	begun := s.json(t, 200, "POST", "/api/token/enrol/", "", string(sent))
	app := &authenticator{s, begun["secret"].(string)}
	sent, _ = json.Marshal(map[string]any{"pending": refused["pending"], "token": begun["token"], "code": app.code(t)})
	tokens := s.json(t, 200, "POST", "/api/token/enrol/confirm/", "", string(sent))
	if tokens["access"] == nil || len(tokens["recovery_codes"].([]any)) != 10 {
		t.Errorf("%v", tokens)
	}
	// The code that set up the app is used up.
	again := s.json(t, 401, "POST", "/api/token/", "", strings.Replace(aliceLogin, "alice", "carol", 1))
	sent, _ = json.Marshal(map[string]any{"pending": again["pending"], "code": app.code(t)})
	if got := s.json(t, 401, "POST", "/api/token/mfa/", "", string(sent)); got["code"] != "code_not_valid" {
		t.Errorf("%v", got)
	}
}
