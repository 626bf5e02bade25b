package admin_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// A site that is attacked, and what must hold for its responses, its log and its tables.

// sweep is a site under attack.
type sweep struct {
	t       *testing.T
	gate    *jotgate.Gate
	db      *store.Store
	mux     *http.ServeMux
	logs    capture.Output
	token   string
	cookies []*http.Cookie
	serial  int
	turn    int
	fields  int
	asked   int
}

func newSweep(t *testing.T, db *store.Store) *sweep {
	t.Helper()
	t.Cleanup(func() { db.Close() })
	s := &sweep{t: t, db: db, mux: http.NewServeMux()}
	hasher, err := passwd.New("pbkdf2_sha256:1")
	s.check(err)
	settings := jotgate.Settings{
		SecretKey: jotgate.Secret(strings.Repeat("secret", 10)), Hasher: hasher, Logger: slog.New(slog.NewTextHandler(leak.Watch(t, &s.logs, jotgatetest.Password), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	withProviders(t)(&settings)
	s.gate, err = jotgate.New(settings, db)
	s.check(err)
	p, err := pages.New(s.gate, pages.Options{})
	s.check(err)
	a, err := admin.New(s.gate, admin.Options{Pages: p, SetPasswords: true})
	s.check(err)
	p.Mount(s.mux)
	a.Mount(s.mux)
	s.signIn()
	return s
}

func (s *sweep) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// signIn signs in a new superuser at the pages and the API.
func (s *sweep) signIn() {
	s.t.Helper()
	root := s.user(jotgatetest.Superuser)
	tokens, err := s.gate.Login(s.t.Context(), root.Username, jotgatetest.Password, jotgate.Client{Address: "192.0.2.1"})
	s.check(err)
	s.token, s.cookies = tokens.Access, nil
	form := url.Values{"username": {root.Username}, "password": {jotgatetest.Password}}.Encode()
	w := s.send("login", "POST", "/account/login", form, "application/x-www-form-urlencoded")
	if s.cookies = w.Result().Cookies(); w.Code != http.StatusSeeOther {
		s.t.Fatalf("login: %d\n%s", w.Code, w.Body)
	}
}

func (s *sweep) user(options ...func(*record.Account)) *record.Account {
	s.t.Helper()
	s.serial++
	password, err := s.gate.Accounts().MakePassword(s.t.Context(), jotgatetest.Password)
	s.check(err)
	name := fmt.Sprintf("user%d", s.serial)
	a := &record.Account{Username: name, Email: name + "@example.com", Password: password, IsActive: true, DateJoined: s.gate.Settings().Now()}
	for _, o := range options {
		o(a)
	}
	s.check(s.db.Accounts().Create(s.t.Context(), a))
	return a
}

// target is the key of a row that an action of this path is for.
func (s *sweep) target(path string) string {
	s.t.Helper()
	if !strings.Contains(path, "{id}") {
		return ""
	}
	switch {
	case strings.HasPrefix(path, "/groups"):
		s.serial++
		g, err := s.db.Groups().Create(s.t.Context(), fmt.Sprintf("group%d", s.serial))
		s.check(err)
		return fmt.Sprint(g.ID)
	case strings.HasPrefix(path, "/providers"):
		user := s.user()
		row := &record.SocialAccount{Provider: "google", UID: user.Username, Data: "{}"}
		s.check(s.db.SocialAccounts().ChangeSocial(s.t.Context(), record.SocialChange{User: user.ID, At: user.DateJoined, Connect: row}))
		return fmt.Sprint(row.ID)
	case strings.HasPrefix(path, "/apikeys"):
		k, err := apikey.Settings{}.NewKey(s.user().ID, apikey.Request{Name: "ci", Scopes: []string{"a"}}, s.gate.Settings().Now())
		s.check(err)
		s.check(s.db.APIKeys().Add(s.t.Context(), k.Key))
		return k.ID
	case strings.HasPrefix(path, "/users"):
		return string(s.user().ID)
	}
	return "1"
}

// send sends a request, with what must hold for every response.
func (s *sweep) send(what, method, path, body, media string) *httptest.ResponseRecorder {
	s.t.Helper()
	s.asked++
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/", strings.NewReader(body))
	r.RequestURI = path
	u, err := url.ParseRequestURI(path)
	s.check(err)
	r.URL = u
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.7:1", s.asked>>8, s.asked&255)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if strings.HasPrefix(path, "/admin/api/") {
		r.Header.Set("Authorization", "Bearer "+s.token)
	} else {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, c := range s.cookies {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if w.Code >= 500 {
		s.t.Errorf("%s: %d %.300s", what, w.Code, w.Body)
	}
	for name, values := range w.Header() {
		if strings.ContainsFunc(strings.Join(values, ""), unicode.IsControl) {
			s.t.Errorf("%s: header %s: %q", what, name, values)
		}
	}
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }
	html := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html")
	if text := w.Body.String(); !utf8.ValidString(text) || html && strings.ContainsFunc(text, control) {
		s.t.Errorf("%s: the body is not text: %.300q", what, text)
	}
	if w.Code == http.StatusUnauthorized || strings.HasPrefix(w.Header().Get("Location"), "/account/login") {
		s.signIn() // the hostile value has signed the superuser out
	}
	return w
}

// stored reads every text of every table, and the log.
func (s *sweep) stored(db *sql.DB, columns string) {
	var tables [][2]string
	rows, err := db.QueryContext(s.t.Context(), columns)
	s.check(err)
	for rows.Next() {
		var c [2]string
		s.check(rows.Scan(&c[0], &c[1]))
		tables = append(tables, c)
	}
	s.check(rows.Close())
	seen := 0
	for _, c := range tables {
		rows, err := db.QueryContext(s.t.Context(), `SELECT "`+c[1]+`" FROM "`+c[0]+`" WHERE "`+c[1]+`" IS NOT NULL`)
		s.check(err)
		for rows.Next() {
			var text string
			s.check(rows.Scan(&text))
			if seen++; !utf8.ValidString(text) || strings.ContainsAny(text, "\x00") || strings.TrimSpace(text) != text {
				s.t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
			name := c[1] == "username" || c[1] == "email" || c[1] == "recipient"
			if name && strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z) }) {
				s.t.Errorf("%s.%s is %q", c[0], c[1], text)
			}
		}
		s.check(rows.Close())
	}
	if seen < 1000 {
		s.t.Errorf("only %d texts are stored", seen)
	}
	for line := range strings.Lines(s.logs.String()) {
		if !strings.HasPrefix(line, "time=2") || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unicode.IsControl) ||
			strings.Contains(line, "panic") || strings.Contains(line, "level=ERROR") {
			s.t.Errorf("a line of the log: %q", line)
		}
	}
}
