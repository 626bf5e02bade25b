package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// fromMoving returns the block of docs/moving.md in a language that follows a heading.
func fromMoving(t *testing.T, heading, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	_, block, has := strings.Cut(section, "\n```"+language+"\n")
	block, _, ended := strings.Cut(block, "\n```\n")
	if !found || !has || !ended {
		t.Fatalf("docs/moving.md has no %s below %q", language, heading)
	}
	return block
}

// moved imports lines and returns the database.
func moved(t *testing.T, lines string) *store.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "moved.db")
	status, stdout, stderr := try(t, []string{"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + file}, lines, "user", "import", "-")
	if status != 0 {
		t.Fatalf("%s%s\n%s", stdout, stderr, lines)
	}
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// movedUser is what a user has after an import.
type movedUser struct {
	verified, active, usable bool
	connected                string // PROVIDER UID, …
}

func checkMoved(t *testing.T, db *store.Store, username string, want movedUser) {
	t.Helper()
	a, err := db.Accounts().ByLogin(t.Context(), username)
	if err != nil {
		t.Fatalf("%s: %v", username, err)
	}
	got := movedUser{active: a.IsActive, usable: passwd.IsUsable(a.Password)}
	if a.Email != "" {
		if got.verified, _, err = db.Addresses().Verified(t.Context(), a.ID, a.Email); err != nil {
			t.Fatal(err)
		}
	}
	list, err := db.SocialAccounts().ListSocial(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, row := range list {
		words = append(words, row.Provider+" "+row.UID)
	}
	if got.connected = strings.Join(words, ", "); got != want {
		t.Errorf("%s has %+v, want %+v", username, got, want)
	}
}

// The tables of Supabase's auth, as far as the page reads them.
const supabase = `CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email varchar(255), encrypted_password varchar(255), email_confirmed_at timestamptz,
  banned_until timestamptz, deleted_at timestamptz, created_at timestamptz);
CREATE TABLE auth.identities (provider_id text, user_id uuid, identity_data jsonb, provider text, id uuid DEFAULT gen_random_uuid());
INSERT INTO auth.users VALUES
  ('00000000-0000-4000-8000-000000000001', 'ada@example.com', '$2a$10$HASH', now(), NULL, NULL, '2024-05-01 12:00:00.123456+02'),
  ('00000000-0000-4000-8000-000000000002', 'bea@example.com', '', NULL, NULL, NULL, '2024-05-02'),
  ('00000000-0000-4000-8000-000000000003', NULL, NULL, NULL, now() + interval '1 day', NULL, '2024-05-03'),
  ('00000000-0000-4000-8000-000000000004', 'gone@example.com', '', NULL, NULL, now(), '2024-05-04');
INSERT INTO auth.identities (provider_id, user_id, provider) VALUES
  ('108204268033311374519', '00000000-0000-4000-8000-000000000001', 'google'), ('583231', '00000000-0000-4000-8000-000000000001', 'github'),
  ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'email'),
  ('80351110224678912', '00000000-0000-4000-8000-000000000002', 'discord'), ('AAAA', '00000000-0000-4000-8000-000000000002', 'azure');`

// The page's export of Supabase keeps passwords, verified addresses and accounts at providers.
func TestMovingFromSupabase(t *testing.T) {
	encoded := "$2a$10$" + strings.TrimPrefix(bcryptOf(t, "correct horse battery"), "$2b$10$")
	db, err := pgx.Connect(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err := db.Exec(t.Context(), strings.Replace(supabase, "$2a$10$HASH", encoded, 1)); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), fromMoving(t, "From Supabase", "sql"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, line := range lines {
		all.Write(line)
		all.WriteByte('\n')
	}
	to := moved(t, all.String())
	checkMoved(t, to, "ada@example.com", movedUser{true, true, true, "github 583231, google 108204268033311374519"})
	checkMoved(t, to, "bea@example.com", movedUser{false, true, false, "discord 80351110224678912"})
	checkMoved(t, to, "00000000-0000-4000-8000-000000000003", movedUser{})
	if _, err := to.Accounts().ByLogin(t.Context(), "gone@example.com"); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("a deleted user: %v", err)
	}
	logsIn(t, to, "ada@example.com", "correct horse battery")
}

func logsIn(t *testing.T, db record.Store, username, password string) {
	t.Helper()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: goodSecret, Logger: slog.New(slog.DiscardHandler)}, db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Login(t.Context(), username, password, jotgate.Client{}); err != nil {
		t.Errorf("%s: %v", username, err)
	}
}

// An export of Firebase, as its command line tool writes it.
const firebase = `{"users": [
{"localId": "l1", "email": "ada@example.com", "emailVerified": true, "passwordHash": "jDCsxd-zVQ_DDGh9rNdQwCjUvHxE8v9fJzLkqXhYbWm2aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789AbCdEfGh==", "salt": "s",
 "displayName": "Ada", "createdAt": "1486324188000", "lastSignedInAt": "1486324188000",
 "providerUserInfo": [{"providerId": "google.com", "rawId": "108204268033311374519", "email": "ada@example.com"}, {"providerId": "github.com", "rawId": "583231"}]},
{"localId": "l2", "emailVerified": false, "disabled": true, "createdAt": "1486324189000", "providerUserInfo": [{"providerId": "microsoft.com", "rawId": "x"}]},
{"localId": "l3", "email": "cy@example.com", "createdAt": "1486324190000"}
]}`

// The page's conversion of Firebase keeps verified addresses and accounts at providers, and lets users who had a
// password set another one.
func TestMovingFromFirebase(t *testing.T) {
	cmd := exec.Command("jq", "-c", "-f", write(t, "firebase.jq", fromMoving(t, "From Firebase", "jq")))
	cmd.Stdin = strings.NewReader(firebase)
	lines, err := cmd.Output()
	if err != nil {
		t.Fatalf("jq (tools/setup installs it): %v", err)
	}
	to := moved(t, string(lines))
	checkMoved(t, to, "ada@example.com", movedUser{true, true, true, "github 583231, google 108204268033311374519"})
	checkMoved(t, to, "l2", movedUser{})
	checkMoved(t, to, "cy@example.com", movedUser{active: true})
	a, err := to.Accounts().ByLogin(t.Context(), "ada@example.com")
	if err != nil || a.FirstName != "Ada" || a.DateJoined.Unix() != 1486324188 {
		t.Errorf("%+v, %v", a, err)
	}
	if kind := passwd.Identify(a.Password).String(); kind != "pbkdf2_sha256:600000" {
		t.Errorf("the hash is %s", kind)
	}
}

// bcryptOf returns the bcrypt of a password.
func bcryptOf(t *testing.T, password string) string {
	t.Helper()
	hasher, err := passwd.New("bcrypt:10")
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := hasher.Make(password)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(encoded, "bcrypt$")
}
