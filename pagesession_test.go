package jotgate_test

import (
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

var browser = jotgate.Client{Address: "192.0.2.7", UserAgent: "Firefox/144.0 (Linux)"}

// pageGate returns a gate, a user, and a page session of that user.
func pageGate(t *testing.T, keep bool, changes ...func(*jotgate.Settings)) (*jotgatetest.Gate, *record.Account, *jotgate.PageSession) {
	t.Helper()
	gate := jotgatetest.New(t, changes...)
	alice := gate.User("alice")
	return gate, alice, startPage(t, gate.Gate, "alice", keep)
}

// startPage signs a user in at a page.
func startPage(t *testing.T, gate *jotgate.Gate, username string, keep bool) *jotgate.PageSession {
	t.Helper()
	state, err := gate.Sessions().Pages().Begin(t.Context(), jotgate.Password(username, jotgatetest.Password), jotgate.PageLogin{Keep: keep}, browser)
	if err != nil || state.Page == nil || state.Tokens.Access != "" {
		t.Fatalf("%+v, %v", state, err)
	}
	return state.Page
}

func TestPageSessionIsVerifiedWithoutARead(t *testing.T) {
	gate, alice, page := pageGate(t, false)
	gate.Clock.Advance(4 * time.Minute)
	got, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	if got.Account != nil || got.Changed || got.User.ID != alice.ID || got.User.Username != "alice" || got.User.Role.Type != "user" {
		t.Errorf("%+v of %+v", got, got.User)
	}
	if len(page.Cookie) > 1024 {
		t.Errorf("the cookie has %d bytes", len(page.Cookie))
	}
}

func TestPageSessionIsRenewed(t *testing.T) {
	gate, alice, page := pageGate(t, true)
	gate.Clock.Advance(20 * time.Minute)
	got, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Changed || got.Cookie == page.Cookie || !got.Keep || !got.AuthTime.Equal(page.AuthTime) || got.Account.ID != alice.ID {
		t.Errorf("%+v", got)
	}
	// Two tabs: the earlier cookie is renewed as well.
	if _, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie); err != nil {
		t.Error("the second tab:", err)
	}
	s, err := gate.Store().Sessions().Find(t.Context(), got.User.Session)
	if err != nil || !s.LastSeen.Equal(gate.Clock.Now()) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestPageSessionEnds(t *testing.T) {
	for name, end := range map[string]func(*jotgatetest.Gate, *record.Account, *jotgate.PageSession) error{
		"logout": func(g *jotgatetest.Gate, a *record.Account, p *jotgate.PageSession) error {
			return g.Sessions().End(t.Context(), a.ID, p.User.Session, browser)
		},
		"password": func(g *jotgatetest.Gate, a *record.Account, _ *jotgate.PageSession) error {
			return g.Accounts().SetPassword(t.Context(), a, "another horse battery", "", browser)
		},
		"deletion": func(g *jotgatetest.Gate, a *record.Account, _ *jotgate.PageSession) error {
			return g.Accounts().Delete(t.Context(), a, browser)
		},
		"its end": func(g *jotgatetest.Gate, _ *record.Account, _ *jotgate.PageSession) error {
			g.Clock.Advance(12 * time.Hour)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			gate, alice, page := pageGate(t, false)
			if err := end(gate, alice, page); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie); !errors.Is(err, jotgate.ErrNotAuthenticated) {
					t.Errorf("opened: %v", err)
				}
				if _, err := gate.Sessions().Pages().Access(t.Context(), page); err == nil {
					t.Error("it still gives an access token")
				}
			}
		})
	}
}

func TestPageSessionThatIsKept(t *testing.T) {
	gate, _, page := pageGate(t, true)
	gate.Clock.Advance(29 * 24 * time.Hour)
	if _, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie); err != nil {
		t.Error(err)
	}
	gate.Clock.Advance(24 * time.Hour)
	if _, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie); err == nil {
		t.Error("the session outlives SessionLifetime")
	}
}

// A right that was removed is gone at the next request, and the session stays.
func TestPageSessionFollowsRights(t *testing.T) {
	gate := jotgatetest.New(t)
	bob := gate.User("bob", jotgatetest.Staff)
	page := startPage(t, gate.Gate, "bob", false)
	gate.Clock.Advance(2 * time.Second)
	no := false
	if err := gate.Store().Accounts().Change(t.Context(), bob.ID, record.Change{IsStaff: &no, At: gate.Clock.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie)
	if err != nil || got.User.IsStaff() || !got.Changed {
		t.Errorf("%+v, %v", got, err)
	}
}

// A password that Django changed ends the session when its cookie is renewed.
func TestPageSessionAfterDjango(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.db")
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: "a secret of a test that is long enough", Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}, db)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := gate.Accounts().MakePassword(t.Context(), jotgatetest.Password)
	if err != nil {
		t.Fatal(err)
	}
	alice := &record.Account{Username: "alice", Password: encoded, IsActive: true}
	if err := db.Accounts().Create(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	page := startPage(t, gate, "alice", false)
	raw, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "UPDATE auth_user SET password = 'second'"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(6 * time.Minute)
	if _, err := gate.Sessions().Pages().Open(t.Context(), page.Cookie); !errors.Is(err, jotgate.ErrNotAuthenticated) {
		t.Errorf("opened: %v", err)
	}
	if s, err := db.Sessions().Find(t.Context(), page.User.Session); err != nil || s.EndReason != record.EndedByPassword {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestPageCookieIsNoToken(t *testing.T) {
	gate, _, page := pageGate(t, false)
	tokens, err := gate.Sessions().Pages().Access(t.Context(), page)
	if err != nil || tokens.Refresh != "" {
		t.Fatalf("%+v, %v", tokens, err)
	}
	user, err := gate.VerifyAccess(tokens.Access)
	if err != nil || user.Session != page.User.Session {
		t.Errorf("the access token: %+v, %v", user, err)
	}
	if _, err := gate.VerifyAccess(page.Cookie); err == nil {
		t.Error("the cookie is accepted as an access token")
	}
	for name, cookie := range map[string]string{
		"an access token": tokens.Access, "nothing": "", "a long one": strings.Repeat("A", 5000), "a short one": "AAAA",
		"a changed one": tamper.At(page.Cookie, -5), "one with a suffix": page.Cookie + "A",
	} {
		if _, err := gate.Sessions().Pages().Open(t.Context(), cookie); !errors.Is(err, jotgate.ErrNotAuthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPageSessionOfAnotherSecret(t *testing.T) {
	gate, _, page := pageGate(t, false)
	s := gate.Settings()
	former := s.SecretKey
	s.SecretKey, s.SecretKeyFallbacks = "another secret that is as long as it has to be", []jotgate.Secret{former}
	next, err := jotgate.New(s, gate.Store())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.Sessions().Pages().Open(t.Context(), page.Cookie); err != nil {
		t.Error("with the former secret as a fallback:", err)
	}
	s.SecretKeyFallbacks = nil
	if next, err = jotgate.New(s, gate.Store()); err != nil {
		t.Fatal(err)
	}
	if _, err := next.Sessions().Pages().Open(t.Context(), page.Cookie); err == nil {
		t.Error("opened without the secret that sealed it")
	}
}
