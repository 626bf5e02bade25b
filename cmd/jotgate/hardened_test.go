package main

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// TestHardenedConfiguration starts the server with examples/hardened/jotgate.yaml
// and checks what each of its settings is for. docs/security.md counts on it.
func TestHardenedConfiguration(t *testing.T) {
	folder := t.TempDir()
	env := []string{"SECRET_KEY=" + goodSecret, "DATABASE_URL=sqlite:" + filepath.Join(folder, "jotgate.db")}
	s := startServer(t, "", env, "--config", "../../examples/hardened/jotgate.yaml", "--print-emails")
	signUp := func(name, password string) string {
		return s.curl(t, "-d", "username="+name, "-d", "email="+name+"@example.com", "-d", "password="+password, "BASE/auth/users/")
	}

	// New passwords: 15 characters, none of the site's words, no rule on composition.
	if got := signUp("alice", "correct-horse-"); !strings.Contains(got, "at least 15 characters") {
		t.Errorf("14 characters: %s", got)
	}
	if got := signUp("alice", "correct-acme-horse"); !strings.Contains(got, "easy to guess for this site") {
		t.Errorf("a word of the site: %s", got)
	}
	const password, next = "840295716038552", "correct-horse-battery"
	if got := signUp("alice", password); !strings.Contains(got, `"username":"alice"`) {
		t.Fatalf("15 digits: %s", got)
	}

	// Tokens: ES256 from the first one, with issuer and audience.
	var tokens struct{ Access, Refresh string }
	if err := json.Unmarshal([]byte(s.curl(t, "-d", "username=alice", "-d", "password="+password, "BASE/api/token/")), &tokens); err != nil {
		t.Fatal(err)
	}
	header, payload, err := jwt.DecodeUnverified(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in         jwt.Raw
		name, want string
	}{{header, "alg", `"ES256"`}, {payload, "iss", `"https://accounts.acme.example"`}, {payload, "aud", `"acme-api"`}} {
		if got, _ := c.in.Member(c.name); string(got) != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
	if got := s.me(t, tokens.Access); !strings.Contains(got, `"username":"alice"`) {
		t.Fatal(got)
	}
	for audience, want := range map[string]string{"acme-api": `"username":"alice"`, "another-api": "token_not_valid"} {
		status, token, stderr := try(t, env, "", "token", "encode", "--secret", goodSecret,
			`{"token_type":"access","exp":4000000000,"iat":`+strconv.FormatInt(time.Now().Unix(), 10)+
				`,"jti":"j","user_id":"1","iss":"https://accounts.acme.example","aud":"`+audience+`"}`)
		if status != 0 {
			t.Fatal(stderr)
		}
		if got := s.me(t, strings.TrimSpace(token)); !strings.Contains(got, want) {
			t.Errorf("a token for %s: %s", audience, got)
		}
	}

	// The schema and its page are not served.
	for _, path := range []string{"/api/schema/", "/api/docs/"} {
		if got := s.curl(t, "BASE"+path); !strings.Contains(got, "Not found.") {
			t.Errorf("%s: %.80s", path, got)
		}
	}

	// A change of the e-mail address needs the password.
	change := []string{"-X", "PATCH", "-H", "Authorization: Bearer " + tokens.Access, "-d", "email=new@example.com"}
	if got := s.curl(t, append(change, "BASE/auth/users/me/")...); !strings.Contains(got, "current_password") {
		t.Errorf("a change of address without the password: %s", got)
	}

	// Notices go to verified addresses; the operator verifies this one.
	if status, _, stderr := try(t, env, "", "user", "set", "alice", "--email", "alice@example.com"); status != 0 {
		t.Fatal(stderr)
	}
	// Users are notified of a new password; the settings for the other notices are
	// compared below, and package api tests what they do.
	set := s.curl(t, "-H", "Authorization: Bearer "+tokens.Access, "-d", "current_password="+password, "-d", "new_password="+next, "BASE/auth/users/set_password/")
	if set != "" {
		t.Errorf("set_password: %s", set)
	}
	wait.Until(t, "the notice of the new password is sent", func() bool {
		return strings.Contains(s.stderr.String()+s.stdout.String(), "alice@example.com")
	})
	for flag, want := range map[string]string{
		"new-sign-in-email": "true", "username-changed-email": "true", "email-changed-email": "true",
		"password-reset-timeout": "10m", "key-rotation": "30d", "remember-tokens": "0",
	} {
		if got := parsed(t, flag, map[string]string{"JOTGATE_CONFIG": "../../examples/hardened/jotgate.yaml"}, nil); got != want {
			t.Errorf("--%s = %s, want %s", flag, got, want)
		}
	}
}
