package main

import (
	"database/sql"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/internal/wait"
)

// The secrets of people are in a response, a cookie or an e-mail, and nowhere else: tokens
// and cookies of complete and of pending logins, the secret of an app, recovery codes,
// codes and links of e-mails. One kind is in the database by design: Django REST
// framework's tokens, since they are in its own table, authtoken_token, and Django reads
// them there as they are.
func TestSecretsOfPeopleAreNowhere(t *testing.T) { onBothDatabases(t, testSecretsOfPeople) }

func testSecretsOfPeople(t *testing.T, folder, database string, content func() string) {
	box := &mailbox{}
	s := newSearched(t, folder, database, content)
	token := s.authToken()
	s.serve("--mail-server", "smtp://"+box.receive(t)+"?tls=insecure-off", "--mail-from", "site@example.com", "--login-codes", "--authtokens", "on")
	s.command("user", "create", "carol", "--email", "carol@example.com", "--superuser", "--staff", "--hasher", "pbkdf2_sha256:1000")
	password := url.Values{"username": {"alice"}, "password": {"private-staple-7"}}
	s.hide("private-staple-7")

	// A second factor, and a login without and with it.
	_, access := s.tokens(s.post("/api/token/", 200, password))
	bearer := []string{"Authorization", "Bearer " + access}
	begun := object(t, s.post("/auth/factors/totp/", 200, nil, bearer...))
	secret, enrolment := begun["secret"].(string), begun["token"].(string)
	code, err := totp.Code(secret, totp.Step(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	codes := object(t, s.post("/auth/factors/totp/confirm/", 201, url.Values{"token": {enrolment}, "code": {code}}, bearer...))["recovery_codes"].([]any)
	s.hide(secret, enrolment)
	for _, c := range codes {
		s.hide(c.(string), strings.ReplaceAll(c.(string), "-", ""))
	}
	pending := object(t, s.post("/api/token/", 401, password))["pending"].(string)
	s.hide(pending)
	s.post("/api/token/mfa/", 401, url.Values{"pending": {tamper.At(pending, -5)}, "code": {codes[0].(string)}})
	s.tokens(s.post("/api/token/mfa/", 200, url.Values{"pending": {pending}, "code": {codes[0].(string)}}))

	// The same at a page.
	origin := []string{"Origin", s.base, "Sec-Fetch-Site", "same-origin"}
	step := s.cookie("/account/login", password, origin...)
	s.cookie("/account/login/recovery", url.Values{"recovery_code": {codes[1].(string)}}, append(origin, "Cookie", step)...)

	// E-mails: a reset, a code, an invitation.
	carol := url.Values{"username": {"carol"}, "password": {"private-staple-7"}}
	session := s.cookie("/account/login", carol, origin...)
	s.send("GET", "/account/security", 200, "", "Cookie", session)
	_, access = s.tokens(s.post("/api/token/", 200, carol))
	bearer = []string{"Authorization", "Bearer " + access}
	s.post("/admin/api/users/2/verify-email/", 200, nil, bearer...)
	s.post("/admin/api/invitations/add/", 200, url.Values{"email": {"dave@example.com"}}, bearer...)
	s.hide(box.next(t, "dave@example.com", `token=([\w.~-]+)`))
	s.post("/auth/users/reset_password/", 204, url.Values{"email": {"carol@example.com"}})
	link := box.next(t, "carol@example.com", `token=([\w.~-]+)`)
	s.hide(link)
	s.post("/auth/users/reset_password_confirm/", 400, url.Values{"uid": {"Mg"}, "token": {link}, "new_password": {"1"}})
	sent := object(t, s.post("/api/token/code/", 202, url.Values{"email": {"carol@example.com"}}))["pending"].(string)
	mailed := box.next(t, "carol@example.com", `\b([B-Z]{4}-[B-Z]{4})\b`)
	s.hide(sent, mailed, strings.ReplaceAll(mailed, "-", ""))
	s.tokens(s.post("/api/token/code/confirm/", 200, url.Values{"pending": {sent}, "code": {mailed}}))

	changed := strings.Replace(token, "9", "8", 1)
	s.hide(token, changed)
	s.send("GET", "/auth/users/me/", 200, "", "Authorization", "Token "+token)
	s.send("GET", "/auth/users/me/", 401, "", "Authorization", "Token "+changed)
	s.printed.WriteString(s.command("user", "show", "alice") + s.command("session", "list", "alice") + s.command("event", "list"))
	s.search([]string{token}, "carol@example.com", "/account/login", database)
}

func object(t *testing.T, text string) (members map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return members
}

// tokens hides the tokens of a response.
func (s *searched) tokens(text string) (refresh, access string) {
	s.t.Helper()
	members := object(s.t, text)
	refresh, access = members["refresh"].(string), members["access"].(string)
	s.hide(refresh, access)
	return refresh, access
}

// cookie sends the form of a page, and hides and returns the cookie in the response.
func (s *searched) cookie(path string, form url.Values, headers ...string) string {
	s.t.Helper()
	response, _ := s.send("POST", path, http.StatusSeeOther, form.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
	for _, c := range response.Cookies() {
		if c.MaxAge >= 0 && len(c.Value) > 40 {
			s.hide(c.Value)
			return c.Name + "=" + c.Value
		}
	}
	s.t.Fatalf("%s sets no cookie: %v", path, response.Header)
	return ""
}

// authToken creates Django's table, with a token of alice.
func (s *searched) authToken() string {
	s.t.Helper()
	driver, source, created := "pgx", s.database, "timestamptz"
	if file, ok := strings.CutPrefix(s.database, "sqlite:"); ok {
		driver, source, created = "sqlite", "file:"+file+"?_pragma=busy_timeout(180000)", "datetime"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	const token = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
	for _, statement := range []string{
		"CREATE TABLE authtoken_token (key varchar(40) NOT NULL PRIMARY KEY, created " + created + " NOT NULL, user_id integer NOT NULL)",
		"INSERT INTO authtoken_token (key, created, user_id) SELECT '" + token + "', '" + time.Now().UTC().Format(time.DateTime) + "+00:00', id FROM auth_user WHERE username = 'alice'",
	} {
		if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
	return token
}

// receive starts a mail server for the mailbox and returns its address.
func (b *mailbox) receive(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(b)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// next waits for an e-mail to the address with a text of this form, and returns its group.
func (b *mailbox) next(t *testing.T, to, form string) (found string) {
	t.Helper()
	pattern, recipient := regexp.MustCompile(form), regexp.MustCompile(`(?m)^To: .*`+regexp.QuoteMeta(to))
	wait.Until(t, "an e-mail to "+to, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.got {
			text = strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(text) // quoted-printable
			if m := pattern.FindStringSubmatch(text); m != nil && recipient.MatchString(text) {
				found = m[1]
			}
		}
		return found != ""
	})
	return found
}
