package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/store"
)

// execute runs statements in a SQLite file.
func execute(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// The tables that are missing from a new database, or from one of an older jotgate,
// are one line, and doctor does not fail because of them, as serve creates them;
// --json lists each. A table that a migration has created is missed.
func TestDoctorBeforeTheMigration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	execute(t, file, "CREATE TABLE other (id integer)")
	env := []string{"DATABASE_URL=sqlite:" + file}
	status, stdout, _ := try(t, env, "", "doctor")
	if status != 0 || strings.Count(stdout, "jotgate migrate") > 5 || !strings.Contains(stdout, " tables of jotgate: not there\n      serve creates what is missing when it starts; so does jotgate migrate\n") {
		t.Errorf("%d, %s", status, stdout)
	}
	if strings.Contains(stdout, "no such table") {
		t.Errorf("an error of the database: %s", stdout)
	}
	_, stdout, _ = try(t, env, "", "doctor", "--json")
	var facts []store.Fact
	if err := json.Unmarshal([]byte(stdout), &facts); err != nil || !strings.Contains(stdout, "jotgate_invitation") {
		t.Errorf("%v, %s", err, stdout)
	}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	execute(t, file, "DROP TABLE jotgate_rate")
	if status, stdout, _ := try(t, env, "", "doctor"); status != statusRefused || !strings.Contains(stdout, "BAD   jotgate_rate: not there\n") {
		t.Errorf("one table: %s", stdout)
	}
	execute(t, file, "DELETE FROM jotgate_migrations WHERE version_id > 16", "DROP TABLE jotgate_invitation")
	if status, stdout, _ := try(t, env, "", "doctor"); status != 0 || !strings.Contains(stdout, "note  2 tables of jotgate: not there\n      serve creates what is missing") {
		t.Errorf("the database of an older version: %d, %s", status, stdout)
	}
	if status, stdout, stderr := try(t, []string{"DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "new.db")}, "", "doctor"); status != 0 || !strings.Contains(stdout, "settings of serve: all understood") {
		t.Errorf("no database: %d, %s%s", status, stdout, stderr)
	}
}

// A wrong secret is one line BAD, not two.
func TestDoctorNamesTheSecretOnce(t *testing.T) {
	for _, secret := range []string{"short", "django-insecure-0123456789abcdef0123456789abcdef"} {
		_, stdout, _ := try(t, []string{"DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db"), "SECRET_KEY=" + secret}, "", "doctor")
		if strings.Contains(stdout, "BAD   tokens, secret") {
			t.Errorf("%s: %s", secret, stdout)
		}
	}
}

// Beside a Django no secret is made up: neither side would accept what the other
// has issued. A database of jotgate alone gets one (TestServeInAnEmptyFolder).
func TestNoNewSecretBesideDjango(t *testing.T) {
	for _, table := range []string{"django_session", "django_admin_log", "token_blacklist_outstandingtoken"} {
		t.Run(table, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "db.sqlite3")
			env := []string{"DATABASE_URL=sqlite:" + file}
			if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
				t.Fatal(stderr)
			}
			execute(t, file, "CREATE TABLE "+table+" (id integer)")
			status, _, stderr := try(t, env, "", "serve", "--addr", "127.0.0.1:0")
			if status != statusUsage || !strings.Contains(stderr, "set SECRET_KEY to the site's") {
				t.Errorf("%d, %s", status, stderr)
			}
			if _, err := os.Stat(filepath.Join(folder, "jotgate.secret")); err == nil {
				t.Error("a secret was made")
			}
			if status, stdout, _ := try(t, env, "", "doctor"); status != statusRefused || !strings.Contains(stdout, "BAD   secret: there is no secret, and ") {
				t.Errorf("doctor: %d, %s", status, stdout)
			}
		})
	}
}

// The file that doctor writes names the database, unless that has a password,
// and the file of the secret; the last line says what is missing.
func TestWrittenConfigIsComplete(t *testing.T) {
	settings := write(t, "settings.json", `{"SECRET_KEY": "`+goodSecret+`", "SIMPLE_JWT": {"ISSUER": "https://site.example"}}`)
	secret := write(t, "secret", goodSecret)
	for name, row := range map[string]struct {
		args        []string
		starts, has string
	}{
		"the environment": {nil, "start with: SECRET_KEY=… jotgate serve --config ", "database: sqlite:"},
		"a file":          {[]string{"--secret-key-file", secret}, "start with: jotgate serve --config ", "secret-key-file: " + secret},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			database, file := "sqlite:"+filepath.Join(folder, "db.sqlite3"), filepath.Join(folder, "jotgate.yaml")
			if status, _, stderr := try(t, nil, "", "migrate", "--database", database); status != 0 {
				t.Fatal(stderr)
			}
			env := []string{"SECRET_KEY=" + goodSecret}
			if row.args != nil {
				env = nil
			}
			_, stdout, stderr := try(t, env, "", append([]string{"doctor", "--django-settings", settings, "--write", file, "--database", database}, row.args...)...)
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), "database: "+database) || !strings.Contains(string(text), row.has) || !strings.Contains(stderr, row.starts) {
				t.Fatalf("%v, %s%s%s", err, text, stdout, stderr)
			}
			if strings.Contains(string(text), goodSecret) {
				t.Errorf("the secret: %s", text)
			}
			s := startServer(t, "", append(env, "JOTGATE_CONFIG="+file))
			if !strings.Contains(s.stdout.String(), filepath.Join(folder, "db.sqlite3")) {
				t.Error(s.stdout.String())
			}
		})
	}
}

// The settings of a site are shown as people write them.
func TestDoctorShowsNamesOfObjects(t *testing.T) {
	settings := write(t, "settings.json", `{"SECRET_KEY": "`+goodSecret+`",
		"AUTH_PASSWORD_VALIDATORS": [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
			{"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}],
		"USER_MODEL": {"table": "auth_user", "pk": "id", "username": "username", "email": "email", "required": ["email"],
			"fields": [{"column": "id", "null": false}, {"column": "last_login", "null": true}]}}`)
	env := []string{"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	_, stdout, _ := try(t, env, "", "doctor", "--django-settings", settings)
	for _, says := range []string{"AUTH_PASSWORD_VALIDATORS: MinimumLengthValidator, NumericPasswordValidator\n", "USER_MODEL.fields: id, last_login\n"} {
		if !strings.Contains(stdout, says) {
			t.Errorf("no line %q", says)
		}
	}
	if strings.Contains(stdout, "map[") {
		t.Error(stdout)
	}
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "ok ") && strings.Count(stdout, "\n"+line) > 1 {
			t.Errorf("twice: %s", line)
		}
	}
}

// An event that does not exist is an error, not an empty list.
func TestUnknownEvents(t *testing.T) {
	env := []string{"DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")}
	for name, says := range map[string]string{"login_fail": ", did you mean login_failed?", "logins": ", did you mean login?", "x": `no event "x"`} {
		if status, _, stderr := try(t, env, "", "event", "list", "--event", name); status != statusUsage || !strings.Contains(stderr, says) {
			t.Errorf("%s: %d, %s", name, status, stderr)
		}
	}
}
