// Package program builds cmd/jotgate for tests that run it as an operator does.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// Shared is the environment variable with a folder in which the packages of one
// run put the program, so that it is linked once (tools/runtests sets it).
const Shared = "TESTS_SHARED"

// Limits are settings, for the environment of the program, of limits that are not reached on a slow
// machine: for tests that are not about them.
var Limits = []string{
	"JOTGATE_DATABASE_TIMEOUT=3m", "JOTGATE_REQUEST_TIMEOUT=10m", "JOTGATE_BODY_TIMEOUT=3m", "JOTGATE_STARTUP_TIMEOUT=3m", "JOTGATE_DRAIN_TIMEOUT=3m",
}

// Build builds the program of this checkout in the folder, or in the shared one,
// and returns its path.
func Build(folder string) (path string, err error) {
	if shared := os.Getenv(Shared); shared != "" {
		folder = shared
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	path = filepath.Join(folder, "jotgate")
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "./cmd/jotgate") // does nothing if it is up to date
	cmd.Dir = filepath.Join(filepath.Dir(file), "..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building jotgate: %w\n%s", err, out)
	}
	return path, nil
}

// lock waits until no other process has the file locked.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
