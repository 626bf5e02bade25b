package api

// A site to attack: a gate on a fresh database with a few users, and requests
// from any address.

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

const (
	goodPassword = "correct horse battery"
	siteSecret   = "a-secret-for-tests-a-secret-for-tests-0123456789"
)

type site struct {
	*API
	t    testing.TB
	db   *store.Store
	file string
	logs *capture.Output
	now  *hands

	maker  *credentials.Site // see credentials
	tokens authTokens
	remote *jotgate.Guard // see newRemoteGuard
}

// hands are a clock turned by hand.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) turn(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// change alters the settings of a site; either may be nil.
type change struct {
	gate func(*jotgate.Settings)
	api  func(*Settings)
}

// newSite has the users alice, bob (inactive), carol (staff) and dave (no
// usable password), whose password is goodPassword.
func newSite(t testing.TB, c change) *site {
	t.Helper()
	s := siteOn(t, sqlitetest.File(t), store.Schema{}, c)
	var err error
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		a := &record.Account{Username: name, Email: name + "@example.com", IsActive: name != "bob", IsStaff: name == "carol", DateJoined: s.now.Now()}
		if a.Password = passwd.Unusable(); name != "dave" {
			if a.Password, err = s.gate.Accounts().MakePassword(t.Context(), goodPassword); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.db.Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// siteOn is a site without users, on the database in the file.
func siteOn(t testing.TB, file string, schema store.Schema, c change) *site {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{Schema: schema, BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	s := siteAt(t, db, c)
	s.file = file
	return s
}

// siteAt is a site on a database that is open, and closed at the end.
func siteAt(t testing.TB, db *store.Store, c change) *site {
	t.Helper()
	s := &site{t: t, db: db, logs: new(capture.Output), now: &hands{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
	t.Cleanup(func() { s.db.Close() })
	s.API = s.reopen(c)
	return s
}

// reopen starts a gate and its API over the site's database, as a new process
// would.
func (s *site) reopen(c change) *API {
	s.t.Helper()
	hasher, err := passwd.New("pbkdf2_sha256:1500")
	if err != nil {
		s.t.Fatal(err)
	}
	gs := jotgate.Settings{
		SecretKey: siteSecret, Hasher: hasher, Now: s.now.Now,
		Logger: slog.New(slog.NewTextHandler(leak.Watch(s.t, s.logs, goodPassword, siteSecret), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if c.gate != nil {
		c.gate(&gs)
	}
	gate, err := jotgate.New(gs, s.db)
	if err != nil {
		s.t.Fatal(err)
	}
	as := Settings{Rates: map[string]string{"login": "", "register": "", "email": ""}}
	if as.APIKeys, err = apikey.New(gate, s.db.APIKeys(), apikey.Settings{Imported: true}); err != nil {
		s.t.Fatal(err)
	}
	as.OAuth = oauth.New(gate, s.db.Clients())
	if c.api != nil {
		c.api(&as)
	}
	a, err := New(gate, as)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// member is a string of the answer's JSON object.
func (a answer) member(name string) string { return memberText(a.Body, name) }

// from is the address that requests come from unless they say otherwise.
const from = "192.0.2.1:4711"

// ask sends a request with a JSON body ("" for none) and headers in pairs; the
// pair "from" sets the client's address.
func (s *site) ask(method, path, body string, headers ...string) answer {
	return askOf(s.API, method, path, body, headers...)
}

func askOf(h http.Handler, method, path, body string, headers ...string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = from
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "from":
			r.RemoteAddr = headers[i+1]
		case "Host":
			r.Host = headers[i+1]
		case "Content-Type":
			r.Header.Set(headers[i], headers[i+1])
		default:
			r.Header[http.CanonicalHeaderKey(headers[i])] = append(r.Header[http.CanonicalHeaderKey(headers[i])], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// object writes a JSON object of strings: name, value, name, value, …
func object(pairs ...string) string {
	members := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		members[pairs[i]] = pairs[i+1]
	}
	text, _ := json.Marshal(members)
	return string(text)
}

// try logs in.
func (s *site) try(name, password string, headers ...string) answer {
	return s.ask("POST", "/api/token/", object("username", name, "password", password), headers...)
}

// tokens are a session's.
type tokens struct{ access, refresh string }

func (s *site) login(name string) tokens {
	s.t.Helper()
	a := s.try(name, goodPassword)
	if a.Status != 200 {
		s.t.Fatalf("%s cannot log in: %d %s", name, a.Status, a.Body)
	}
	return tokens{a.member("access"), a.member("refresh")}
}

func (tk tokens) header() []string { return []string{"Authorization", "Bearer " + tk.access} }

func (s *site) me(tk tokens) answer { return s.ask("GET", "/auth/users/me/", "", tk.header()...) }

func (s *site) refresh(token string) answer {
	return s.ask("POST", "/api/token/refresh/", object("refresh", token))
}

// account is a row as it stands now.
func (s *site) account(name string) *record.Account {
	s.t.Helper()
	a, err := s.db.Accounts().ByLogin(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(name, err)
	}
	return a
}

// messages takes what waits in the outbox, decoys left out.
func (s *site) messages() (list []record.Message) {
	s.t.Helper()
	due, err := s.db.Outbox().Due(s.t.Context(), s.now.Now().Add(time.Hour), 1000, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, l := range due {
		if err := s.db.Outbox().Sent(s.t.Context(), l.ID); err != nil {
			s.t.Fatal(err)
		}
		if l.Kind != record.MessageDecoy {
			list = append(list, l)
		}
	}
	return list
}

// link is what the message of this kind says to the account.
func (s *site) link(kind record.MessageKind, name string) (uid, token string) {
	return s.gate.Links().Parts(kind, s.account(name))
}

// want fails unless the answer has this status and its body this text.
func want(t testing.TB, what string, a answer, status int, text string) {
	t.Helper()
	if a.Status != status || !strings.Contains(a.Body, text) {
		t.Errorf("%s: %d %.300s, want %d with %q", what, a.Status, a.Body, status, text)
	}
}

// same fails unless two answers are equal but for what is random in them.
func same(t testing.TB, what string, a, b answer) {
	t.Helper()
	a.Header.Del(web.RequestID)
	b.Header.Del(web.RequestID)
	if a.Status != b.Status || a.Body != b.Body || headerText(a.Header) != headerText(b.Header) {
		t.Errorf("%s:\n%d %s %s\n%d %s %s", what, a.Status, a.Body, headerText(a.Header), b.Status, b.Body, headerText(b.Header))
	}
}

func headerText(h http.Header) string {
	var b bytes.Buffer
	_ = h.Write(&b)
	return b.String()
}
