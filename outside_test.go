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
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// An account that Django deactivates and activates again, and is read in between
// for one of its tokens: all of them stay refused, at every place.
func TestDeactivatedAndActivatedOutside(t *testing.T) {
	for name, read := range map[string]func(g *bench, access string, page *jotgate.PageSession) error{
		"for an access token": func(g *bench, access string, _ *jotgate.PageSession) error {
			user, err := g.VerifyAccess(access)
			if err == nil {
				_, err = g.Accounts().Of(t.Context(), user)
			}
			return err
		},
		"for a page": func(g *bench, _ string, page *jotgate.PageSession) error {
			_, err := g.Sessions().Pages().Renew(t.Context(), page)
			return err
		},
		"for the cookie of a page": func(g *bench, _ string, page *jotgate.PageSession) error {
			g.clock.Advance(6 * time.Minute)
			_, err := g.Sessions().Pages().Open(t.Context(), page.Cookie)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "test.db")
			db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			django, err := sql.Open("sqlite", file)
			if err != nil {
				t.Fatal(err)
			}
			defer django.Close()
			g := gateOn(t, db, nil)
			alice := g.user(t, "alice", nil)
			tokens := g.login(t, "alice")
			state, err := g.Sessions().Pages().Begin(t.Context(), jotgate.Password("alice", password), jotgate.PageLogin{Keep: true}, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			outside := func(active bool) {
				t.Helper()
				if _, err := django.ExecContext(t.Context(), "UPDATE auth_user SET is_active = $1 WHERE id = $2", active, string(alice.ID)); err != nil {
					t.Fatal(err)
				}
			}
			outside(false)
			if err := read(g, tokens.Access, state.Page); err == nil {
				t.Fatal("an inactive account is accepted")
			}
			outside(true)
			if _, err := g.VerifyAccess(tokens.Access); !errors.Is(err, jotgate.ErrTokenInvalid) && !errors.Is(err, jotgate.ErrTokenExpired) {
				t.Errorf("the access token: %v", err)
			}
			if _, err := g.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
				t.Errorf("the refresh token: %v", err)
			}
			if _, err := g.Sessions().Pages().Open(t.Context(), state.Page.Cookie); !errors.Is(err, jotgate.ErrNotAuthenticated) {
				t.Errorf("the cookie: %v", err)
			}
			list, err := g.Store().Events().List(t.Context(), alice.ID, 0, 10)
			if err != nil || list[0].Name != string(record.EndedByAccount) {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}

// Two programs that renew each other's hashes: the operator learns of it, once.
func TestHashesRenewedInTurn(t *testing.T) {
	var log strings.Builder
	b := newGate(t, func(s *jotgate.Settings) { s.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	django, err := passwd.New("pbkdf2_sha256:50")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"alice", "bob", "alice", "alice", "bob"} {
		if i < 2 {
			b.user(t, name, nil)
		}
		a, err := b.db.Accounts().ByLogin(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := django.Make(password)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.db.Accounts().Change(t.Context(), a.ID, record.Change{Password: &encoded}); err != nil {
			t.Fatal(err)
		}
		b.login(t, name)
		if got, want := strings.Count(log.String(), "had to be renewed twice"), min(1, i/2); got != want {
			t.Errorf("after %d logins: %d warnings, want %d", i+1, got, want)
		}
	}
	if !strings.Contains(log.String(), "--hasher") || strings.Contains(log.String(), encodedSalt) {
		t.Errorf("the warning: %s", log.String())
	}
}

// encodedSalt separates the parameters of a stored password from its salt.
const encodedSalt = "pbkdf2_sha256$50$"
