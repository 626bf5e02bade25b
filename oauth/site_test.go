package oauth_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/leak"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// counted counts the statements that a request of a client could cause.
type counted struct {
	*store.Store
	asked atomic.Int32
}

type countedAccounts struct {
	record.Accounts
	*counted
}

func (c *counted) Accounts() record.Accounts { return countedAccounts{c.Store.Accounts(), c} }

func (c countedAccounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	c.asked.Add(1)
	return c.Accounts.ByID(ctx, id)
}

func (c countedAccounts) Grants(ctx context.Context, id record.UserID) ([]record.Group, []string, error) {
	c.asked.Add(1)
	return c.Accounts.Grants(ctx, id)
}

type countedClients struct {
	oauth.Store
	*counted
}

func (c countedClients) Find(ctx context.Context, id string) (*oauth.Client, error) {
	c.asked.Add(1)
	return c.Store.Find(ctx, id)
}

// site is a gate with an OAuth server, whose statements are counted.
type site struct {
	*jotgatetest.Gate
	t      *testing.T
	gate   *jotgate.Gate
	db     *counted
	server *oauth.Server
	log    *bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	w := &site{Gate: jotgatetest.New(t), t: t, log: new(bytes.Buffer)}
	w.db = &counted{Store: w.Store().(*store.Store)}
	settings := w.Gate.Settings()
	settings.Users, settings.Logger = nil, slog.New(slog.NewTextHandler(leak.Watch(t, w.log, jotgatetest.Password), &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.gate, w.server = w.node(settings)
	return w
}

// node returns a further node on the database.
func (w *site) node(settings jotgate.Settings) (*jotgate.Gate, *oauth.Server) {
	w.t.Helper()
	gate, err := jotgate.New(settings, w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := gate.Sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return gate, oauth.New(gate, countedClients{w.db.Store.Clients(), w.db})
}

// create creates a client with a secret.
func (w *site) create(name string, scopes ...string) oauth.Created {
	w.t.Helper()
	c, err := w.server.Create(w.t.Context(), oauth.Request{Name: name, Scopes: scopes}, jotgate.Client{})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
