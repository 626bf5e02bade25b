package main

import (
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
