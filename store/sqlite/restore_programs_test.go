package sqlite_test

import (
	"database/sql"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// programs are the credentials of programs at a gate.
type programs struct {
	*testing.T
	*jotgate.Gate
	keys    *apikey.Keys
	clients *oauth.Server
}

func programsAt(t *testing.T, path string) (*programs, *store.Store) {
	t.Helper()
	g, s := gateAt(t, path, 0)
	keys, err := apikey.New(g, s.APIKeys(), apikey.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return &programs{t, g, keys, oauth.New(g, s.Clients())}, s
}

func (p *programs) opens(key string) bool {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+key)
	_, err := p.Authenticate(r)
	return err == nil
}

func (p *programs) token(c oauth.Created) bool {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.ID+":"+c.Secret))
	_, err := p.clients.Token(p.Context(), oauth.Call{Header: http.Header{"Authorization": {basic}}, Form: url.Values{"grant_type": {"client_credentials"}}})
	return err == nil
}

// A restore revives neither an API key that was revoked or replaced since the backup, nor
// the secret of a client that was rotated or disabled, nor an invitation that was revoked.
// What was not changed works.
func TestRestoreRevivesNoProgram(t *testing.T) {
	path, backup := filepath.Join(t.TempDir(), "jotgate.db"), filepath.Join(t.TempDir(), "backup.db")
	p, s := programsAt(t, path)
	ctx, none := t.Context(), jotgate.Client{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	alice, err := p.Register(ctx, jotgate.Registration{Username: "alice", Password: "right"}, none)
	must(err)
	bob, err := p.Register(ctx, jotgate.Registration{Username: "bob", Password: "right"}, none)
	must(err)
	keys, clients := map[string]apikey.Created{}, map[string]oauth.Created{}
	for _, name := range []string{"kept", "revoked", "purged", "replaced", "ending", "bob's"} {
		owner := alice
		if name == "bob's" {
			owner = bob
		}
		keys[name], err = p.keys.Create(ctx, owner, apikey.Request{Name: name, Scopes: []string{"orders:read"}}, none)
		must(err)
	}
	for _, name := range []string{"kept", "rotated", "disabled"} {
		clients[name], err = p.clients.Create(ctx, oauth.Request{Name: name, Scopes: []string{"orders:read"}}, none)
		must(err)
	}
	db, err := sql.Open("sqlite", path)
	must(err)
	exec := func(text string) {
		t.Helper()
		_, err := db.ExecContext(ctx, text)
		must(err)
	}
	for _, email := range []string{"kept@example.com", "revoked@example.com", "renewed@example.com"} {
		exec("INSERT INTO jotgate_invitation (email, groups, made_by, nonce, created, expires) VALUES ('" + email + "', '[]', '', 'n', 1, 4102444800000000)")
	}
	must(sqlite.BackupFile(ctx, s, backup, false))

	must(p.keys.Revoke(ctx, alice.ID, keys["revoked"].ID, none))
	_, err = p.keys.Rotate(ctx, alice.ID, keys["replaced"].ID, 0, none)
	must(err)
	_, err = p.keys.Rotate(ctx, alice.ID, keys["ending"].ID, apikey.MinOverlap, none)
	must(err)
	rotated, err := p.clients.Rotate(ctx, clients["rotated"].ID, 0, none)
	must(err)
	off := true
	change, err := oauth.NewChange(nil, nil, &off, p.Settings().Now())
	must(err)
	must(p.clients.Change(ctx, clients["disabled"].ID, change, none))
	exec("DELETE FROM jotgate_api_key WHERE id = '" + keys["purged"].ID + "'")
	exec("DELETE FROM jotgate_invitation WHERE email = 'revoked@example.com'")
	exec("UPDATE jotgate_invitation SET nonce = 'm' WHERE email = 'renewed@example.com'")
	must(db.Close())
	must(p.Accounts().Delete(ctx, bob, none)) // which the restore undoes
	must(s.Close())

	known, err := sqlite.Restore(ctx, backup, path, store.Schema{}, true)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	p, s = programsAt(t, path)
	for name, want := range map[string]bool{"kept": true, "ending": true, "bob's": true, "revoked": false, "purged": false, "replaced": false} {
		if got := p.opens(keys[name].Secret); got != want {
			t.Errorf("the key %s: %v", name, got)
		}
	}
	ending, err := s.APIKeys().Find(ctx, keys["ending"].ID)
	if must(err); ending.Expires.After(ending.Created.Add(24 * time.Hour)) {
		t.Errorf("the key that was rotated ends only at %v", ending.Expires)
	}
	for name, c := range clients {
		if got := p.token(c); got != (name == "kept") {
			t.Errorf("the client %s with the secret of the backup: %v", name, got)
		}
	}
	if !p.token(rotated) {
		t.Error("the new secret of a client is not accepted")
	}
	left := 0
	if db, err = sql.Open("sqlite", path); err == nil {
		err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM jotgate_invitation WHERE email = 'kept@example.com' AND (SELECT COUNT(*) FROM jotgate_invitation) = 1").Scan(&left)
	}
	if must(err); left != 1 {
		t.Error("invitations that were revoked or renewed are there")
	}
	must(db.Close())
}
