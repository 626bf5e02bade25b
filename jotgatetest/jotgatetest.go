// Package jotgatetest provides a gate for the tests of programs that use jotgate.
// [New] returns the gate, [Gate.User] creates a user, and [Gate.Request] makes a
// request with a token:
//
//	gate := jotgatetest.New(t)
//	alice := gate.User("alice")
//	handler := gate.Require(hello)
//
//	w := httptest.NewRecorder()
//	handler.ServeHTTP(w, gate.Request(alice, "GET", "/hello", nil)) // 200
//
// The gate differs from one in production in these ways: its database is a file in the
// test's temporary folder, its secret key is public, passwords are hashed cheaply, its
// time changes only by [Clock.Advance], and warnings go to the test's log. The database
// is removed after the test.
//
// # Tokens
//
// [Gate.Token] returns the access token of a login, [Gate.Tokens] also the refresh
// token, and [Gate.ExpiredToken] an access token that expired a second ago. To test with
// a forged token, change the text of a token; to test with an inactive user, get the
// token first and then deactivate the account.
//
// # Changes of other processes
//
// The gate applies its own changes immediately. A change that a test makes directly in
// gate.Store(), such as deactivating an account, has an effect on the gate only while
// gate.Run is running, as in production, and within a second of real time. A handler that
// calls gate.Accounts().Of reads the database and needs no gate.Run.
package jotgatetest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// Password is the password of all test users.
const Password = "correct horse battery staple"

// secretKey is long enough to be accepted. It is not secret.
const secretKey = "jotgatetest: this key is public and only for tests"

// A Gate is a [jotgate.Gate] for one test. New returns it. The methods that it adds
// return no errors: they fail the test, and must be called from the goroutine that runs
// it (see [testing.TB.FailNow]).
type Gate struct {
	*jotgate.Gate
	Clock *Clock // the clock of the gate

	t    testing.TB
	file string        // of the database
	past *jotgate.Gate // the same gate, but its tokens have expired
}

// New returns a gate with an empty database in t.TempDir, which is closed when the test
// ends. The changes may modify the settings, except Settings.Now, which New replaces by
// that of Gate.Clock.
func New(t testing.TB, changes ...func(*jotgate.Settings)) *Gate {
	t.Helper()
	hasher, err := passwd.New("pbkdf2_sha256:1")
	check(t, err)
	s := jotgate.Settings{SecretKey: secretKey, Hasher: hasher, Logger: logger(t)}
	for _, change := range changes {
		change(&s)
	}
	empty, err := migrated()
	check(t, err)
	file := filepath.Join(t.TempDir(), "jotgatetest.db")
	check(t, os.WriteFile(file, empty, 0o600))
	db, err := sqlite.Open(t.Context(), file, options)
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

// User creates an account with the given username, the e-mail address
// username@example.com, and [Password]. It is active and has no permissions, unless the
// options change that: [Staff], [Superuser], [Inactive], or any other function.
func (g *Gate) User(username string, options ...func(*record.Account)) *record.Account {
	g.t.Helper()
	encoded, err := g.Accounts().MakePassword(g.t.Context(), Password)
	check(g.t, err)
	account := &record.Account{
		Username: username, Email: username + "@example.com", Password: encoded, IsActive: true, DateJoined: g.Clock.Now(),
	}
	for _, option := range options {
		option(account)
	}
	check(g.t, g.Store().Accounts().Create(g.t.Context(), account))
	return account
}

// Staff is an option of User that makes the user staff (is_staff).
func Staff(a *record.Account) { a.IsStaff = true }

// Superuser is an option of User that makes the user staff with all permissions
// (is_superuser).
func Superuser(a *record.Account) { a.IsStaff, a.IsSuperuser = true, true }

// Inactive is an option of User that makes the account inactive (is_active). Such a user
// cannot log in, so that Token and Request fail the test.
func Inactive(a *record.Account) { a.IsActive = false }

// Tokens logs the user in with [Password], which starts a new session, and returns its
// refresh token and access token.
func (g *Gate) Tokens(user *record.Account) jotgate.Tokens {
	g.t.Helper()
	return g.login(g.Gate, user)
}

// Token logs the user in and returns the access token.
func (g *Gate) Token(user *record.Account) string {
	g.t.Helper()
	return g.login(g.Gate, user).Access
}

// ExpiredToken returns an access token of the user that expired a second ago, leeway
// included, and is otherwise valid.
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

// Request is [httptest.NewRequest] with a token of the user in the header that the gate's
// settings name. If user is nil, no token is sent.
func (g *Gate) Request(user *record.Account, method, target string, body io.Reader) *http.Request {
	g.t.Helper()
	r := httptest.NewRequestWithContext(g.t.Context(), method, target, body)
	if user != nil {
		r.Header.Set(g.Header().Name, g.Settings().HeaderTypes[0]+" "+g.Token(user))
	}
	return r
}

// check fails the test if err is not nil.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("jotgatetest: ", err)
	}
}

// logger writes warnings and errors to the test's log until the test ends.
func logger(t testing.TB) *slog.Logger {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return slog.New(slog.NewTextHandler(&output{ctx, t.Output()}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// output drops what is written after the test, when testing would panic.
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
