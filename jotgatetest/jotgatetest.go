// Package jotgatetest gives the tests of a program that uses jotgate a gate, a
// user and a token, each in one line:
//
//	gate := jotgatetest.New(t)
//	alice := gate.User("alice")
//	handler := gate.Require(hello)
//
//	w := httptest.NewRecorder()
//	handler.ServeHTTP(w, gate.Request(alice, "GET", "/hello", nil)) // 200
//
// Everything is real but three things: the database is a file in the test's
// temporary folder, passwords are hashed cheaply, and time stands still until
// Clock.Advance moves it. Nothing is left behind after the test.
//
// # Which token
//
// Token is an access token as a login gives it, Tokens has the refresh token
// besides, ExpiredToken ran out a second ago. An unknown or inactive user, a
// forged token and the like need no help: change the account, or the text.
//
// # News of other processes
//
// What the gate does itself it knows at once. What a test does behind its back
// with gate.Store() (deactivating an account, say) it hears when gate.Run
// works beside it, as in production; then wait a second of real time, or check
// with gate.Account, which asks the database.
package jotgatetest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Password is every test user's password.
const Password = "correct horse battery staple"

// secretKey is as long as it must be, and known to everybody.
const secretKey = "jotgatetest: no secret at all, as everybody can read it"

// Gate is a jotgate.Gate for one test. Its own methods end the test when
// something fails, so they have no errors, and must be called from the
// goroutine that runs the test (testing.TB.FailNow).
type Gate struct {
	*jotgate.Gate
	Clock *Clock // what the gate takes for the time

	t    testing.TB
	file string        // of the database
	past *jotgate.Gate // the same, but its tokens have expired
}

// New makes a gate with an empty database in t.TempDir and closes it with the
// test. Each change may set what the test is about; Settings.Now is Clock's
// whatever they say.
func New(t testing.TB, changes ...func(*jotgate.Settings)) *Gate {
	t.Helper()
	hasher, err := passwd.New("pbkdf2_sha256:1")
	check(t, err)
	s := jotgate.Settings{SecretKey: secretKey, Hasher: hasher, Logger: logger(t)}
	for _, change := range changes {
		change(&s)
	}
	file := filepath.Join(t.TempDir(), "jotgatetest.db")
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })

	g := &Gate{Clock: &Clock{now: time.Now().Truncate(time.Second)}, t: t, file: file}
	s.Now = g.Clock.Now
	g.Gate, err = jotgate.New(s, db)
	check(t, err)
	filled := g.Settings()
	s.Now = func() time.Time { return g.Clock.Now().Add(-filled.AccessTokenLifetime - filled.Leeway - time.Second) }
	g.past, err = jotgate.New(s, db)
	check(t, err)
	return g
}

// User makes an account with this username, the e-mail username@example.com
// and Password. It is active and has no other rights, unless options (Staff,
// Superuser, Inactive or functions of one's own) say so.
func (g *Gate) User(username string, options ...func(*record.Account)) *record.Account {
	g.t.Helper()
	encoded, err := g.MakePassword(g.t.Context(), Password)
	check(g.t, err)
	account := &record.Account{
		Username: username, Email: username + "@example.com", Password: encoded, IsActive: true, DateJoined: g.Clock.Now(),
	}
	for _, option := range options {
		option(account)
	}
	check(g.t, g.Store().CreateAccount(g.t.Context(), account))
	return account
}

// Staff makes the user staff (is_staff).
func Staff(a *record.Account) { a.IsStaff = true }

// Superuser makes the user staff with all permissions (is_superuser).
func Superuser(a *record.Account) { a.IsStaff, a.IsSuperuser = true, true }

// Inactive makes the user unable to log in. There is no token for such a user.
func Inactive(a *record.Account) { a.IsActive = false }

// Tokens logs the user in, by Password, and returns what the login answered: a
// session of its own with a refresh and an access token.
func (g *Gate) Tokens(user *record.Account) jotgate.Tokens {
	g.t.Helper()
	return g.login(g.Gate, user)
}

// Token logs the user in and returns the access token.
func (g *Gate) Token(user *record.Account) string {
	g.t.Helper()
	return g.login(g.Gate, user).Access
}

// ExpiredToken returns an access token of the user that expired a second ago,
// leeway included, and has no other fault.
func (g *Gate) ExpiredToken(user *record.Account) string {
	g.t.Helper()
	return g.login(g.past, user).Access
}

func (g *Gate) login(gate *jotgate.Gate, user *record.Account) jotgate.Tokens {
	g.t.Helper()
	tokens, err := gate.Login(g.t.Context(), user.Username, Password, jotgate.Client{Address: "192.0.2.1", UserAgent: "jotgatetest"})
	check(g.t, err)
	return tokens
}

// Request is httptest.NewRequest with the user's token in the header, as the
// gate's settings name it. A nil user sends no token.
func (g *Gate) Request(user *record.Account, method, target string, body io.Reader) *http.Request {
	g.t.Helper()
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, body)
	if user != nil {
		r.Header.Set(g.HeaderName(), g.Settings().HeaderTypes[0]+" "+g.Token(user))
	}
	return r
}

// check ends the test.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("jotgatetest: ", err)
	}
}

// logger writes warnings and errors to the test's log as long as the test
// runs.
func logger(t testing.TB) *slog.Logger {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return slog.New(slog.NewTextHandler(&output{ctx, t.Output()}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// output is silent once the test is over: testing panics then.
type output struct {
	ctx context.Context
	w   io.Writer
}

func (o *output) Write(p []byte) (int, error) {
	if o.ctx.Err() != nil {
		return len(p), nil
	}
	return o.w.Write(p)
}
