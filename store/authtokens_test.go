package store_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// A gate accepts the tokens in the table that migrations of rest_framework.authtoken
// create, as Django does, and refuses one within a minute after Django deleted it.
func TestAuthTokens(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		if _, err := store.AuthTokens(w.ctx, s); err == nil || !strings.Contains(err.Error(), "authtoken_token") {
			t.Fatalf("without the table: %v", err)
		}
		w.exec("CREATE TABLE authtoken_token (key varchar(40) NOT NULL PRIMARY KEY, created " + w.on("datetime", "timestamptz") +
			" NOT NULL, user_id integer NOT NULL UNIQUE REFERENCES auth_user (id))")
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		gate, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("a secret for tests", 4)), Now: func() time.Time { return now }}, s)
		w.must(err)
		tokens, err := store.AuthTokens(w.ctx, s)
		w.must(err)
		authtoken.Accept(gate, tokens)
		a := w.account(s, "ada")
		const token = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
		w.exec("INSERT INTO authtoken_token (key, created, user_id) SELECT '" + token + "', '2026-01-02 03:04:05+00:00', id FROM auth_user WHERE username = 'ada'")
		expect := func(when, header string, status int) {
			t.Helper()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", header)
			user, err := gate.Authenticate(r)
			switch got := http.StatusOK; {
			case err != nil:
				if got = jotgate.AsError(err).Status; got != status {
					t.Errorf("%s: %v, want %d", when, err, status)
				}
			case status != got || user.ID != a.ID || user.Limited():
				t.Errorf("%s: %+v, want %d", when, user, status)
			}
		}
		expect("a token", "Token "+token, 200)
		expect("in lower case", "token "+token, 200)
		expect("a Bearer token", "Bearer "+token, 401)
		expect("in upper case", "Token "+strings.ToUpper(token), 401)
		expect("another token", "Token "+strings.Repeat("0", 40), 401)
		expect("a part", "Token "+token[:39], 401)
		w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsActive: new(false), At: now}))
		w.must(gate.Sync(w.ctx))
		expect("an inactive user", "Token "+token, 401)
		w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsActive: new(true), At: now}))
		now = now.Add(2 * time.Minute)
		w.must(gate.Sync(w.ctx))
		expect("active again, with the token of before", "Token "+token, 401)
		made := func() { // the key is the primary key: the old one must be gone
			now = now.Add(2 * time.Minute)
			w.exec("INSERT INTO authtoken_token (key, created, user_id) SELECT '" + token + "', '" + now.Format(time.DateTime) + "+00:00', id FROM auth_user WHERE username = 'ada'")
		}
		made()
		expect("active again, with a new token", "Token "+token, 200)
		w.exec("DELETE FROM authtoken_token")
		now = now.Add(time.Minute)
		expect("a minute after it was deleted", "Token "+token, 401)

		for what, end := range map[string]func() error{
			"a new password, though one session is kept": func() error {
				current, err := s.Accounts().ByID(w.ctx, a.ID)
				w.must(err)
				return gate.Accounts().SetPassword(w.ctx, current, "another one, long enough", strings.Repeat("0", 32), jotgate.Client{})
			},
			"logged out everywhere": func() error { return gate.Sessions().EndAll(w.ctx, a.ID, "", jotgate.Client{}) },
		} {
			made()
			expect("before "+what, "Token "+token, 200)
			w.must(end())
			expect(what, "Token "+token, 401)
		}
	})
}
