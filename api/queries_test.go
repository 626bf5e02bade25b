package api

// How often the database is asked.

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// counted is a store that takes down what it is asked about accounts and
// sessions.
type counted struct {
	*store.Store
	asked []string
}

type countedAccounts struct {
	record.Accounts
	*counted
}

type countedSessions struct {
	record.Sessions
	*counted
}

func (c *counted) Accounts() record.Accounts { return countedAccounts{c.Store.Accounts(), c} }
func (c *counted) Sessions() record.Sessions { return countedSessions{c.Store.Sessions(), c} }

func (c *counted) note(what string) { c.asked = append(c.asked, what) }

func (c countedAccounts) ByLogin(ctx context.Context, login string) (*record.Account, error) {
	c.note("Accounts.ByLogin")
	return c.Accounts.ByLogin(ctx, login)
}

func (c countedAccounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	c.note("Accounts.ByID")
	return c.Accounts.ByID(ctx, id)
}

func (c countedAccounts) ByEmail(ctx context.Context, email string) ([]*record.Account, error) {
	c.note("Accounts.ByEmail")
	return c.Accounts.ByEmail(ctx, email)
}

func (c countedAccounts) Change(ctx context.Context, id record.UserID, change record.Change) error {
	c.note("Accounts.Change")
	return c.Accounts.Change(ctx, id, change)
}

func (c countedAccounts) Grants(ctx context.Context, id record.UserID) ([]record.Group, []string, error) {
	c.note("Accounts.Grants")
	return c.Accounts.Grants(ctx, id)
}

func (c countedSessions) Create(ctx context.Context, s *record.Session, ifPassword string) error {
	c.note("Sessions.Create")
	return c.Sessions.Create(ctx, s, ifPassword)
}

func (c countedSessions) Rotate(ctx context.Context, r record.Rotation) (record.Rotated, error) {
	c.note("Sessions.Rotate")
	return c.Sessions.Rotate(ctx, r)
}

func (c countedSessions) Find(ctx context.Context, id string) (*record.Session, error) {
	c.note("Sessions.Find")
	return c.Sessions.Find(ctx, id)
}

func (c countedSessions) Blacklisted(ctx context.Context, jti string) (bool, error) {
	c.note("Sessions.Blacklisted")
	return c.Sessions.Blacklisted(ctx, jti)
}

func TestQueries(t *testing.T) {
	s := newSite(t, change{})
	db := &counted{Store: s.db}
	hasher, err := passwd.New("pbkdf2_sha256:1500")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: siteSecret, Hasher: hasher, Now: s.now.Now, Logger: slog.New(slog.DiscardHandler),
	}, db)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(gate, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := gate.Login(t.Context(), "alice", goodPassword, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, body string
		want               []string
	}{
		{"GET", "/auth/check", "", nil}, // verifying asks nothing
		{"POST", "/api/token/verify/", "token=" + tokens.Access, nil},
		{"GET", "/auth/users/me/", "", []string{"Accounts.ByID"}},
		{"POST", "/api/token/", "username=alice&password=" + strings.ReplaceAll(goodPassword, " ", "+"), []string{"Accounts.ByLogin", "Sessions.Create"}},
		{"POST", "/api/token/refresh/", "refresh=" + tokens.Refresh, []string{"Sessions.Rotate"}},
	} {
		db.asked = nil
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.method == "GET" {
			r.Header.Set("Authorization", "Bearer "+tokens.Access)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != 200 || !slices.Equal(db.asked, c.want) {
			t.Errorf("%s %s: %d, asked %v, want %v", c.method, c.path, w.Code, db.asked, c.want)
		}
	}
}
