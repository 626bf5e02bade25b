package jotgate_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// A right that is taken away closes the endpoints that it opened, at the gate and
// at a guard that follows it, for access tokens and for cookies of pages; the
// session continues without the right.
func TestTakenRightsCloseEndpoints(t *testing.T) {
	for name, c := range map[string]struct {
		opens func(g *jotgate.Guard) func(http.Handler) http.Handler
		take  func(b *bench, id record.UserID) error
	}{
		"is_staff": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequireStaff },
			func(b *bench, id record.UserID) error {
				return b.db.Accounts().Change(t.Context(), id, record.Change{IsStaff: new(false)})
			},
		},
		"is_superuser, by its role": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequireRole("admin") },
			func(b *bench, id record.UserID) error {
				return b.db.Accounts().Change(t.Context(), id, record.Change{IsSuperuser: new(false)})
			},
		},
		"a membership": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequireRole("editors") },
			func(b *bench, id record.UserID) error { return b.db.Groups().RemoveMember(t.Context(), id, "editors") },
		},
		"a group that is renamed": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequireRole("editors") },
			func(b *bench, _ record.UserID) error { return b.db.Groups().Rename(t.Context(), "editors", "readers") },
		},
		"a group that is deleted": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequireRole("editors") },
			func(b *bench, _ record.UserID) error { return b.db.Groups().Delete(t.Context(), "editors") },
		},
		"a permission of the group": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequirePermission("auth.view_user") },
			func(b *bench, _ record.UserID) error {
				return b.db.Permissions().RevokeFromGroup(t.Context(), "editors", "auth.view_user")
			},
		},
		"a permission": {
			func(g *jotgate.Guard) func(http.Handler) http.Handler { return g.RequirePermission("auth.change_user") },
			func(b *bench, id record.UserID) error {
				return b.db.Permissions().RevokeFromAccount(t.Context(), id, "auth.change_user")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, alice := privileged(t, name)
			far, _, _ := farGuard(t, b, nil)
			tokens := b.login(t, "alice")
			status := func(guard *jotgate.Guard, access string) int {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Authorization", "Bearer "+access)
				w := httptest.NewRecorder()
				c.opens(guard)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
				return w.Code
			}
			state, err := b.Sessions().Pages().Begin(t.Context(), jotgate.Password("alice", password), jotgate.PageLogin{}, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			if here, there := status(b.Guard, tokens.Access), status(far, tokens.Access); here != 200 || there != 200 {
				t.Fatalf("before: %d at the gate, %d at the guard", here, there)
			}
			if err := c.take(b, alice.ID); err != nil {
				t.Fatal(err)
			}
			if err := b.Sync(t.Context()); err != nil { // what Run does every half second
				t.Fatal(err)
			}
			if code := status(b.Guard, tokens.Access); code != 401 {
				t.Errorf("the gate responds with %d", code)
			}
			eventually(t, func() bool { return status(far, tokens.Access) == 401 })

			b.clock.Advance(2 * time.Second)
			page, err := b.Sessions().Pages().Open(t.Context(), state.Page.Cookie)
			if err != nil || !page.Changed || page.User.Role != jotgate.RoleOf(page.Account) {
				t.Errorf("the cookie: %+v, %v", page, err)
			}
			if tokens, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
			if here, there := status(b.Guard, tokens.Access), status(far, tokens.Access); here != 403 || there != 403 {
				t.Errorf("after a refresh: %d at the gate, %d at the guard", here, there)
			}
		})
	}
}

// privileged returns a gate, whose store has its clock, and alice, who has one
// right of the name.
func privileged(t *testing.T, right string) (*bench, *record.Account) {
	t.Helper()
	c := &clock{now: noon}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Now: c.Now, BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := gateOn(t, db, func(s *jotgate.Settings) {
		s.Now, s.ServeRevocations, s.Claims = c.Now, true, jotgate.ClaimNames()
	})
	b.clock = c
	alice := b.user(t, "alice", func(a *record.Account) {
		a.IsStaff, a.IsSuperuser = right == "is_staff", right == "is_superuser, by its role"
	})
	if _, err := db.Groups().Create(t.Context(), "editors"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		db.Groups().AddMember(t.Context(), alice.ID, "editors"),
		db.Permissions().GrantToGroup(t.Context(), "editors", "auth.view_user"),
		db.Permissions().GrantToAccount(t.Context(), alice.ID, "auth.change_user"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b, alice
}
