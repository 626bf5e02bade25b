// Package program builds cmd/jotgate for tests that run it as an operator does.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jotgate/jotgate/internal/tempdir"
)

// Limits are settings, for the environment of the program, of limits that are not reached on a slow
// machine: for tests that are not about them.
var Limits = []string{
	"JOTGATE_DATABASE_TIMEOUT=3m", "JOTGATE_REQUEST_TIMEOUT=10m", "JOTGATE_BODY_TIMEOUT=3m", "JOTGATE_STARTUP_TIMEOUT=3m", "JOTGATE_DRAIN_TIMEOUT=3m",
}

// Environment returns the environment in which a test runs the program: that of the tests without what
// the program reads (the shell of a developer may have a DATABASE_URL), with Limits and more.
func Environment(more ...string) []string {
	return slices.Concat(slices.DeleteFunc(os.Environ(), isRead), Limits, more)
}

// read are variables that the program reads: other names of settings, those of systemd, and those of Go.
var read = []string{
	"SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "WATCHDOG_PID", "WATCHDOG_USEC", "COMP_LINE",
	"GOGC", "GOMEMLIMIT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// isRead reports whether the program reads a variable, NAME=value. PostgreSQL's, such as PGHOST, are
// defaults of the address of a database.
func isRead(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.ContainsFunc([]string{"JOTGATE_", "DJANGO_", "PG"}, begins) || slices.Contains(read, name)
}

// Build builds the program of this checkout in the folder, or, so that it is linked once, in the one that
// the packages of this run share, and returns its path.
func Build(folder string) (path string, err error) {
	if shared := tempdir.Shared(); shared != "" {
		folder = shared
	}
	unlock, err := tempdir.Lock(filepath.Join(folder, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	path = filepath.Join(folder, "jotgate")
	return path, link(path)
}

// link does nothing if the program is up to date.
func link(path string) error {
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./cmd/jotgate")
	cmd.Dir = filepath.Join(filepath.Dir(file), "..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building jotgate: %w\n%s", err, out)
	}
	return nil
}
