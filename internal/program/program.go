// Package program builds cmd/jotgate for tests that run it as an operator does.
package program

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/jotgate/jotgate/internal/tempdir"
)

// Limits are settings, for the environment of the program, of limits that are not reached on a slow
// machine: for tests that are not about them.
var Limits = []string{
	"JOTGATE_DATABASE_TIMEOUT=3m", "JOTGATE_REQUEST_TIMEOUT=10m", "JOTGATE_BODY_TIMEOUT=3m", "JOTGATE_STARTUP_TIMEOUT=3m", "JOTGATE_DRAIN_TIMEOUT=3m",
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
