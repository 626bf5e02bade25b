package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// With --log-format json every line on standard error is JSON: the new secret, the
// start, the published key and the shutdown.
func TestTheWholeLogIsJSON(t *testing.T) {
	s := startServer(t, t.TempDir(), nil, "--log-format", "json", "--key-rotation", "30d")
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
	for _, says := range []string{"finishing the open requests", `"msg":"ready","address":"` + s.base + `","database":"`, `"msg":"key","outcome":"success"`, "made a secret"} {
		if !strings.Contains(s.stderr.String(), says) {
			t.Errorf("no line of %s: %s", says, s.stderr.String())
		}
	}
	for line := range strings.Lines(s.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// A refresh token that is used twice is a warning that names both causes.
func TestReuseIsAWarning(t *testing.T) {
	s := startServer(t, t.TempDir(), []string{"SECRET_KEY=" + goodSecret}, "--refresh-grace", "0s")
	tokens := s.login(t)
	for range 2 {
		s.curl(t, "-d", "refresh="+tokens.Refresh, "BASE/api/token/refresh/")
	}
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
	for line := range strings.Lines(s.stderr.String()) {
		if strings.Contains(line, "level=WARN msg=reuse ") && strings.Contains(line, "--keep-refresh-tokens") && !strings.Contains(line, tokens.Refresh) {
			return
		}
	}
	t.Errorf("the log: %s", s.stderr.String())
}
