package store_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/store"
)

// The recordings of Django's tables in testdata, or in the folder that the
// environment variable GOLDEN names.

// golden lists the recordings that match a pattern.
func golden(t *testing.T, pattern string) []string {
	t.Helper()
	folders := []string{"testdata"}
	if other := os.Getenv("GOLDEN"); other != "" {
		folders = []string{other, filepath.Join(other, "data")}
	}
	var list []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	if len(list) == 0 && len(folders) == 1 { // another folder need not have all
		t.Fatalf("no %s in testdata", pattern)
	}
	return list
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// djangos finds the tables of Django's that jotgate makes.
var djangos = regexp.MustCompile(`\b(django_content_type|django_migrations|auth_(group|permission|user)(_\w+)?)\b`)

// own finds indexes, tables and triggers of jotgate's.
var own = regexp.MustCompile(`^CREATE (INDEX|TRIGGER|VIRTUAL TABLE) jotgate_`)

// about keeps the statements about those tables, sorted.
func about(statements []string) (kept []string) {
	for _, s := range statements {
		first, _, _ := strings.Cut(s, "\n")
		if s = strings.TrimSpace(s); djangos.MatchString(first) && !own.MatchString(first) &&
			!strings.Contains(first, "account_email") && !strings.Contains(first, "mfa_authenticator") && !strings.Contains(first, "socialaccount_") && !strings.Contains(first, "django_admin_log") && !strings.Contains(first, "authtoken") && !strings.Contains(first, "token_blacklist") {
			kept = append(kept, s)
		}
	}
	slices.Sort(kept)
	return kept
}

func TestGoldenTablesInSQLite(t *testing.T) {
	w := sqliteWorld(t)
	w.open()
	rows, err := w.raw.Query("SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL")
	w.must(err)
	defer rows.Close()
	var made []string
	for rows.Next() {
		var text string
		w.must(rows.Scan(&text))
		made = append(made, text)
	}
	made = about(made)
	if len(made) != 20 {
		t.Errorf("%d statements about Django's tables, want 20", len(made))
	}
	for _, file := range golden(t, "schema_sqlite_*.sql") {
		if d := cmp.Diff(about(strings.Split(read(t, file), "\n")), made); d != "" {
			t.Errorf("%s (-Django +jotgate):\n%s", file, d)
		}
	}
}

func TestGoldenTablesInPostgreSQL(t *testing.T) {
	dsn := pgtest.Database(t)
	openPostgres(t, dsn)
	dump, err := exec.Command(program(t, "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", "--dbname", dsn).Output()
	if err != nil {
		t.Fatal(err)
	}
	made := about(statements(string(dump)))
	if len(made) != 47 {
		t.Errorf("%d statements about Django's tables, want 47", len(made))
	}
	for _, file := range golden(t, "schema_postgresql_*.sql") {
		text := read(t, file)
		if strings.Contains(text, "nextval(") {
			continue // before Django 4.1: sequences, adopted below
		}
		if d := cmp.Diff(about(statements(text)), made); d != "" {
			t.Errorf("%s (-Django +jotgate):\n%s", file, d)
		}
	}
}

// statements cuts a dump into its statements.
func statements(dump string) (list []string) {
	dump = regexp.MustCompile(`(?m)^(--|SET |SELECT pg_catalog|\\).*$`).ReplaceAllString(dump, "")
	for s := range strings.SplitSeq(dump, ";\n") {
		list = append(list, strings.TrimSpace(s)+";")
	}
	return list
}

// program finds one of PostgreSQL's programs.
func program(t *testing.T, name string) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: install Debian's postgresql", err)
	}
	return path
}

// recorded is a rows_*.json.
type recorded struct {
	Types struct {
		Rows [][3]any `json:"rows"`
	} `json:"django_content_type"`
	Permissions struct {
		Rows [][4]any `json:"rows"`
	} `json:"auth_permission"`
	Migrations [][2]string `json:"django_migrations"`
}

// of lists the rows of the apps auth and contenttypes as texts, in order.
func (r recorded) of() (permissions, migrations []string) {
	types := map[any]string{}
	for _, ct := range r.Types.Rows {
		if ct[1] == "auth" || ct[1] == "contenttypes" {
			types[ct[0]] = fmt.Sprint(ct[1], ".", ct[2])
		}
	}
	for _, p := range r.Permissions.Rows {
		if ct := types[p[1]]; ct != "" {
			permissions = append(permissions, fmt.Sprint(ct, " ", p[2], " ", p[3]))
		}
	}
	for _, m := range r.Migrations {
		if m[0] == "auth" || m[0] == "contenttypes" {
			migrations = append(migrations, m[0]+" "+m[1])
		}
	}
	slices.Sort(migrations)
	return permissions, migrations
}

