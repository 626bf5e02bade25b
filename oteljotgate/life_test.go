package oteljotgate_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Neither spans nor log lines of any level nor metrics have a password, a token, a
// code, a link, an API key, a user name or an address, after everything that can happen
// to an account.
func TestLifeLeavesNoSecret(t *testing.T) {
	figures := metrics.New()
	db := must(sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{Metrics: figures, BusyTimeout: wait.Limit}))(t)
	defer db.Close()
	s := newSite(t, figures, db)
	s.secrets = append(s.secrets, "198.51.100.77", "Browser-zq7")
	s.live()

	var spans bytes.Buffer
	for _, span := range s.spans.Ended() {
		fmt.Fprintf(&spans, "%s %v %v %v %v %v\n", span.Name(), span.Attributes(), span.Events(), span.Status(), span.Links(), span.Resource())
	}
	w := httptest.NewRecorder()
	figures.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	for place, text := range map[string]string{"the spans": spans.String(), "the log": s.log.String(), "the metrics": w.Body.String()} {
		for _, secret := range s.secrets {
			// Events have the client's address in the log, for those who respond to an attack.
			if i := strings.Index(text, secret); i >= 0 && (place != "the log" || secret != "198.51.100.77") {
				t.Errorf("%s: %q in %q", place, secret, text[max(0, i-100):min(len(text), i+100)])
			}
		}
	}
	for place, want := range map[string]string{
		spans.String(): "INSERT jotgate_api_key", s.log.String(): "msg=factor ", w.Body.String(): `jotgate_letters_total{kind="activation",result="sent"} 1`,
	} {
		if !strings.Contains(place, want) {
			t.Errorf("no %s in %s", want, place)
		}
	}
	t.Logf("%d secrets, %d spans, %d bytes of log, %d of metrics", len(s.secrets), len(s.spans.Ended()), s.log.Len(), w.Body.Len())
}

// live uses an account: sign-up and activation, wrong and right logins, a refresh, a
// stolen one, an API key, an authenticator app and recovery codes, changes of name,
// address and password, a reset, the end.
func (s *site) live() {
	name, email, password := s.secret("name-", 20), s.secret("mail-", 20)+"@mail.example", s.secret("first-", 24)
	s.send(201, "POST", "/auth/users/", "", `{"username":%q,"email":%q,"password":%q}`, name, email, password)
	uid, token := s.link("activate")
	s.send(400, "POST", "/auth/users/activation/", "", `{"uid":%q,"token":%q}`, uid, s.secret("link-", 30))
	s.send(204, "POST", "/auth/users/activation/", "", `{"uid":%q,"token":%q}`, uid, token)
	wrong := s.secret("wrong-", 24)
	s.send(401, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, name, wrong)
	s.send(401, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, email, password)
	s.send(400, "POST", "/auth/users/", "", `{"username":%q,"email":%q,"password":%q}`, name, email, password)

	login := s.send(200, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, name, password)
	access, refresh := s.keep(login["access"]), s.keep(login["refresh"])
	next := s.send(200, "POST", "/api/token/refresh/", "", `{"refresh":%q}`, refresh)
	s.keep(next["access"])
	s.keep(next["refresh"])
	s.ahead.Add(int64(time.Minute))
	s.send(401, "POST", "/api/token/refresh/", "", `{"refresh":%q}`, refresh)
	s.send(401, "GET", "/auth/users/me/", access, "")
	s.send(401, "GET", "/auth/users/me/", s.secret("header-", 30), "")
	s.send(401, "GET", "/auth/check?access_token="+s.secret("query-", 30), "", "")
	s.send(404, "GET", "/"+s.secret("path-", 30)+"/"+email, "", "")

	access = s.login(name, password)
	key := s.send(201, "POST", "/auth/api-keys/", access, `{"name":"ci","scopes":["orders:read","account"]}`)
	s.send(200, "GET", "/auth/users/me/", s.keep(key["key"]), "")
	s.send(401, "GET", "/auth/users/me/", "jgk_"+s.secret("key-", 60), "")

	begun := s.send(200, "POST", "/auth/factors/totp/", access, "")
	app := s.keep(begun["secret"])
	done := s.send(201, "POST", "/auth/factors/totp/confirm/", access, `{"token":%q,"code":%q}`, s.keep(begun["token"]), s.code(app))
	recovery := s.keep(done["recovery_codes"].([]any)[0])
	for _, code := range []func() string{func() string { return s.code(app) }, func() string { return recovery }} {
		s.ahead.Add(int64(time.Minute))
		first := s.send(401, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, name, password)
		pending := s.keep(first["pending"])
		s.send(401, "POST", "/api/token/mfa/", "", `{"pending":%q,"code":"9-ZQ7ZQ-ZQ7ZQ"}`, pending)
		second := s.send(200, "POST", "/api/token/mfa/", "", `{"pending":%q,"code":%q}`, pending, code())
		access = s.keep(second["access"])
	}

	newEmail, newName := s.secret("next-", 20)+"@mail.example", s.secret("rename-", 20)
	s.send(200, "PATCH", "/auth/users/me/", access, `{"email":%q}`, newEmail)
	s.send(204, "POST", "/auth/users/set_username/", access, `{"new_username":%q,"current_password":%q}`, newName, password)
	changed := s.secret("second-", 24)
	s.send(400, "POST", "/auth/users/set_password/", access, `{"new_password":%q,"current_password":%q}`, changed, wrong)
	s.send(204, "POST", "/auth/users/reset_password/", "", `{"email":%q}`, email)
	s.send(204, "POST", "/auth/users/reset_password/", "", `{"email":%q}`, s.secret("unknown-", 20)+"@mail.example")
	uid, token = s.link("password/reset/confirm")
	s.send(204, "POST", "/auth/users/reset_password_confirm/", "", `{"uid":%q,"token":%q,"new_password":%q}`, uid, token, changed)
	s.send(401, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, newName, password)
	s.send(401, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, newName, changed) // the second factor
}

// login returns an access token.
func (s *site) login(name, password string) string {
	s.Helper()
	tokens := s.send(200, "POST", "/api/token/", "", `{"username":%q,"password":%q}`, name, password)
	s.keep(tokens["refresh"])
	return s.keep(tokens["access"])
}

// code returns the code of an authenticator app.
func (s *site) code(secret string) string {
	s.Helper()
	return must(totp.Code(secret, totp.Step(s.now())))(s.T)
}
