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

func (c *counted) note(what string) { c.asked = append(c.asked, what) }

func (c *counted) AccountByLogin(ctx context.Context, login string) (*record.Account, error) {
	c.note("AccountByLogin")
	return c.Store.AccountByLogin(ctx, login)
}

func (c *counted) AccountByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	c.note("AccountByID")
	return c.Store.AccountByID(ctx, id)
}

func (c *counted) AccountsByEmail(ctx context.Context, email string) ([]*record.Account, error) {
	c.note("AccountsByEmail")
	return c.Store.AccountsByEmail(ctx, email)
}

func (c *counted) ChangeAccount(ctx context.Context, id record.UserID, change record.Change) error {
	c.note("ChangeAccount")
	return c.Store.ChangeAccount(ctx, id, change)
}

func (c *counted) Grants(ctx context.Context, id record.UserID) ([]record.Group, []string, error) {
	c.note("Grants")
	return c.Store.Grants(ctx, id)
}

func (c *counted) CreateSession(ctx context.Context, s *record.Session, ifPassword string) error {
	c.note("CreateSession")
	return c.Store.CreateSession(ctx, s, ifPassword)
}

func (c *counted) RotateSession(ctx context.Context, r record.Rotation) (record.Rotated, error) {
	c.note("RotateSession")
	return c.Store.RotateSession(ctx, r)
}

func (c *counted) FindSession(ctx context.Context, id string) (*record.Session, error) {
	c.note("FindSession")
	return c.Store.FindSession(ctx, id)
}

func (c *counted) Blacklisted(ctx context.Context, jti string) (bool, error) {
	c.note("Blacklisted")
	return c.Store.Blacklisted(ctx, jti)
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
		{"GET", "/auth/users/me/", "", []string{"AccountByID"}},
		{"POST", "/api/token/", "username=alice&password=" + strings.ReplaceAll(goodPassword, " ", "+"), []string{"AccountByLogin", "CreateSession"}},
		{"POST", "/api/token/refresh/", "refresh=" + tokens.Refresh, []string{"RotateSession"}},
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
