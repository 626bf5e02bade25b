package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOAuthOff: service accounts get tokens unless --oauth is off, as a flag, a variable
// or in a file.
func TestOAuthOff(t *testing.T) {
	for how, c := range map[string]struct {
		env, args []string
		on        bool
	}{
		"default":  {on: true},
		"flag":     {args: []string{"--oauth", "off"}},
		"variable": {env: []string{"JOTGATE_OAUTH=off"}},
		"file":     {env: []string{"JOTGATE_CONFIG=" + write(t, "jotgate.yaml", "oauth: off\n")}},
	} {
		s := startServer(t, t.TempDir(), c.env, c.args...)
		out := s.curl(t, "-d", "grant_type=client_credentials&client_id=nobody&client_secret=x", "BASE/o/token/")
		if on := strings.Contains(out, "invalid_client"); on != c.on || !on && !strings.Contains(out, "404") && !strings.Contains(out, "Not found") {
			t.Errorf("%s: %s", how, out)
		}
		if status := s.end(t); status != 0 {
			t.Error(status)
		}
	}
}

// The metadata of the API is announced where it is served: with --base-url, unless --oauth
// is off or the issuer is not a URL.
func TestResourceMetadata(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--base-url", "https://api.example"}, `, resource_metadata="https://api.example/.well-known/oauth-protected-resource"`},
		{[]string{"--base-url", "https://api.example", "--issuer", "https://auth.example"}, `, resource_metadata="https://api.example/.well-known/oauth-protected-resource"`},
		{[]string{"--base-url", "https://api.example", "--issuer", "jotgate"}, ""},
		{[]string{"--base-url", "https://api.example", "--oauth", "off"}, ""},
		{nil, ""},
	} {
		s := startServer(t, t.TempDir(), nil, append([]string{"--allowed-hosts", "127.0.0.1"}, c.args...)...)
		out := s.curl(t, "-i", "BASE/auth/users/me/")
		if !strings.Contains(strings.ToLower(out), strings.ToLower("WWW-Authenticate: Bearer realm=\"api\""+c.want+"\r\n")) {
			t.Errorf("%v: %s", c.args, out)
		}
		if status := s.end(t); status != 0 {
			t.Error(status)
		}
	}
}

// Scopes are separated by commas or, as OAuth writes them, by spaces.
func TestScopesOfCommands(t *testing.T) {
	database := []string{"--database", "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")}
	command := func(args ...string) (status int, printed string) {
		status, stdout, stderr := try(t, nil, "", append(args, database...)...)
		return status, stdout + stderr
	}
	if status, printed := command("user", "create", "alice", "--no-password"); status != 0 {
		t.Fatal(printed)
	}
	for scopes, want := range map[string]string{"a:read": "a:read", "a:read,b": "a:read b", "a:read b": "a:read b", " b,  a:read b ": "b a:read"} {
		name := strings.NewReplacer(":", "", ",", "-", " ", "_").Replace(scopes)
		for _, args := range [][]string{
			{"apikey", "create", "alice", "--name", name, "--scope", scopes},
			{"client", "create", name, "--scope", scopes},
			{"client", "set", name, "--scope", scopes},
		} {
			status, printed := command(args...)
			if status != 0 || args[1] == "create" && !strings.Contains(printed, "scopes "+want+";") && !strings.Contains(printed, "scopes "+want+",") {
				t.Errorf("%q: status %d, %s", args, status, printed)
			}
		}
		if _, list := command("client", "list"); !regexp.MustCompile("  " + name + " +" + want + "  ").MatchString(list) {
			t.Errorf("%q: %s", scopes, list)
		}
	}
	for _, args := range [][]string{
		{"client", "set", "aread", "--scope", ""},
		{"client", "set", "aread", "--scope", " , "},
		{"client", "create", "x", "--scope", " "},
		{"client", "create", "x", "--scope", `a "b"`},
		{"apikey", "create", "alice", "--scope", ""},
	} {
		if status, printed := command(args...); status == 0 || !strings.Contains(printed, "scope") {
			t.Errorf("%q: status %d, %s", args, status, printed)
		}
	}
}
