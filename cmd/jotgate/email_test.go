package main

// A user model whose USERNAME_FIELD is the e-mail (--username-column email).

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// emailModel is a database with such a table, and the flags that say so.
func emailModel(t *testing.T) (flags []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "email.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE accounts_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL,
last_login datetime NULL, email varchar(254) NOT NULL UNIQUE, is_active bool NOT NULL, is_staff bool NOT NULL, is_superuser bool NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	return []string{"--database", "sqlite:" + file, "--user-table", "accounts_user", "--username-column", "email"}
}

func TestCommandsByEmail(t *testing.T) {
	flags := emailModel(t)
	long := strings.Repeat("a", 242) + "@example.com" // 254
	env := func(name, password string) []string { return []string{"JOTGATE_" + name + "_PASSWORD=" + password} }
	for _, row := range []struct {
		env    []string
		line   string
		status int
		says   string
	}{
		{nil, "user create o'hara@EXAMPLE.com --no-password", 0, "created user o'hara@example.com"},
		{nil, "user create o'hara@example.com --no-password", 1, "That email address is already taken."},
		{nil, "user create " + long + " --no-password", 0, "created user " + long},
		{nil, "user create a" + long + " --no-password", 1, "no more than 254 characters"},
		{nil, "user create ohara --no-password", 1, "Enter a valid email address."},
		{env("USER", "marguerite-1"), "user create marguerite@example.com", 1, "The password is too similar to the email address."},
		{nil, "user set o'hara@example.com --email o'brien@example.com", 0, "changed user"},
		{nil, "user set o'brien@example.com --email o'hara", 1, "Enter a valid email address."},
		{nil, "user set o'brien@example.com --username o'hara@example.com", 0, "changed user"},
		{nil, "user show o'hara@example.com", 0, "o'hara@example.com"},
		{env("SUPERUSER", "correct-horse-1"), "createsuperuser --noinput --email root@example.com", 0, "created"},
		{env("SUPERUSER", "correct-horse-1"), "createsuperuser --noinput", 2, "--noinput needs --username"},
	} {
		status, stdout, stderr := try(t, row.env, "", append(strings.Fields(row.line), flags...)...)
		if status != row.status || !strings.Contains(stdout+stderr, row.says) {
			t.Errorf("%.80s: %d %s %s", row.line, status, stdout, stderr)
		}
	}
	// Asked for once, as it is both.
	status, stdout, stderr := try(t, nil, "ohara\nadmin@example.com\ncorrect-horse-1\ncorrect-horse-1\n", append([]string{"createsuperuser"}, flags...)...)
	if status != 0 || strings.Contains(stdout+stderr, "Username") || strings.Count(stdout+stderr, "Email address:") != 2 {
		t.Errorf("%d %s %s", status, stdout, stderr)
	}
}

// openapi prints what serve returns with the same settings.
func TestOpenAPIIsWhatIsServed(t *testing.T) {
	flags := emailModel(t)
	s := startServer(t, "", nil, append(flags, "--secret-key", goodSecret)...)
	served := s.curl(t, "BASE/api/schema/")
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
	config := write(t, "jotgate.yaml", "username-column: email\nkeep-refresh-tokens: false\n")
	for name, row := range map[string]struct {
		env  []string
		args []string
	}{
		"a flag":     {nil, []string{"--username-column", "email"}},
		"a variable": {[]string{"JOTGATE_USERNAME_COLUMN=email"}, nil},
		"a file":     {nil, []string{"--config", config}},
	} {
		if status, stdout, stderr := try(t, row.env, "", append([]string{"openapi"}, row.args...)...); status != 0 || stdout != served {
			t.Errorf("by %s: %d %.100s %s", name, status, stdout, stderr)
		}
	}
	if _, usual, _ := try(t, nil, "", "openapi"); usual == served || !strings.Contains(usual, "/auth/users/set_username/") {
		t.Error("by default it is the same")
	}
}
