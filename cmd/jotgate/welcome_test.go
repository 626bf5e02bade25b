package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// The lines that serve prints work with its settings.
func TestWelcomeFollowsTheSettings(t *testing.T) {
	for _, row := range []struct {
		args     []string
		commands int
		says     string
	}{
		{[]string{"--no-signup"}, 2, "to sign in.\n\nTry it: create alice with jotgate user create, log in,"},
		{[]string{"--allowed-hosts", "auth.example.com,other.example.com"}, 3, `-H "Host: auth.example.com"`},
		{[]string{"--allowed-hosts", ".example.com"}, 3, `-H "Host: example.com"`},
		{[]string{"--allowed-hosts", "auth.example.com,127.0.0.1"}, 3, "curl -d "},
		{[]string{"--header-types", "JWT"}, 3, "Authorization: JWT $TOKEN"},
		{[]string{"--header-name", "X-Access-Token"}, 3, "X-Access-Token: Bearer $TOKEN"},
		{[]string{"--user-create-password-retype"}, 3, "re_password"},
		{[]string{"--prefix", "/accounts", "--base-url", "https://example.com/accounts"}, 3, "Open https://example.com/accounts/account/ to"},
		{[]string{"--base-url", "https://example.com/accounts/"}, 3, "Open https://example.com/accounts/account/ to"},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if row.commands == 2 {
				env := []string{"JOTGATE_USER_PASSWORD=correct-horse-1"}
				if status, _, stderr := try(t, env, "", "user", "create", "alice", "--database", "sqlite:"+filepath.Join(folder, "jotgate.db")); status != 0 {
					t.Fatal(stderr)
				}
			}
			s := startServer(t, folder, nil, row.args...)
			lines := commandsIn(s.stdout.String())
			if len(lines) != row.commands || !strings.Contains(s.stdout.String(), row.says) {
				t.Fatalf("%d commands in %s", len(lines), s.stdout.String())
			}
			if row.commands == 3 {
				s.served(t, lines[0]...)
				lines = lines[1:]
			}
			var tokens struct{ Access string }
			if got := s.served(t, lines[0]...); json.Unmarshal([]byte(got), &tokens) != nil || tokens.Access == "" {
				t.Fatalf("no token: %s", got)
			}
			for i, word := range lines[1] {
				lines[1][i] = strings.Replace(word, "$TOKEN", tokens.Access, 1)
			}
			if got := s.served(t, lines[1]...); !strings.Contains(got, `"username":"alice"`) {
				t.Error(got)
			}
		})
	}
}

// An account that has to be activated cannot log in immediately.
func TestWelcomeNamesTheActivation(t *testing.T) {
	s := startServer(t, t.TempDir(), nil, "--send-activation-email", "--print-emails")
	if got := s.curl(t, commandsIn(s.stdout.String())[0]...); !strings.Contains(got, "alice@example.com") {
		t.Errorf("without an address there is no link: %s", got)
	}
	if !strings.Contains(s.stdout.String(), "sign up, follow the link in the e-mail, log in") {
		t.Error(s.stdout.String())
	}
}
