package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/program"
)

// Tests start the program without any variable of the developer's shell that it reads.
func TestEnvironmentOfTests(t *testing.T) {
	all, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "WATCHDOG_USEC", "PGHOST", "HTTPS_PROXY"}
	for name := range all.variables() {
		names = append(names, name)
	}
	if len(names) < 100 {
		t.Fatalf("only %d variables", len(names))
	}
	for _, name := range names {
		t.Setenv(name, "of the shell")
	}
	t.Setenv("OTHER", "kept")
	got := program.Environment("SECRET_KEY=mine")
	for _, variable := range got {
		if strings.HasSuffix(variable, "=of the shell") {
			t.Errorf("the program gets %s", variable)
		}
	}
	if !slices.Contains(got, "SECRET_KEY=mine") || !slices.Contains(got, "OTHER=kept") {
		t.Errorf("not all that it should have: %q", got)
	}
}
