package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// A custom user table: the commands that create accounts, the start of serve
// and doctor say in one line what is missing; the setting is a flag, a
// variable and a line of the config file.
func TestNewUserSetting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE shop_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, password varchar(128) NOT NULL,
username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL, is_active bool NOT NULL, is_staff bool NOT NULL, is_superuser bool NOT NULL,
uuid char(32) NOT NULL UNIQUE, is_verified bool NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	env := []string{"SECRET_KEY=" + goodSecret, "JOTGATE_USER_PASSWORD=correct-horse-1", "DJANGO_SUPERUSER_PASSWORD=correct-horse-1", "JOTGATE_USER_TABLE=shop_user"}
	on := func(args ...string) []string { return append(args, "--database", "sqlite:"+file) }
	const missing = "the columns uuid (char(32)), is_verified (bool) of the table shop_user need values"
	for _, command := range [][]string{{"user", "create", "ann"}, {"createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.com"}} {
		status, _, stderr := try(t, env, "", on(command...)...)
		if status != statusRefused || !strings.Contains(stderr, missing) || !strings.Contains(stderr, "uuid=uuid4;is_verified=false") {
			t.Errorf("%v: status %d, %s", command, status, stderr)
		}
	}
	_, stdout, _ := try(t, env, "", on("doctor")...)
	for _, want := range []string{"shop_user.uuid: char(32), must not be NULL", "--new-user uuid=uuid4", "--new-user is_verified=false"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("doctor does not say %q", want)
		}
	}
	s := startServer(t, filepath.Dir(file), env, on("--user-table", "shop_user")...)
	if log := s.stderr.String(); strings.Count(log, "sign-up is closed: "+missing) != 1 {
		t.Errorf("the log of serve:\n%s", log)
	}
	s.end(t)
	config := write(t, "jotgate.yaml", "new-user:\n  uuid: uuid4\n  is_verified: \"false\"\nuser-fields: [is_verified:read-only]\n")
	for name, more := range map[string][]string{
		"by flag": {"--new-user", "uuid=uuid4;is_verified=false"}, "by file": {"--config", config},
	} {
		status, _, stderr := try(t, env, "", on(append([]string{"user", "create", strings.ReplaceAll(name, " ", "")}, more...)...)...)
		if status != statusDone {
			t.Errorf("%s: %s", name, stderr)
		}
	}
	status, _, stderr := try(t, append(env, "JOTGATE_NEW_USER=uuid=uuid4;is_verified=false"), "", on("user", "create", "byvariable")...)
	if status != statusDone {
		t.Errorf("by variable: %s", stderr)
	}
	for _, bad := range []string{"uuid=x", "none=1", "is_staff=true"} {
		if status, _, stderr := try(t, env, "", on("serve", "--addr", "127.0.0.1:0", "--new-user", bad)...); status == statusDone || !strings.Contains(stderr, strings.Split(bad, "=")[0]) {
			t.Errorf("%s: status %d, %s", bad, status, stderr)
		}
	}
}
