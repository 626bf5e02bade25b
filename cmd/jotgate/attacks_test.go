package main

// Rows H101 and H117 of api/testdata/attacks.json: what concerns the program.

import (
	"path/filepath"
	"strings"
	"testing"
)

// A fresh server has no account, and a user that signs up gets no special
// rights.
func TestH101NoDefaultAccount(t *testing.T) {
	folder := t.TempDir()
	s := startServer(t, folder, nil, "--log-level", "error")
	for _, name := range []string{"admin", "root", "administrator", "demo", "jotgate", "user", "test"} {
		for _, password := range []string{name, "password", "admin", "correct-horse-1"} {
			got := s.curl(t, "-d", "username="+name, "-d", "password="+password, "BASE/api/token/")
			if !strings.Contains(got, "No active account") && !strings.Contains(got, "throttled") {
				t.Errorf("%s/%s: %s", name, password, got)
			}
		}
	}
	for path, says := range map[string]string{
		"/setup/": "Not found.", "/install/": "Not found.", "/auth/setup/": "Not found.", "/auth/superuser/": "Not found.",
		"/admin/": "You may not do that", "/admin/api/users/": "credentials were not provided",
	} {
		if got := s.curl(t, "-d", "username=mallory", "-d", "password=correct-horse-1", "BASE"+path); !strings.Contains(got, says) {
			t.Errorf("%s: %s", path, got)
		}
	}
	database := []string{"--database", "sqlite:" + filepath.Join(folder, "jotgate.db")}
	if status, out, said := try(t, nil, "", append([]string{"user", "list"}, database...)...); status != 0 || out != "" || !strings.Contains(said, "there are no users") {
		t.Errorf("the users of a fresh server: %d %s%s", status, out, said)
	}
	s.curl(t, "-d", "username=first", "-d", "password=correct-horse-1", "-d", "is_staff=true", "-d", "is_superuser=true", "BASE/auth/users/")
	if _, out, _ := try(t, nil, "", append([]string{"user", "show", "first"}, database...)...); !strings.Contains(out, "user (User)") {
		t.Errorf("the first who signs up: %s", out)
	}
}

// Output never contains a secret from the environment or from an invalid
// address. A secret in a flag is visible in the process list; --help says so.
func TestH117SecretsAreNotShown(t *testing.T) {
	const hidden = "top-secret-word-nobody-may-see-0123456789-abcdef"
	s := startServer(t, t.TempDir(), []string{"JOTGATE_SECRET_KEY=" + hidden, "JOTGATE_MAIL_SERVER=smtp://u:" + hidden + "@127.0.0.1:1", "JOTGATE_MAIL_FROM=a@example.com"}, "--log-level", "debug")
	s.login(t)
	if status := s.end(t); status != 0 {
		t.Error(status)
	}
	printed := s.stdout.String() + s.stderr.String()
	for _, c := range []struct{ env, args []string }{
		{nil, []string{"serve", "--database", "postgres://u:" + hidden + "@127.0.0.1:1/x"}},
		{nil, []string{"serve", "--database", "postgres://u:" + hidden + "@[broken/x"}},
		{nil, []string{"user", "list", "--database", "mysql://u:" + hidden + "@127.0.0.1/x"}},
		{nil, []string{"serve", "--mail-server", "smtp://u:" + hidden + "@[broken"}},
		{nil, []string{"serve", "--mail-server", "http://u:" + hidden + "@127.0.0.1"}},
		{[]string{"JOTGATE_SECRET_KEY=" + hidden, "DATABASE_URL=postgres://u:" + hidden + "@127.0.0.1:1/x"}, []string{"serve", "--help"}},
		{[]string{"JOTGATE_SECRET_KEY=" + hidden, "DATABASE_URL=postgres://u:" + hidden + "@127.0.0.1:1/x"}, []string{"doctor"}},
		{[]string{"JOTGATE_SECRET_KEY=" + hidden[:20]}, []string{"serve"}},
	} {
		t.Chdir(t.TempDir())
		status, stdout, stderr := try(t, c.env, "", c.args...)
		if (status == 0) != (c.args[len(c.args)-1] == "--help") {
			t.Errorf("%v: %d %s", c.args, status, stderr)
		}
		printed += stdout + stderr
	}
	if i := strings.Index(printed, hidden[:20]); i >= 0 {
		t.Errorf("it is printed: %s", printed[max(0, i-200):min(len(printed), i+60)])
	}
}
