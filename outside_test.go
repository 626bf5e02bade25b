package jotgate_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
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
			db, err := sqlite.Open(t.Context(), file, sqlite.Options{})
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
