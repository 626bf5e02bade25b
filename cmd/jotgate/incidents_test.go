package main

// The recipes of docs/incidents.md do what they promise, beside a running server.

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
)

// incident is a server in a folder, with a user who is logged in.
type incident struct {
	*server
	folder, programs, output string
	secret                   string // before the recipe
	access, refresh          string
}

// recipes have a check for each section of the page that has commands.
var recipes = map[string]struct{ before, after func(*testing.T, *incident) }{
	"The secret has leaked": {after: func(t *testing.T, in *incident) {
		in.end(t)
		in.server = startServer(t, in.folder, nil)
		in.void(t)
		status, forged, stderr := try(t, []string{"JOTGATE_CONFIG="}, "", "token", "encode", "--secret", in.secret, `{"token_type":"access","exp":4000000000,"iat":1,"jti":"j","user_id":"2"}`)
		if status != statusDone || !strings.Contains(in.me(t, strings.TrimSpace(forged)), "token_not_valid") {
			t.Errorf("a token with the old secret: %d %s %s", status, forged, stderr)
		}
	}},
	"The database has leaked":  {after: func(t *testing.T, in *incident) { in.void(t) }},
	"A signing key was stolen": {after: func(t *testing.T, in *incident) { in.void(t) }},
	"A flood of logins": {
		before: func(t *testing.T, in *incident) {
			in.curl(t, "-d", "username=alice", "-d", "password=wrong", "BASE/api/token/")
		},
		after: func(t *testing.T, in *incident) {
			if !strings.Contains(in.output, "login_failed") || !strings.Contains(in.output, "127.0.0.1") {
				t.Errorf("the event does not say who: %s", in.output)
			}
		},
	},
	"The disk is full": {after: func(t *testing.T, in *incident) { in.works(t, "mallory") }},
	"The administrator is lost": {after: func(t *testing.T, in *incident) {
		in.works(t, "root")
		if status, list, _ := try(t, nil, "", "user", "list", "--database", in.database()); status != statusDone || strings.Count(list, "  admin  ") != 2 {
			t.Errorf("the users are\n%s", list)
		}
	}},
	"The certificate has expired": {after: func(t *testing.T, in *incident) {
		in.end(t)
		s := startServer(t, in.folder, nil, "--tls-cert", filepath.Join(in.folder, "tls.crt"), "--tls-key", filepath.Join(in.folder, "tls.key"))
		if !strings.HasPrefix(s.base, "https://") {
			t.Errorf("it listens on %s", s.base)
		}
	}},
}

func (in *incident) database() string { return "sqlite:" + filepath.Join(in.folder, "jotgate.db") }

// void expects that the tokens of before the recipe are rejected, and that the user can log in again.
func (in *incident) void(t *testing.T) {
	t.Helper()
	wait.Until(t, "the access token is rejected", func() bool { return strings.Contains(in.me(t, in.access), "token_not_valid") })
	if got := in.curl(t, "-d", "refresh="+in.refresh, "BASE/api/token/refresh/"); !strings.Contains(got, "token_not_valid") {
		t.Errorf("the refresh token: %s", got)
	}
	in.works(t, "mallory")
}

// works logs a user in.
func (in *incident) works(t *testing.T, name string) {
	t.Helper()
	got := in.curl(t, "-d", "username="+name, "-d", "password=correct-horse-battery", "BASE/api/token/")
	var tokens struct{ Access, Refresh string }
	if err := json.Unmarshal([]byte(got), &tokens); err != nil || !strings.Contains(in.me(t, tokens.Access), name) {
		t.Fatalf("%s cannot log in: %s", name, got)
	}
	in.access, in.refresh = tokens.Access, tokens.Refresh
}

// sh runs the commands of a part of the page in the folder.
func (in *incident) sh(t *testing.T, part string) {
	t.Helper()
	var script strings.Builder
	for _, step := range readPage(part).steps {
		script.WriteString(step.command + "\n")
	}
	shell := exec.CommandContext(t.Context(), "sh")
	shell.Stdin, shell.Dir, shell.Env = strings.NewReader(script.String()), in.folder, []string{"PATH=" + in.programs + ":/usr/bin:/bin", "HOME=" + in.folder}
	out, _ := shell.CombinedOutput() // the last command of a recipe may report that there was nothing to do
	in.output = string(out)
}

func TestIncidents(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../docs/incidents.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n## ")
	found := 0
	for _, part := range parts[1:] {
		name, _, _ := strings.Cut(part, "\n")
		if len(readPage(part).steps) == 0 {
			continue
		}
		found++
		t.Run(name, func(t *testing.T) {
			recipe, known := recipes[name]
			if !known {
				t.Fatal("the recipe has no check")
			}
			in := &incident{folder: t.TempDir(), programs: programs(t)}
			in.sh(t, parts[0])
			secret, err := os.ReadFile(filepath.Join(in.folder, "jotgate.secret"))
			if err != nil {
				t.Fatalf("%v: %s", err, in.output)
			}
			in.secret = strings.TrimSpace(string(secret))
			in.server = startServer(t, in.folder, nil)
			in.curl(t, "-d", "username=mallory", "-d", "password=correct-horse-battery", "BASE/auth/users/")
			in.works(t, "mallory")
			if recipe.before != nil {
				recipe.before(t, in)
			}
			in.sh(t, part)
			recipe.after(t, in)
			if t.Failed() {
				_, _ = io.WriteString(t.Output(), in.output)
			}
		})
	}
	if found != len(recipes) {
		t.Errorf("%d recipes have commands, %d checks", found, len(recipes))
	}
}
