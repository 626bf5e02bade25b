package sqlite_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

const restoreSecret = "a-secret-for-tests-a-secret-for-tests-0123456789"

// gateAt opens a gate that has read its database. Its clock is ahead by that much.
func gateAt(t *testing.T, path string, ahead time.Duration) (*jotgate.Gate, *store.Store) {
	t.Helper()
	s := reopen(t, path)
	hasher, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	g, err := jotgate.New(jotgate.Settings{
		SecretKey: restoreSecret, Hasher: hasher, PasswordRules: strength.Rules{}, Logger: slog.New(slog.DiscardHandler), RefreshGrace: -1,
		Now: func() time.Time { return time.Now().Add(ahead) },
	}, s)
	if err == nil {
		err = g.Sync(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

// Whatever was revoked after a backup is not valid after the backup was restored: a
// logged-out session, one that began later, a token of another issuer, an account
// that was deactivated, a key that was retired or deleted.
func TestRestoreRevivesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	g, s := gateAt(t, path, 0)
	ctx, none := t.Context(), jotgate.Client{}
	for _, name := range []string{"alice", "bob", "carol"} {
		if _, err := g.Register(ctx, jotgate.Registration{Username: name, Password: "right"}, none); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	login := func(name string) jotgate.Tokens {
		t.Helper()
		tokens, err := g.Login(ctx, name, "right", none)
		must(err)
		return tokens
	}
	var keys []record.Key
	for range 3 {
		key, err := g.Keys().Add(ctx, jwt.ES256)
		must(err)
		keys = append(keys, key)
	}
	must(g.Keys().Switch(ctx, keys[0].ID))
	byKey := login("carol")
	must(g.Keys().Switch(ctx, keys[1].ID))
	early := login("alice")
	foreign, err := jwt.NewHMAC(jwt.HS256, []byte(restoreSecret)) // Django's token, without a session
	must(err)
	now := time.Now()
	django, err := jwt.Sign(foreign, jwt.Object{
		{Name: "token_type", Value: "access"},
		{Name: "exp", Value: now.Add(time.Hour).Unix()},
		{Name: "iat", Value: now.Add(-time.Minute).Unix()},
		{Name: "jti", Value: "0123456789abcdef0123456789abcdef"},
		{Name: "user_id", Value: "2"},
	})
	must(err)
	if _, err := g.VerifyAccess(django); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	must(sqlite.BackupFile(ctx, s, backup, false))

	late := login("carol")
	must(g.Logout(ctx, early.Refresh, none))
	must(g.Logout(ctx, late.Refresh, none))
	inactive := false
	must(s.Accounts().Change(ctx, "2", record.Change{IsActive: &inactive, At: time.Now()}))
	must(g.Keys().Delete(ctx, keys[0].ID))
	must(g.Keys().Retire(ctx, keys[1].ID))
	must(s.Close())

	known, err := sqlite.Restore(ctx, backup, path, store.Schema{}, true)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	g, _ = gateAt(t, path, 2*time.Second)
	for name, token := range map[string]string{
		"a session that was logged out": early.Access, "a session that began after the backup": late.Access,
		"a token of Django": django, "a key that was deleted": byKey.Access,
	} {
		if user, err := g.VerifyAccess(token); err == nil {
			t.Errorf("%s: the access token of %s is valid", name, user.Username)
		}
	}
	for _, tokens := range []jotgate.Tokens{early, late, byKey} {
		if _, err := g.Refresh(ctx, tokens.Refresh, none); err == nil {
			t.Error("a refresh token is valid")
		}
	}
	if _, err := g.Login(ctx, "bob", "right", none); err == nil {
		t.Error("an account that was deactivated can log in")
	}
	stored, err := g.Keys().List(ctx)
	must(err)
	states := map[string]record.KeyState{}
	for _, key := range stored {
		states[key.ID] = key.State
	}
	if _, exists := states[keys[0].ID]; exists || states[keys[1].ID] != record.KeyRetired || states[keys[2].ID] != record.KeyNext {
		t.Errorf("keys: %v", states)
	}
	fresh := login("alice")
	if _, err := g.VerifyAccess(fresh.Access); err != nil {
		t.Errorf("a login after the restore: %v", err)
	}
	if _, err := g.Refresh(ctx, fresh.Refresh, none); err != nil {
		t.Errorf("a refresh after the restore: %v", err)
	}
}

// Without the old database a restore still ends all sessions, and says that it does
// not know more.
func TestRestoreWithoutTheOldDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jotgate.db")
	g, s := gateAt(t, path, 0)
	if _, err := g.Register(t.Context(), jotgate.Registration{Username: "alice", Password: "right"}, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	tokens, err := g.Login(t.Context(), "alice", "right", jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := sqlite.BackupFile(t.Context(), s, backup, false); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	known, err := sqlite.Restore(t.Context(), backup, other, store.Schema{}, false)
	if err != nil || known {
		t.Fatal(known, err)
	}
	restored, _ := gateAt(t, other, 2*time.Second)
	if _, err := restored.VerifyAccess(tokens.Access); err == nil {
		t.Error("an access token of the backup is valid")
	}
	if _, err := restored.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err == nil {
		t.Error("a refresh token of the backup is valid")
	}
}

// A user table need not have is_active: what else the old database withdrew stays
// withdrawn.
func TestRestoreOfUsersWithoutIsActive(t *testing.T) {
	path, backup := filepath.Join(t.TempDir(), "jotgate.db"), filepath.Join(t.TempDir(), "backup.db")
	db, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = db.Exec("CREATE TABLE people (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, username text NOT NULL UNIQUE, password text NOT NULL)")
	}
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	options := sqlite.Options{Schema: store.Schema{Users: "people"}, BusyTimeout: wait.Limit}
	s, err := sqlite.Open(t.Context(), path, options)
	if err != nil {
		t.Fatal(err)
	}
	g, err := jotgate.New(jotgate.Settings{SecretKey: restoreSecret, Logger: slog.New(slog.DiscardHandler)}, s)
	if err != nil {
		t.Fatal(err)
	}
	key, err := g.Keys().Add(t.Context(), jwt.ES256)
	if err == nil {
		err = g.Keys().Switch(t.Context(), key.ID)
	}
	if err == nil {
		err = sqlite.BackupFile(t.Context(), s, backup, false)
	}
	if err == nil {
		err = g.Keys().Retire(t.Context(), key.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	known, err := sqlite.Restore(t.Context(), backup, path, options.Schema, true)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	if s, err = sqlite.Open(t.Context(), path, options); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if keys, err := s.Keys().List(t.Context()); err != nil || len(keys) != 1 || keys[0].State != record.KeyRetired {
		t.Errorf("%v %v", keys, err)
	}
}
