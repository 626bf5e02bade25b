package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// A secret with which serve does not start is never called usable.
func TestDoctorOpensTheKeys(t *testing.T) {
	const other = "another-0123456789abcdef0123456789abcdef"
	database := "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")
	made := []string{database, "SECRET_KEY=" + goodSecret}
	for _, line := range []string{"migrate", "key rotate --now"} {
		if status, _, stderr := try(t, made, "", strings.Fields(line)...); status != 0 {
			t.Fatal(stderr)
		}
	}
	for name, row := range map[string]struct {
		env  []string
		line string
		ok   bool
	}{
		"the secret":          {made, "ok    secret: usable, opens 1 signing key", true},
		"another":             {[]string{database, "SECRET_KEY=" + other}, "BAD   secret: signing key ", false},
		"another in a file":   {[]string{database, "JOTGATE_SECRET_KEY_FILE=" + write(t, "s", other)}, "cannot be opened: it was sealed under another SECRET_KEY", false},
		"among the fallbacks": {[]string{database, "SECRET_KEY=" + other, "JOTGATE_SECRET_KEY_FALLBACKS=" + goodSecret}, "ok    secret: usable, opens 1 signing key", true},
		"wrong fallbacks":     {[]string{database, "SECRET_KEY=" + other, "JOTGATE_SECRET_KEY_FALLBACKS=" + other + "x"}, "BAD   secret: ", false},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := try(t, row.env, "", "doctor", "--addr", "0")
			if (status == 0) != row.ok || !strings.Contains(stdout, row.line) {
				t.Errorf("status %d, %s%s", status, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, goodSecret) || strings.Contains(stdout+stderr, other) {
				t.Error("a secret was printed")
			}
			if !row.ok {
				if status, _, _ := try(t, row.env, "", "serve", "--addr", "0"); status == 0 {
					t.Error("serve starts")
				}
			}
		})
	}
}

// Doctor tries what the settings name.
func TestDoctorReaches(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	there := listener.Addr().String()
	env := []string{"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "jotgate.db"), "JOTGATE_ADR=:1"}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	for _, row := range []struct{ args, line string }{
		{"--mail-server smtp://user:hidden@127.0.0.1:1 --mail-from a@example.com", "fix   mail server: "},
		{"", "note  mail server: none"},
		{"--upstream http://127.0.0.1:1", "fix   upstream 127.0.0.1:1: cannot be reached"},
		{"--upstream http://" + there, "ok    upstream " + there + ": reached"},
		{"--addr " + there, "note  --addr: "},
		{"--addr 0", "ok    --addr: 0 is free"},
		{"", "fix   environment: there is no setting JOTGATE_ADR, did you mean JOTGATE_ADDR?"},
		{"", "--keep-refresh-tokens"},
		{"", "--header-types=Bearer,Token,JWT"},
		{"--refresh-cookie --cors-origins http://localhost:5173", "note  --cors-origins: http://localhost:5173"},
	} {
		var status int
		var stdout, stderr string
		wait.Until(t, "doctor tries "+row.args, func() bool {
			status, stdout, stderr = try(t, env, "", append([]string{"doctor"}, strings.Fields(row.args)...)...)
			return strings.Contains(stdout, row.line) || !strings.HasSuffix(row.line, "reached") // which a slow machine may not do in time
		})
		if status != 0 || !strings.Contains(stdout, row.line) || strings.Contains(stdout, "hidden") {
			t.Errorf("%s: status %d, no %q in %s%s", row.args, status, row.line, stdout, stderr)
		}
	}
	_, stdout, _ := try(t, env, "", "doctor", "--keep-refresh-tokens", "--header-types", "JWT,Bearer")
	if strings.Contains(stdout, "note  refresh tokens") || strings.Contains(stdout, "note  --header-types") {
		t.Errorf("a note on what is set: %s", stdout)
	}
}

// Doctor says to which site passkeys belong, and whether the pages can use them,
// before serve refuses to start or browsers refuse the passkeys.
func TestDoctorOnPasskeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jotgate.db")
	env := []string{"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + file}
	if status, _, stderr := try(t, env, "", "migrate"); status != 0 {
		t.Fatal(stderr)
	}
	doctor := func(want int, lines []string, args ...string) {
		t.Helper()
		status, stdout, stderr := try(t, env, "", append([]string{"doctor", "--addr", "127.0.0.1:0"}, args...)...)
		if status != want {
			t.Errorf("%q: status %d, %s", args, status, stderr)
		}
		for _, line := range lines {
			if !strings.Contains(stdout, line) {
				t.Errorf("%q: no %q in\n%s", args, line, stdout)
			}
		}
	}
	site := []string{"--base-url", "https://login.example.com"}
	doctor(0, []string{"note  --rp-id: login.example.com\n", "ok    --rp-origins: https://login.example.com\n"}, site...)
	doctor(0, []string{"note  --rp-id: none: passkeys are off\n"}, "--base-url", "http://10.0.0.1")
	doctor(0, []string{"fix   --rp-origins: https://example.org\n", "add https://login.example.com to --rp-origins"}, append(site, "--rp-id", "example.org")...)

	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Factors().PinSetting(t.Context(), record.PinnedRPID, "example.com"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	doctor(0, []string{"ok    --rp-id: example.com, that of the passkeys of this database\n"}, append(site, "--rp-id", "example.com")...)
	doctor(1, []string{"BAD   --rp-id: login.example.com, but the passkeys of this database are of example.com\n", "set --rp-id=example.com"}, site...)
	doctor(0, []string{"fix   --rp-id: none, but there are passkeys of example.com\n"}, "--base-url", "http://10.0.0.1")
	if status, _, stderr := try(t, append(env, "JOTGATE_BASE_URL=https://login.example.com"), "", "serve", "--addr", "127.0.0.1:0"); status == 0 || !strings.Contains(stderr, "example.com") {
		t.Errorf("serve: %d %s", status, stderr)
	}
}
