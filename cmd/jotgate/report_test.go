package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// With --log-format json every line on standard error is JSON, the one of the
// shutdown too.
func TestShutdownInTheJSONLog(t *testing.T) {
	s := startServer(t, t.TempDir(), []string{"SECRET_KEY=" + goodSecret}, "--log-format", "json")
	if got := s.end(t); got != 0 {
		t.Error(got)
	}
	if !strings.Contains(s.stderr.String(), "finishing the requests in hand") {
		t.Errorf("no line of the shutdown: %s", s.stderr.String())
	}
	for line := range strings.Lines(s.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}