func TestGoldenRows(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		list := func(text string) (list []string) {
			rows, err := w.raw.Query(text)
			w.must(err)
			defer rows.Close()
			for rows.Next() {
				var s string
				w.must(rows.Scan(&s))
				list = append(list, s)
			}
			return list
		}
		permissions := list(`SELECT ct.app_label || '.' || ct.model || ' ' || p.codename || ' ' || p.name
FROM auth_permission p JOIN django_content_type ct ON ct.id = p.content_type_id ORDER BY p.id`)
		migrations := list("SELECT app || ' ' || name FROM django_migrations WHERE app NOT IN ('account', 'mfa', 'socialaccount') ORDER BY 1")
		slices.Sort(migrations)
		for _, file := range golden(t, "rows_*.json") {
			var r recorded
			w.must(json.Unmarshal([]byte(read(t, file)), &r))
			wantPermissions, wantMigrations := r.of()
			if len(wantPermissions) != 16 {
				t.Errorf("%s: %d permissions", file, len(wantPermissions))
			}
			if d := cmp.Diff(wantPermissions, permissions); d != "" {
				t.Errorf("%s, permissions (-Django +jotgate):\n%s", file, d)
			}
			if d := cmp.Diff(wantMigrations, migrations); d != "" {
				t.Errorf("%s, migrations (-Django +jotgate):\n%s", file, d)
			}
		}
	})
}

// Django's tables are used as they are: nothing in them is changed, and all
// of jotgate works on them.
func TestGoldenTablesAreAdopted(t *testing.T) {
	for _, file := range slices.Concat(golden(t, "schema_sqlite_*.sql"), golden(t, "schema_postgresql_*.sql")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			w := sqliteWorld
			if strings.Contains(file, "schema_postgresql_") {
				w = postgresWorld
			}
			adopts(w(t), read(t, file))
		})
	}
}

func adopts(w *world, schema string) {
	w.Helper()
	w.exec(strings.ReplaceAll(schema, "CREATE TABLE sqlite_sequence(name,seq);", "")) // in a dump, but SQLite's own
	w.exec("INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) VALUES ('p', false, 'dj', '', '', 'dj@example.com', false, true, '2020-01-02 03:04:05.678901')")
	w.exec("INSERT INTO django_content_type (app_label, model) VALUES ('auth', 'user')")
	w.exec("INSERT INTO auth_permission (content_type_id, codename, name) VALUES (1, 'add_user', 'Can add user')")
	adopted(w, w.open())
	if n := w.count("SELECT COUNT(*) FROM django_migrations WHERE app NOT IN ('account', 'mfa', 'socialaccount')"); n != 0 {
		w.Errorf("%d rows were put into Django's history", n)
	}
	if n := w.count("SELECT COUNT(*) FROM django_migrations"); n != 18 { // of the tables made by jotgate
		w.Errorf("%d rows about allauth's tables", n)
	}
}

func adopted(w *world, s *store.Store) {
	w.Helper()
	dj, err := s.Accounts().ByLogin(w.ctx, "dj")
	w.must(err)
	if dj.DateJoined.Format("2006-01-02 15:04:05.000000") != "2020-01-02 03:04:05.678901" {
		w.Errorf("date_joined: %v", dj.DateJoined)
	}
	a := w.account(s, "ada")
	_, err = s.Groups().Create(w.ctx, "Editors")
	w.must(err)
	w.must(s.Groups().AddMember(w.ctx, a.ID, "Editors"))
	w.must(s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.add_user"))
	session := login(w, s, a.ID, "sid")
	_, err = s.Sessions().Rotate(w.ctx, use(session, "sid0", "sid1"))
	w.must(err)
	if w.black("sid0") != 1 {
		w.Error("the old token is not blacklisted at Django")
	}
	w.must(s.Accounts().Delete(w.ctx, a.ID))
	if b := w.account(s, "bob"); b.ID == a.ID || b.ID == dj.ID {
		w.Errorf("the id %s was used again", b.ID)
	}
	if _, err := s.Accounts().ByLogin(w.ctx, "ada"); jotgate.AsError(err) != jotgate.ErrNotFound {
		w.Errorf("after deletion: %v", err)
	}
}
